import type { CommitAnswer, Committed, JsonObject, OnceKey, Reservation } from "@ambit/core";
import { clock } from "../clock.ts";
import { keepUntil, leafOf, type Chain } from "../envelopes/chain.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import type { ResultObligation } from "./constraint.ts";
import { dataClassesOf } from "./policy.ts";
import { reservationsOf } from "./reservations.ts";

export interface CommitQuestion {
  readonly chain: Chain;
  readonly tool: ToolEntry;
  readonly arguments: JsonObject;
  readonly obligations: readonly ResultObligation[];
  readonly callId: string;
  readonly callDigest: string;
  readonly decisionId: string;
  readonly grantId: string;
  /** What the call uses up. */
  readonly once: readonly OnceKey[];
  /** Which of them are approvals. */
  readonly approvals: ReadonlySet<string>;
  /** When the approval that the call would use up was used for another one. */
  readonly onApprovalUsed: () => Promise<never>;
}

/** Step 6: one transaction over this envelope and all its ancestors (I5, I6). */
export async function commit(setting: Setting, question: CommitQuestion): Promise<Committed & { readonly status: "committed" | "repeated" }> {
  const { chain, tool, callId, callDigest, decisionId, grantId, once } = question;
  const { id: envelopeId, envelope } = leafOf(chain);
  const now = clock(setting);
  // INVARIANT I5: what has run out since it was looked at is forgotten by the store, and could be used again.
  if (once.some(({ until }) => !(until >= now))) throw new Refused("commit", "pop_invalid", "the proof or the approval of the call has run out");
  const reservations = reservationsOf(setting, chain, tool, question.arguments);
  const message = "what the call needs could not be reserved";
  const answer = await orRefuse<CommitAnswer>("commit", "state_unavailable", message, () =>
    setting.state.commit({
      tenantId: envelope.tenantId,
      lineage: chain.lineage,
      envelopeId,
      callId,
      callDigest,
      decisionId,
      toolId: tool.id,
      reservations,
      // INVARIANT I7: a grant never outlives its envelope.
      grant: { id: grantId, expiresAt: Math.min(now + setting.grantLifetime, envelope.expiresAt) },
      once,
      keepUntil: keepUntil(chain),
      labels: { integrity: tool.output, dataClasses: dataClassesOf(tool, question.obligations) },
      now,
    }),
  );
  if (isCommitted(answer, reservations)) return answer;
  if (answer?.status === "exhausted") throw new Refused("commit", "budget_exhausted", `the budget of ${answer.unit} is exhausted; ${answer.remaining} left`);
  if (answer?.status === "used" && question.approvals.has(answer.key)) return question.onApprovalUsed();
  if (answer?.status === "used") throw new Refused("commit", "pop_replayed", "the proof of the call was used before");
  if (answer?.status === "spent") throw new Refused("commit", "grant_replayed", "this call has run already");
  throw new Refused("commit", "state_unavailable", message);
}

/** INVARIANT I8: a store that leaves a reservation out, or answers with something else than was asked for, has reserved nothing. */
function isCommitted(
  answer: CommitAnswer | undefined,
  reservations: readonly Reservation[],
): answer is Extract<CommitAnswer, { readonly status: "committed" | "repeated" }> {
  if (answer?.status !== "committed" && answer?.status !== "repeated") return false;
  const { decisionId, grant, reserved } = answer as Partial<Committed>;
  if (!isText(decisionId) || !isText(grant?.id) || !Number.isSafeInteger(grant.expiresAt)) return false;
  return reservations.every(({ unit, want, atLeast }) => {
    const amount = Object.hasOwn(reserved ?? {}, unit) ? reserved?.[unit] : undefined;
    return Number.isSafeInteger(amount) && (amount as number) >= atLeast && (amount as number) <= want;
  });
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
