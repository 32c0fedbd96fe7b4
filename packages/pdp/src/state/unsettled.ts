import type { CallKey, Reconciliation, ReconcileAnswer, StartedCall, UnsettledCall } from "@ambit/core";
import { callKeyOf, checkUsed, close, usedOf, type Call, type Rows } from "./ledger.ts";

/** A call of which nobody has said how it ended: it may still run, or nobody knows. */
export const UNSETTLED: readonly Call["phase"][] = ["redeemed", "rerun", "unknown"];

/** The same to a database, which uses its index only where it is asked in its words. */
export const IS_UNSETTLED = "phase IN ('redeemed', 'rerun', 'unknown')";

/** Milliseconds for which a lineage is kept beyond its time while a call of it waits to be reconciled. */
export const KEEP_UNSETTLED = 2_592_000_000;

type CallName = Pick<CallKey, "envelopeId" | "callId">;

/** Unsettled calls in the order of their names, up to `limit` after another one. */
export function unsettledIn({ calls }: Rows, after: CallName | undefined, limit: number): readonly UnsettledCall[] {
  const found = [...calls].flatMap(([key, call]) => (UNSETTLED.includes(call.phase) ? [unsettledCall(key, call)] : []));
  const isAfter = (call: CallName): boolean => after === undefined || compare(call, after) > 0;
  return found.filter(isAfter).toSorted(compare).slice(0, limit);
}

/** INVARIANT I5, I6: whoever runs this must run it as a transaction. */
export function reconcileCall(rows: Rows, { outcome, used, startedBefore, ...name }: Reconciliation): ReconcileAnswer {
  checkUsed(used);
  const key = callKeyOf(name);
  const call = rows.calls.get(key);
  if (call === undefined) return { status: "none" };
  const said = saidOf({ outcome, used });
  if (call.reconciled === said) return { status: "repeated", call: startedCall(key, call) };
  if (!UNSETTLED.includes(call.phase)) return { status: "none" };
  if (call.phase !== "unknown" && !(call.startedAt < startedBefore)) return { status: "running" };
  const unit = Object.keys(used).find((one) => !Object.hasOwn(call.committed.reserved, one));
  if (unit !== undefined) return { status: "unreserved", unit };
  for (const debit of call.debits) close(rows, debit, outcome === "done" ? usedOf(debit, used) : 0);
  call.phase = outcome === "done" ? "settled" : "not_run";
  call.reconciled = said;
  return { status: "reconciled", call: startedCall(key, call) };
}

/** What a person says of a call, as a text: the same for the same. */
export function saidOf({ outcome, used }: Pick<Reconciliation, "outcome" | "used">): string {
  return JSON.stringify([outcome, ...Object.entries(used).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

export function unsettledCall(key: string, call: Call): UnsettledCall {
  return { ...startedCall(key, call), state: call.phase === "unknown" ? "unknown" : "running" };
}

function startedCall(key: string, { lineage, committed, toolId, startedAt }: Call): StartedCall {
  const [envelopeId, callId] = JSON.parse(key) as [string, string];
  return { envelopeId, callId, lineage, decisionId: committed.decisionId, toolId, reserved: committed.reserved, startedAt };
}

function compare(a: CallName, b: CallName): number {
  const [left, right] = a.envelopeId === b.envelopeId ? [a.callId, b.callId] : [a.envelopeId, b.envelopeId];
  return left < right ? -1 : left > right ? 1 : 0;
}
