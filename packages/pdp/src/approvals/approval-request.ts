import { digestOf, own, type Json, type JsonObject } from "@ambit/core";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import type { Demand } from "./demand.ts";

/** A call that waits for people, with what they have to know to answer. */
export interface ApprovalRequest {
  /** Of everything that the answer is about: a call that differs in anything is another request. */
  readonly binding: string;
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
  readonly tool: string;
  readonly effect: ToolEntry["effect"];
  readonly sendsOutside: boolean;
  /** What exactly. It is what a person has to see, so it is kept as it is, until the request is dropped. */
  readonly arguments: JsonObject;
  readonly demands: readonly Demand[];
}

/**
 * INVARIANT I5: the lineage, the holder and its key, the very arguments, and the definition of the tool as it is now. Not the envelope: an approval outlives a
 * renewal.
 */
export function approvalRequest(
  chain: Chain,
  tool: ToolEntry,
  call: { readonly name: string; readonly server?: string | undefined; readonly definition?: string | undefined; readonly arguments: JsonObject },
  demands: readonly Demand[],
): ApprovalRequest {
  const { envelope, holder } = leafOf(chain);
  const { tenantId, delegatorId, agentId, taskId, purpose } = envelope;
  const about: JsonObject = {
    tenant: tenantId,
    lineage: chain.lineage,
    delegator: delegatorId,
    agent: agentId,
    holder: holder ?? null,
    purpose,
    tool: tool.id,
    name: call.name,
    server: call.server ?? null,
    definition: call.definition ?? null,
    arguments: call.arguments,
    demands: demands.map(wireDemand),
  };
  return {
    binding: digestOf(about).slice("sha-256:".length),
    tenantId,
    lineage: chain.lineage,
    taskId,
    purpose,
    delegatorId,
    agentId,
    above: chain.links.slice(0, -1).map((link) => link.envelope.agentId),
    tool: tool.id,
    effect: tool.effect,
    sendsOutside: tool.sendsOutside,
    arguments: call.arguments,
    demands,
  };
}

function wireDemand({ needed, by, fourEyes }: Demand): JsonObject {
  return { needed, by, four_eyes: fourEyes };
}

/** As it is stored. */
export function writeRequest({ demands, ...rest }: ApprovalRequest): JsonObject {
  return { ...rest, demands: demands.map(({ needed, by, fourEyes }) => ({ needed, by, fourEyes })) };
}

/** What `writeRequest` wrote; whoever can write to the store could write anything, and what is decided by it is bound by digest and signature. */
export function readRequest(content: JsonObject): ApprovalRequest {
  return own(content, "request") as Json as unknown as ApprovalRequest;
}
