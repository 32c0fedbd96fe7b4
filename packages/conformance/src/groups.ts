import type { Group } from "./case.ts";
import { aborts } from "./cases/aborts.ts";
import { approvals } from "./cases/approvals.ts";
import { envelopeSources } from "./cases/envelope-source.ts";
import { failures } from "./cases/failures.ts";
import { handOffs } from "./cases/hand-offs.ts";
import { hostileCalls } from "./cases/hostile.ts";
import { offeredTools, shownTools } from "./cases/lists.ts";
import { lifetimes } from "./cases/lifetimes.ts";
import { permittedCalls } from "./cases/permitted.ts";
import { refusedCalls } from "./cases/refused.ts";
import { results } from "./cases/results.ts";
import { streamingTools } from "./cases/streams.ts";
import { verdicts } from "./cases/verdicts.ts";
import type { Harness } from "./harness.ts";
import { readVectors, type ToolArguments, type ToolNames } from "./vectors.ts";

/** Everything that an adapter must do. `vectors`: a folder with `hostile/tool-names.json` and `hostile/tool-args.json`, which belong to nobody here. */
export function groupsOf(harness: Harness, vectors?: URL): readonly Group[] {
  return [
    permittedCalls(harness),
    refusedCalls(harness),
    envelopeSources(harness),
    results(harness),
    failures(harness),
    streamingTools(harness),
    aborts(harness),
    shownTools(harness),
    hostileCalls(harness, readVectors<ToolNames>(vectors, "hostile/tool-names.json"), readVectors<ToolArguments>(vectors, "hostile/tool-args.json")),
    ...(["handles", "signed envelopes"] as const).flatMap((holding) => [
      verdicts(harness, holding),
      approvals(harness, holding),
      lifetimes(harness, holding),
      offeredTools(harness, holding),
      handOffs(harness, holding),
    ]),
  ];
}
