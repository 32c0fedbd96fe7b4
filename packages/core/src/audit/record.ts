import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";

export const RECORD_VERSION = 1;

/** What a record is about. A crash between a decision and its outcome stays visible: the outcome is missing. */
export type RecordKind =
  | "begin"
  | "hand_off"
  | "decision"
  | "outcome"
  | "reconcile"
  | "end"
  | "revoke"
  | "approval_request"
  | "approval_notice"
  | "approval_answer"
  | "policy_load"
  | "security_event"
  | "refusals";

/** What the decision point wants written; the log adds its place in the chain. */
export interface RecordBody {
  readonly kind: RecordKind;
  readonly tenant: string;
  readonly task: string;
  readonly lineage: string;
  readonly envelope: string;
  readonly agent: string;
  readonly decision_id: string;
  /** Members of the kind. Digests and facts; no argument, no result, no secret (I10). */
  readonly details: JsonObject;
}

/** One line of the log, canonical JSON. */
export interface LogRecord extends RecordBody {
  readonly v: typeof RECORD_VERSION;
  readonly log: string;
  readonly seq: number;
  /** ISO 8601. */
  readonly ts: string;
  /** Hash of the record before this one; of the log's id at the start. */
  readonly prev: string;
}

const TEXT_MEMBERS = ["kind", "tenant", "task", "lineage", "envelope", "agent", "decision_id", "log", "ts", "prev"] as const;

/** Whether data has what every record has; asked before a line is written and when it is read, so that no log holds what cannot be verified. */
export function isLogRecord(data: Json): data is Json & LogRecord {
  if (!isJsonObject(data) || own(data, "v") !== RECORD_VERSION || !Number.isSafeInteger(own(data, "seq"))) return false;
  return TEXT_MEMBERS.every((member) => typeof own(data, member) === "string") && isJsonObject(own(data, "details"));
}

/** Where a record stands; whoever keeps it can show later that the record is missing. */
export interface Receipt {
  readonly log: string;
  readonly seq: number;
  readonly hash: string;
}

/** Where decisions are written. `append` resolves when the record is durable; a rejection is a deny (`log_unavailable`). */
export interface DecisionLog {
  append(body: RecordBody): Promise<Receipt>;
}
