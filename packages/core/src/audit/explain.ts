import type { Step } from "../pdp/decision.ts";
import { concernedBy } from "./concerned.ts";
import { isObserved, textAt, type RecordedVerdict } from "./details.ts";
import { createHistory, issuedBy, type HeldEnvelope } from "./history.ts";
import type { LogRecord } from "./record.ts";
import { askedOf, refusalFacts, type Asked } from "./refusal-facts.ts";
import { smallestChange } from "./smallest-change.ts";
import { underEnvelope, type UnderEnvelope } from "./under-envelope.ts";

/** A step of the one path, and how far the question came. */
export interface StepState {
  readonly step: string;
  readonly state: "passed" | "failed" | "not_reached";
}

/** Why something was decided as it was, from the log alone. Texts are those of the log, which may be hostile. */
export interface Explanation {
  /** What the id stands for. */
  readonly about: "decision" | "call" | "envelope" | "approval" | "record";
  readonly record: LogRecord;
  /** Absent where the record is no decision. */
  readonly asked?: Asked & { readonly above: readonly HeldEnvelope[] };
  readonly verdict?: RecordedVerdict;
  /** Whether it was only decided, not enforced. */
  readonly isObserved: boolean;
  readonly steps: readonly StepState[];
  /** What had ended or revoked the envelope before it was asked, where that is why. */
  readonly because: readonly LogRecord[];
  /** Other decisions of the same call, or of whatever call goes by the id that was asked for; oldest first. */
  readonly sameCall: readonly LogRecord[];
  /** What is recorded of it later, oldest first: the outcome, answers, ends, revocations. */
  readonly afterwards: readonly LogRecord[];
  /** Records of `sameCall` and `afterwards` that are left out. */
  readonly omitted: number;
  /** What was asked for under the envelope that it gave out. */
  readonly under?: UnderEnvelope;
  /** The smallest change that would make it legal; absent for a permit and for a code that this version does not know. */
  readonly change?: string;
}

const CALL_STEPS: readonly Step[] = ["call", "envelope", "constraint", "intent", "policy", "approval", "commit", "log"];
const ISSUE_STEPS: readonly Step[] = ["envelope", "constraint", "intent", "policy", "commit", "log"];
const MOST_EVENTS = 50;

/**
 * Explains the decision, call, envelope, request for approval or other record of an id; `undefined` when there is none. Ids compare exactly. A call id that was decided more than
 * once is explained by its last decision.
 */
export function explain(records: readonly LogRecord[], id: string): Explanation | undefined {
  const found = find(records, id);
  if (found === undefined) return undefined;
  const { about, at } = found;
  const record = records[at] as LogRecord;
  const history = createHistory();
  // The record itself counts too: the request that it waits for stands before it, and what it gave out is what comes after it.
  for (const earlier of records.slice(0, at)) history.add(earlier);
  const asked = askedOf(record, history);
  const facts = refusalFacts(record, history);
  const change = facts === undefined ? undefined : smallestChange(facts);
  const concerned = concernedBy(record, history);
  const given = issuedBy(record);
  const isRevoked = textAt(record.details, "code") === "envelope_revoked";
  const because = isRevoked ? records.slice(0, at).filter((earlier) => concerned.stops(earlier)) : [];
  const later = records.slice(at + 1).filter((next) => concerned.follows(next) || concerned.stops(next));
  const isSame = (other: LogRecord): boolean => concerned.isSameCall(other) || (about === "call" && isCallOf(other, id));
  const same = concerned.callId === undefined ? [] : records.filter((other, index) => index !== at && isSame(other));
  return {
    about,
    record,
    ...(asked === undefined ? {} : { asked: { ...asked, above: asked.chain.slice(0, -1) }, verdict: asked.verdict }),
    isObserved: isObserved(record),
    steps: asked === undefined ? [] : stepsOf(record, asked),
    because: because.slice(-MOST_EVENTS),
    sameCall: same.slice(-MOST_EVENTS),
    afterwards: later.slice(0, MOST_EVENTS),
    omitted: Math.max(0, same.length - MOST_EVENTS) + Math.max(0, later.length - MOST_EVENTS),
    ...(given === undefined ? {} : { under: underEnvelope(records, record.tenant, given.envelope) }),
    ...(change === undefined ? {} : { change }),
  };
}

function find(records: readonly LogRecord[], id: string): { readonly about: Explanation["about"]; readonly at: number } | undefined {
  const at = (is: (record: LogRecord) => boolean): number => records.findIndex(is);
  const decided = at((record) => record.decision_id === id && isDecision(record));
  if (decided !== -1) return { about: "decision", at: decided };
  const requested = at(({ decision_id, kind }) => decision_id === id && kind === "approval_request");
  if (requested !== -1) return { about: "approval", at: requested };
  const given = at((record) => issuedBy(record)?.envelope === id);
  if (given !== -1) return { about: "envelope", at: given };
  const called = records.findLastIndex((record) => isCallOf(record, id));
  if (called !== -1) return { about: "call", at: called };
  const other = at(({ decision_id }) => decision_id === id);
  return other === -1 ? undefined : { about: "record", at: other };
}

/** INVARIANT I14: the id on the record is envelope, turn and the framework's own id; that one alone is enough, whole. */
function isCallOf({ kind, details }: LogRecord, id: string): boolean {
  const callId = kind === "decision" ? textAt(details, "call_id") : undefined;
  return callId !== undefined && (callId === id || callId.split("/").slice(-id.split("/").length).join("/") === id);
}

function isDecision({ kind }: LogRecord): boolean {
  return kind === "decision" || kind === "begin" || kind === "hand_off";
}

/** How far it came. A step that the record does not name, or names and nobody knows, leaves all of them open. */
function stepsOf({ details }: LogRecord, { kind, verdict }: Asked): readonly StepState[] {
  const path = kind === "call" ? CALL_STEPS : ISSUE_STEPS;
  if (verdict === "permit") return path.map((step) => ({ step, state: "passed" }));
  const failed = path.findIndex((step) => step === textAt(details, "step"));
  return path.map((step, index) => ({ step, state: failed === index ? "failed" : index < failed ? "passed" : "not_reached" }));
}
