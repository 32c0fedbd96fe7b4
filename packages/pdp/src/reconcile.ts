import { AmbitError, isIdentifier, type Reconciliation, type StartedCall, type UnsettledCall } from "@ambit/core";
import { clock } from "./clock.ts";
import { orRefuse, Refused } from "./refusal.ts";
import type { Setting } from "./setting.ts";
import { noteExceeded } from "./steps/exceeded.ts";
import { record } from "./steps/log.ts";

/** What a person found out about a call of which nobody said how it ended. */
export interface CallReconciliation extends Pick<Reconciliation, "tenantId" | "envelopeId" | "callId" | "outcome"> {
  /** With `done`: what was really used, by unit. Default: all that was reserved. */
  readonly used?: Reconciliation["used"] | undefined;
  /** Also a call that was started within the last 15 minutes, and of which nothing was heard: whoever ran it is known to be gone. @defaultValue false */
  readonly force?: boolean | undefined;
  /** Who says so, for the record. */
  readonly by: string;
  readonly reason?: string | undefined;
}

/** A page of unsettled calls. */
export interface UnsettledPage {
  /** The last call of the page before. */
  readonly after?: Pick<UnsettledCall, "envelopeId" | "callId"> | undefined;
  /** @defaultValue 100 */
  readonly limit?: number | undefined;
}

/** Milliseconds within which a call of which nothing was heard may still be running. */
const MAY_RUN = 900_000;

/** Calls of a tenant that hold what they reserved because nobody has said how they ended; a page of at most 1,000. Throws `option_invalid`, `state_unavailable`. */
export async function unsettled(setting: Setting, tenantId: string, { after, limit = 100 }: UnsettledPage = {}): Promise<readonly UnsettledCall[]> {
  if (!isIdentifier(tenantId) || !Number.isSafeInteger(limit) || limit < 1 || limit > 1000)
    throw new AmbitError("option_invalid", "unsettled calls are those of a tenant, 1 to 1000 at a time");
  return orRefuse("commit", "state_unavailable", "the calls cannot be told", () => setting.state.unsettled(tenantId, after, limit));
}

/**
 * Settles a call that nobody else settles: `done` with what was used, `not_run` with nothing, so that it may be asked again under its id. Saying the same again changes
 * nothing and is on the record again.
 *
 * Throws `grant_replayed` for a call that is not there, was never started (what it holds ends with its grant) or has ended otherwise; `call_running` for one that may still
 * be running, unless `force` says that it is not; `option_invalid` for what it cannot be told; `state_unavailable` and `log_unavailable` when it cannot be done or
 * recorded; done and not recorded, it stays done.
 */
export async function reconcile(setting: Setting, asked: CallReconciliation): Promise<StartedCall> {
  const { tenantId, envelopeId, callId, outcome, used = {}, force = false, by, reason } = asked;
  check(asked);
  const startedBefore = force ? Number.MAX_SAFE_INTEGER : clock(setting) - MAY_RUN;
  const answer = await orRefuse("commit", "state_unavailable", "the call could not be reconciled", () =>
    setting.state.reconcile({ tenantId, envelopeId, callId, outcome, used, startedBefore }),
  );
  if (answer.status === "running")
    throw new AmbitError("call_running", "the call was started less than 15 minutes ago and may still be running", { hint: "say that it is not: `force`" });
  if (answer.status === "unreserved") throw new AmbitError("option_invalid", `the call reserved nothing of \`${answer.unit}\``);
  if (answer.status === "none") throw new AmbitError("grant_replayed", "there is no such call that waits to be reconciled");
  if (answer.status !== "reconciled" && answer.status !== "repeated") throw new Refused("commit", "state_unavailable", "the call could not be reconciled");
  const { call } = answer;
  // Whose call it was stands on the record of its decision.
  const party = { tenant: tenantId, task: "unknown", lineage: call.lineage, envelope: envelopeId, agent: "unknown" };
  const isRepeated = answer.status === "repeated";
  await record(setting, "reconcile", party, call.decisionId, {
    call_id: callId,
    tool: call.toolId,
    status: outcome,
    reserved: call.reserved,
    used: asked.used,
    exceeded: noteExceeded(setting, isRepeated ? {} : used, call.reserved),
    by,
    reason,
    forced: force ? true : undefined,
    repeated: isRepeated ? true : undefined,
  });
  return call;
}

function check({ tenantId, envelopeId, callId, outcome, used = {}, force = false, by, reason }: CallReconciliation): void {
  const fail = (message: string): never => {
    throw new AmbitError("option_invalid", message);
  };
  if (!isIdentifier(tenantId) || !isIdentifier(by) || !isText(envelopeId) || !isText(callId))
    fail("a reconciliation names its tenant, the envelope, the call, and who says so");
  if ((outcome !== "done" && outcome !== "not_run") || typeof force !== "boolean" || (reason !== undefined && !isText(reason)))
    fail("a call is reconciled as `done` or `not_run`");
  const amounts = typeof used === "object" && used !== null ? Object.values(used) : [Number.NaN];
  if (!amounts.every((amount) => Number.isSafeInteger(amount) && amount >= 0)) fail("what was used must be whole numbers of at least 0, by unit");
  if (outcome === "not_run" && amounts.length > 0) fail("a call that never ran used nothing");
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= 2048;
}
