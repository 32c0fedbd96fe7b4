import type { LogRecord } from "../audit/record.ts";
import { canonicalJson } from "../data/canonical.ts";
import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import type { CallNode, ExecutionGraph, GraphEdge, GraphNode, TaskNode } from "./execution-graph.ts";

/** More nodes than anybody can look at, fewer than any program minds. */
const MAX_NODES = 5000;

/**
 * The execution graph of a verified log, or of a part of it. Reads records defensively: what a record lacks is missing from the graph, and a
 * decision that is not recorded as a permit is a deny.
 */
export function graphFromRecords(records: readonly LogRecord[]): ExecutionGraph {
  const nodes = new Map<string, GraphNode>();
  const edges = new Map<string, GraphEdge>();
  let omitted = 0;

  const add = (node: GraphNode): boolean => {
    if (nodes.size >= MAX_NODES && !nodes.has(node.id)) return false;
    if (!nodes.has(node.id)) nodes.set(node.id, Object.freeze(node));
    return true;
  };
  const link = (kind: GraphEdge["kind"], from: string, to: string): void => {
    if (nodes.has(from) && nodes.has(to)) edges.set(canonicalJson([kind, from, to]), Object.freeze({ kind, from, to }));
  };
  const agentOf = (record: LogRecord, agent: string): string => {
    const id = idOf("agent", record, agent);
    add({ kind: "agent", id, ...placeOf(record), agent });
    return id;
  };

  const place = (record: LogRecord): boolean => {
    const details = isJsonObject(record.details) ? record.details : {};
    switch (record.kind) {
      case "begin": {
        const task = taskOf(record, details);
        if (!add(task)) return false;
        link("caused_by", agentOf(record, record.agent), task.id);
        return true;
      }
      case "decision": {
        const agent = agentOf(record, record.agent);
        const call = callOf(record, details);
        if (!add(call)) return false;
        link("caused_by", call.id, agent);
        return true;
      }
      case "outcome":
      case "reconcile": {
        const call = nodes.get(idOf("call", record, record.decision_id));
        if (call?.kind !== "call" || call.verdict !== "permit" || (call.status ?? "unknown") !== "unknown") return false;
        nodes.set(call.id, Object.freeze({ ...call, ...outcomeOf(details) }));
        return true;
      }
      case "hand_off":
        return placeHandOff(record, details);
      case "end": {
        const task = nodes.get(idOf("task", record, record.envelope));
        if (task?.kind === "task") nodes.set(task.id, Object.freeze({ ...task, endedAt: record.ts }));
        return true; // of a hand-off: its envelope has no node of its own
      }
      default:
        return false;
    }
  };

  const placeHandOff = (record: LogRecord, details: JsonObject): boolean => {
    const from = agentOf(record, textAt(details, "from") ?? record.agent);
    const to = agentOf(record, textAt(details, "to") ?? "unknown");
    const id = idOf("hand_off", record, record.decision_id);
    const purpose = textAt(details, "purpose") ?? "unknown";
    if (!add({ kind: "hand_off", id, ...placeOf(record), ...decidedOf(record, details), purpose, allowedTools: textsAt(details, "allowed_tools") }))
      return false;
    link("caused_by", id, from);
    link("delegated_to", id, to);
    listAt(details, "excerpts").forEach((excerpt, index) => {
      if (!isJsonObject(excerpt)) return;
      const excerptId = idOf("excerpt", record, record.decision_id, index);
      add({ kind: "excerpt", id: excerptId, ...placeOf(record), label: textAt(excerpt, "label") ?? "unknown", dataClasses: textsAt(excerpt, "data_classes") });
      link("carried", id, excerptId);
    });
    return true;
  };

  for (const record of records) if (!place(record)) omitted += 1;
  return Object.freeze({ nodes: Object.freeze([...nodes.values()]), edges: Object.freeze([...edges.values()]), omitted });
}

/** INVARIANT I12: the tenant is part of every key. */
function idOf(kind: GraphNode["kind"], record: LogRecord, ...rest: readonly Json[]): string {
  return canonicalJson([kind, record.tenant, record.lineage, ...rest]);
}

function placeOf(record: LogRecord): { readonly tenant: string; readonly lineage: string; readonly at: string } {
  return { tenant: record.tenant, lineage: record.lineage, at: record.ts };
}

function decidedOf(record: LogRecord, details: JsonObject): Pick<CallNode, "decisionId" | "verdict" | "code" | "message"> {
  const decision = own(details, "decision");
  const verdict = decision === "permit" || decision === "approval_required" ? decision : "deny";
  return { decisionId: record.decision_id, verdict, ...present("code", textAt(details, "code")), ...present("message", textAt(details, "message")) };
}

function taskOf(record: LogRecord, details: JsonObject): TaskNode {
  const decided = decidedOf(record, details);
  return {
    kind: "task",
    // A refused task has no envelope of its own to be known by.
    id: decided.verdict === "permit" ? idOf("task", record, record.envelope) : idOf("task", record, record.envelope, record.decision_id),
    ...placeOf(record),
    ...decided,
    task: record.task,
    delegator: textAt(details, "delegator") ?? "unknown",
    purpose: textAt(details, "purpose") ?? "unknown",
  };
}

function callOf(record: LogRecord, details: JsonObject): CallNode {
  return {
    kind: "call",
    id: idOf("call", record, record.decision_id),
    ...placeOf(record),
    ...decidedOf(record, details),
    tool: textAt(details, "tool") ?? "unknown",
    ...present("effect", textAt(details, "effect")),
    ...present("step", textAt(details, "step")),
    dataClasses: textsAt(details, "data_classes"),
  };
}

function outcomeOf(details: JsonObject): Partial<CallNode> {
  const records = own(details, "records");
  return {
    status: textAt(details, "status") ?? "unknown",
    ...present("records", typeof records === "number" ? records : undefined),
    ...present("integrity", textAt(details, "integrity")),
    ...(own(details, "data_classes") === undefined ? {} : { dataClasses: textsAt(details, "data_classes") }),
  };
}

function present<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [member in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [member in Name]: Value });
}

function textAt(details: JsonObject, member: string): string | undefined {
  const value = own(details, member);
  return typeof value === "string" ? value : undefined;
}

function listAt(details: JsonObject, member: string): readonly Json[] {
  const value = own(details, member);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function textsAt(details: JsonObject, member: string): readonly string[] {
  return Object.freeze(listAt(details, member).filter((element) => typeof element === "string"));
}
