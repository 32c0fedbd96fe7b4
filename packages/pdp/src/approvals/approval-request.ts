import { digestOf, isIdentifier, type Json, type JsonObject } from "@ambit/core";
import type { Reader } from "../config/reader.ts";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { readChanges, writeChanges, type Changes } from "./changes.ts";
import { readDemand, writeDemand, type Demand } from "./demand.ts";

/** A call that waits for people: everything that an answer is about, and all that they have to know to give one (spec/approval.md). */
export interface ApprovalRequest {
  readonly tenantId: string;
  readonly lineage: string;
  readonly taskId: string;
  readonly purpose: string;
  /** For whom. */
  readonly delegatorId: string;
  /** Who wants to. */
  readonly agentId: string;
  /** The agents above it, from the first; empty when it has the task from the delegator itself. */
  readonly above: readonly string[];
  /** Thumbprint of its key; absent behind a handle, which no other process has. */
  readonly holder: string | undefined;
  readonly tool: string;
  /** The exact name that it is called by, and at which server. */
  readonly name: string;
  readonly server: string | undefined;
  /** Digest of its definition, where the framework tells one. */
  readonly definition: string | undefined;
  /** What exactly. It is what a person has to see, so it is kept as it is, until the request is dropped. */
  readonly arguments: JsonObject;
  readonly changes: Changes;
  readonly demands: readonly Demand[];
}

/** What the call of an agent asks people for. */
export function approvalRequest(
  chain: Chain,
  { id: tool }: Pick<ToolEntry, "id">,
  call: { readonly name: string; readonly server?: string | undefined; readonly definition?: string | undefined; readonly arguments: JsonObject },
  changes: Changes,
  demands: readonly Demand[],
): ApprovalRequest {
  const { envelope, holder } = leafOf(chain);
  const { tenantId, delegatorId, agentId, taskId, purpose } = envelope;
  return {
    tenantId,
    lineage: chain.lineage,
    taskId,
    purpose,
    delegatorId,
    agentId,
    above: chain.links.slice(0, -1).map((link) => link.envelope.agentId),
    holder,
    tool,
    name: call.name,
    server: call.server,
    definition: call.definition,
    arguments: call.arguments,
    changes,
    demands,
  };
}

const TYPE = "urn:ambit:approval:1";

/** As it is stored, shown and digested. */
export function writeRequest(request: ApprovalRequest): JsonObject {
  return {
    type: TYPE,
    tenant_id: request.tenantId,
    lineage: request.lineage,
    task_id: request.taskId,
    purpose: request.purpose,
    delegator_id: request.delegatorId,
    agent_id: request.agentId,
    above: request.above,
    holder: request.holder ?? null,
    tool: request.tool,
    name: request.name,
    server: request.server ?? null,
    definition: request.definition ?? null,
    arguments: request.arguments,
    changes: writeChanges(request.changes),
    demands: request.demands.map(writeDemand),
  };
}

/** Reads what `writeRequest` writes. Refuses a member that nobody would be shown. */
export function readRequest(reader: Reader): ApprovalRequest {
  const names = ["type", "tenant_id", "lineage", "task_id", "purpose", "delegator_id", "agent_id", "above", "holder", "tool", "name", "server", "definition"];
  reader.members([...names, "arguments", "changes", "demands"]);
  reader.at("type").oneOf(TYPE);
  const text = (member: string): string => reader.at(member).text();
  const textOrNone = (member: string): string | undefined => (reader.at(member).value === null ? undefined : text(member));
  return {
    tenantId: text("tenant_id"),
    lineage: text("lineage"),
    taskId: text("task_id"),
    purpose: text("purpose"),
    delegatorId: text("delegator_id"),
    agentId: text("agent_id"),
    above: reader
      .at("above")
      .elements()
      .map((agent) => agent.textThat(isIdentifier, "the id of an agent")),
    holder: textOrNone("holder"),
    tool: text("tool"),
    name: text("name"),
    server: textOrNone("server"),
    definition: textOrNone("definition"),
    arguments: reader.at("arguments").object(),
    changes: readChanges(reader.at("changes")),
    demands: reader.at("demands").elements().map(readDemand),
  };
}

/**
 * INVARIANT I5: the lineage, the holder and its key, the very arguments, the definition of the tool as it is now, and everything else that a person is shown. Not the
 * envelope: an approval outlives a renewal.
 */
export function bindingOf(request: ApprovalRequest): string {
  return digestOf(writeRequest(request) as Json).slice("sha-256:".length);
}
