import { randomText } from "../data/digest.ts";
import type { Refusal } from "../pdp/decision.ts";
import type { Pdp } from "../pdp/pdp.ts";
import { SUPPORTED_OBLIGATIONS } from "../pdp/obligation.ts";
import type { TokenPresentation } from "../token/presentation.ts";
import { askDecision } from "./ask.ts";
import type { PepSetting } from "./present.ts";
import { readArguments } from "./read-arguments.ts";
import type { Task } from "./task.ts";
import { callDigest, type ToolCall } from "./tool-call.ts";
import type { Refused } from "./verdict.ts";

/** Of somebody of whom it is not known who it is. */
const UNKNOWN = "unknown";

/** No token; on the way to a service something has to stand in its place. */
const NOTHING: TokenPresentation = { chain: ["none"], pop: "none" };

/** What an attempt came with, and what that says of itself. */
interface Attempt {
  readonly presentation: TokenPresentation | undefined;
  readonly task: Pick<Task, "envelope"> | undefined;
}

/** A call that is refused whatever anybody says: it is asked about for the record alone, and of all that the answer says only its id counts. */
export async function recordAttempt(
  { pdp, deadline, now }: Pick<PepSetting, "pdp" | "deadline" | "now">,
  { presentation, task }: Attempt,
  { tool, server, arguments: raw, signal }: Omit<ToolCall, "envelope">,
  refusal: Refusal,
): Promise<Refused> {
  const refused: Refused = { kind: "deny", decisionId: "undecided", refusal };
  if (!isRoomFor(pdp, now())) return refused;
  const { chain, pop } = presentation ?? NOTHING;
  const { delegatorId, agentId } = task?.envelope ?? { delegatorId: UNKNOWN, agentId: UNKNOWN };
  const { args } = readArguments(raw);
  const decision = await askDecision(
    deadline,
    signal,
    () =>
      pdp.decide({
        subject: { type: "user", id: delegatorId },
        action: { name: tool, properties: server === undefined ? {} : { server } },
        resource: { type: "tool", id: tool },
        context: {
          presentation: { kind: "chain", chain, pop },
          agent: agentId,
          call_id: `${UNKNOWN}/once/${randomText()}`,
          call_digest: callDigest(tool, server, args),
          arguments: args,
          supported_obligations: SUPPORTED_OBLIGATIONS,
          refusal,
        },
      }),
    () => undefined,
  );
  return { ...refused, decisionId: decision.context.id };
}

/** Anybody can make attempts without an envelope: no more of them are recorded in a minute, so that nobody fills a log with them. */
const MOST = 60;
const MINUTE = 60_000;

/** By decision point, because a receiver may live no longer than one request. */
const windows = new WeakMap<Pdp, { readonly since: number; count: number }>();

function isRoomFor(pdp: Pdp, now: number): boolean {
  const known = windows.get(pdp);
  const age = known === undefined ? Number.NaN : now - known.since;
  const window = known !== undefined && age >= 0 && age < MINUTE ? known : { since: now, count: 0 };
  windows.set(pdp, window);
  return ++window.count <= MOST;
}
