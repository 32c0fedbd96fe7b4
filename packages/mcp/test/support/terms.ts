import { createVocabulary, type Pdp, type Terms } from "@ambit/core";
import { enforcement as plainEnforcement } from "./fake-pdp.ts";

/** The one tool of the envelope of `enforcement`. */
const ALLOWED = "contracts.read";

/** What the scripted decision point says of names: tools that the envelope allows go by these. */
function termsWith(allowed: ReadonlySet<string>): Terms {
  return {
    order: { vocabulary: createVocabulary({}), purposes: undefined as never },
    audience: ["urn:example:pdp"],
    toolId: (name) => (allowed.has(name) ? ALLOWED : undefined),
    pinOf: () => "none",
  };
}

const NAMES: ReadonlySet<string> = new Set(["contracts_read", "echo", "asks", "hangs", "samples", "breaks"]);

/** `enforcement` in front of a decision point that knows names, so that lists can be shown; `pdp` still notes what it is asked. */
export function enforcement(pdp: Pdp, allowed: ReadonlySet<string> = NAMES, deadline?: number): ReturnType<typeof plainEnforcement> {
  return plainEnforcement({ ...pdp, terms: async () => termsWith(allowed) }, deadline);
}
