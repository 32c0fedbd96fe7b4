import type { Answer } from "../approvals/answer.ts";
import { bindingOf } from "../approvals/approval-request.ts";
import type { Approval } from "../approvals/approval.ts";
import { writeDemand } from "../approvals/demand.ts";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import type { Setting } from "../setting.ts";
import { partyOf, record } from "./log.ts";

/** INVARIANT I10: who is asked for what; the arguments stay with the request, which is dropped in time. */
export async function recordApproval(setting: Setting, chain: Chain, { id, request, expiresAt }: Approval): Promise<void> {
  const { tool, demands } = request;
  await record(setting, "approval_request", partyOf(chain, leafOf(chain).envelope.agentId), id, {
    tool,
    binding: bindingOf(request),
    demands: demands.map(writeDemand),
    expires_at: new Date(expiresAt).toISOString(),
  });
}

/** Somebody was to be told of a request and was not. Only the host of where: an address may let somebody in. */
export async function recordUntold(setting: Pick<Setting, "log">, { id, request }: Approval, host: string, details: object): Promise<void> {
  const { tenantId, taskId, lineage, agentId } = request;
  const party = { tenant: tenantId, task: taskId, lineage, envelope: "any", agent: agentId };
  await record(setting, "approval_notice", party, id, { tool: request.tool, channel: "webhook", host, ...details });
}

export async function recordAnswer(setting: Setting, { id, request, status }: Approval, answer: Answer, assertedBy: string): Promise<void> {
  const { tenantId, taskId, lineage, agentId } = request;
  const party = { tenant: tenantId, task: taskId, lineage, envelope: "any", agent: agentId };
  const { approver, decision, key } = answer;
  await record(setting, "approval_answer", party, id, {
    tool: request.tool,
    binding: bindingOf(request),
    approver,
    decision,
    status,
    asserted_by: assertedBy,
    key: key.thumbprint,
  });
}
