import type { CallKey, Commit, CommitAnswer, Committed, Labels, LineageFacts, Settlement } from "@ambit/core";
import { quoted, unquoted } from "./keys.ts";

/** No two pairs have the same key, whatever characters they consist of. */
export function callKey({ envelopeId, callId }: Pick<CallKey, "envelopeId" | "callId">): string {
  return quoted(envelopeId) + quoted(callId);
}

export function commitText(commit: Commit): string {
  return JSON.stringify({
    call: callKey(commit),
    lineage: quoted(commit.lineage),
    digest: quoted(commit.callDigest),
    decision: quoted(commit.decisionId),
    tool: quoted(commit.toolId),
    grant: quoted(commit.grant.id),
    expiresAt: timeOf(commit.grant.expiresAt),
    keepUntil: timeOf(commit.keepUntil),
    now: timeOf(commit.now),
    labels: labelsPart(commit.labels),
    once: commit.once.map(({ key, until }) => ({ key: quoted(key), until: timeOf(until) })),
    reservations: commit.reservations.map(({ unit, want, atLeast, refundable, accounts }) => ({
      unit: quoted(unit),
      want: amountOf(unit, want),
      atLeast: amountOf(unit, atLeast),
      refundable,
      accounts: accounts.map(({ id, limit, window }) => ({
        id: quoted(id),
        limit: amountOf(unit, limit),
        ...(window === undefined ? {} : { window: amountOf(unit, window) }),
      })),
    })),
  });
}

export function usedPart(used: Settlement["used"]): readonly { readonly unit: string; readonly amount: number }[] {
  return Object.entries(used).map(([unit, amount]) => ({ unit: quoted(unit), amount: amountOf(unit, amount) }));
}

/** A negative amount would be a gift to the account, and everything is less than NaN. */
function amountOf(unit: string, amount: number): number {
  if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError(`an amount of ${unit} must be a whole number of at least 0`);
  return amount;
}

/** The last that a `Date` can tell. */
const END_OF_TIME = 8.64e15;

export function timeOf(time: number): number {
  if (Number.isNaN(time)) throw new RangeError("a time must be a number");
  return Math.max(0, Math.min(END_OF_TIME, Math.floor(time)));
}

/** What was reserved, in the order of the reservations, where it is the call that was asked about; of an earlier one all that is kept. */
export type CommitReply =
  | readonly ["committed", ...string[]]
  | readonly ["repeated" | "resumed", decision: string, grant: string, expiresAt: string, ...string[]]
  | readonly ["exhausted", unit: string, remaining: string]
  | readonly ["used", key: string]
  | readonly ["spent"];

export function committed({ decisionId, grant, reservations }: Commit, reply: CommitReply): CommitAnswer {
  switch (reply[0]) {
    case "committed": {
      const [status, ...amounts] = reply;
      const reserved = reservations.map(({ unit }, index) => [unit, Number(amounts[index])] as const);
      return { status, decisionId, grant: { id: grant.id, expiresAt: timeOf(grant.expiresAt) }, reserved: Object.fromEntries(reserved) };
    }
    case "repeated":
    case "resumed": {
      const [status, decision, id, expiresAt, ...parts] = reply;
      return {
        status: status === "repeated" ? status : "committed",
        decisionId: unquoted(decision),
        grant: { id: unquoted(id), expiresAt: Number(expiresAt) },
        reserved: reservedOf(parts),
      };
    }
    case "exhausted":
      return { status: "exhausted", unit: unquoted(reply[1]), remaining: Number(reply[2]) };
    case "used":
      return { status: "used", key: unquoted(reply[1]) };
    case "spent":
      return { status: "spent" };
  }
}

/** Units and amounts, one after the other. */
export function reservedOf(parts: readonly string[]): Committed["reserved"] {
  return Object.fromEntries(parts.flatMap((unit, index) => (index % 2 === 0 ? [[unquoted(unit), Number(parts[index + 1])] as const] : [])));
}

/** As Lua answers labels, classes in their order. */
export function labelsOf(untrusted: string, classes: readonly string[]): Labels {
  return { integrity: untrusted === "1" ? "untrusted" : "trusted", dataClasses: classes.map(unquoted) };
}

export function labelsPart({ integrity, dataClasses }: Labels): { readonly untrusted: boolean; readonly classes: readonly string[] } {
  return { untrusted: integrity === "untrusted", classes: dataClasses.map(quoted) };
}

/** Whether untrusted, calls, previous tool, number of tools, the tools, the classes. */
export type Facts = readonly [string, string, string, number, ...string[]];

export function factsOf([untrusted, calls, previous, tools, ...names]: Facts): LineageFacts {
  return {
    calls: Number(calls),
    toolsUsed: names.slice(0, tools).map(unquoted).sort(),
    previousTool: previous === "" ? null : unquoted(previous),
    labels: labelsOf(untrusted, names.slice(tools).map(unquoted).sort().map(quoted)),
  };
}
