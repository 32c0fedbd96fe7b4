import type { RecordedVerdict } from "./details.ts";
import { textAt, textsAt, verdictOf } from "./details.ts";
import type { HeldEnvelope, History, OpenApproval } from "./history.ts";
import type { LogRecord } from "./record.ts";

/** What was asked for, by the kind of its record. */
export type AskedKind = "call" | "begin" | "hand_off";

/** What is known of a refusal, as far as it tells what would make it legal. */
export interface RefusalFacts {
  readonly code: string;
  readonly kind: AskedKind;
  readonly agent: string;
  readonly tool: string | undefined;
  readonly delegator: string | undefined;
  readonly purpose: string | undefined;
  /** What the decision point said that an operator could change. */
  readonly hint: string | undefined;
  /** The envelopes it was asked under, root first; empty when they are not on the record. */
  readonly chain: readonly HeldEnvelope[];
  readonly hasReadUntrusted: boolean;
  /** What the call may wait for; absent when nobody looked. */
  readonly approvals?: readonly OpenApproval[] | undefined;
}

export interface Asked {
  readonly kind: AskedKind;
  readonly verdict: RecordedVerdict;
  readonly delegator: string | undefined;
  readonly purpose: string | undefined;
  readonly chain: readonly HeldEnvelope[];
}

const KINDS: ReadonlyMap<string, AskedKind> = new Map([
  ["decision", "call"],
  ["begin", "begin"],
  ["hand_off", "hand_off"],
]);

/** What a record says was asked for; `undefined` for a record that is no decision. */
export function askedOf(record: LogRecord, history: History): Asked | undefined {
  const kind = KINDS.get(record.kind);
  if (kind === undefined) return undefined;
  const { details, tenant, envelope } = record;
  const { delegator, chain } = kind === "begin" ? { delegator: textAt(details, "delegator"), chain: [] } : history.ancestryOf(tenant, envelope);
  const purpose = kind === "call" ? chain.at(-1)?.purpose : textAt(details, "purpose");
  return { kind, verdict: verdictOf(record), delegator, purpose, chain };
}

/** The facts of a record that refuses; `undefined` for any other. The record must not be in the history yet, or nothing after it. */
export function refusalFacts(record: LogRecord, history: History): RefusalFacts | undefined {
  const asked = verdictOf(record) === "permit" ? undefined : askedOf(record, history);
  if (asked === undefined) return undefined;
  const { details, agent, tenant, lineage } = record;
  const { kind, delegator, purpose, chain } = asked;
  const code = textAt(details, "code") ?? "unknown";
  return {
    code,
    kind,
    agent,
    tool: kind === "call" ? textAt(details, "tool") : textsAt(details, "allowed_tools")[0],
    delegator,
    purpose,
    hint: textAt(details, "hint"),
    chain,
    hasReadUntrusted: history.hasReadUntrusted(tenant, lineage),
    ...(code === "approval_required" ? { approvals: history.openApprovals(record) } : {}),
  };
}
