import { textAt } from "./details.ts";
import { issuedBy, type History } from "./history.ts";
import type { LogRecord } from "./record.ts";

/** Which other records have to do with one. */
export interface Concerned {
  readonly callId: string | undefined;
  isSameCall(other: LogRecord): boolean;
  /** Whether a later record is about the same thing. */
  follows(later: LogRecord): boolean;
  /** Whether a record ends or revokes what it was asked under, or what it gave out. */
  stops(other: LogRecord): boolean;
}

/** The history ends before the record. INVARIANT I12: only records of the same tenant say anything about it. */
export function concernedBy(record: LogRecord, history: History): Concerned {
  const { tenant, lineage, details, kind, decision_id: id } = record;
  const given = issuedBy(record);
  const { delegator, session, chain } = history.ancestryOf(tenant, record.envelope);
  const envelopes = new Set([...chain.map(({ envelope }) => envelope), given?.envelope ?? record.envelope]);
  const agents = new Set([...chain.map(({ agent }) => agent), given?.agent ?? record.agent]);
  const behalf = delegator ?? given?.delegator;
  const within = session ?? given?.session;
  const callId = kind === "decision" ? textAt(details, "call_id") : undefined;
  const waitsFor = new Set(history.openApprovals(record).map((approval) => approval.id));
  const tool = textAt(details, "tool");

  const isRevokedBy = (other: LogRecord): boolean => {
    const [scope, name] = [textAt(other.details, "scope"), textAt(other.details, "id")];
    if (scope === "tenant") return true;
    if (name === undefined) return false;
    if (scope === "task") return record.task === name || isPartOf(record.task, name);
    if (scope === "envelope") return envelopes.has(name);
    if (scope === "agent") return agents.has(name);
    return scope === "session" ? within === name : scope === "delegator" && behalf === name;
  };

  return {
    callId,
    isSameCall: (other) =>
      other.kind === "decision" && other.tenant === tenant && other.envelope === record.envelope && textAt(other.details, "call_id") === callId,
    follows: (later) => {
      if (later.tenant !== tenant) return false;
      if (later.decision_id === id) return true;
      if (later.kind === "approval_answer") return textAt(details, "code") === "approval_required" && waitsFor.has(later.decision_id);
      // The record of a decision does not say which request it waited for: those of the tool, by the agent that asked.
      return (
        kind === "approval_request" &&
        later.kind === "decision" &&
        later.lineage === lineage &&
        later.agent === record.agent &&
        textAt(later.details, "tool") === tool
      );
    },
    stops: (other) => other.tenant === tenant && ((other.kind === "end" && envelopes.has(other.envelope)) || (other.kind === "revoke" && isRevokedBy(other))),
  };
}

/** Segment by segment: `task_1` is no part of `task_10`. */
function isPartOf(task: string, whole: string): boolean {
  const [parts, wholes] = [task.split("/"), whole.split("/")];
  return wholes.every((part, index) => parts[index] === part);
}
