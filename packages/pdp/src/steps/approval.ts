import type { AccessRequest, OnceKey } from "@ambit/core";
import { approvalRequest, type ApprovalRequest } from "../approvals/approval-request.ts";
import type { Approval } from "../approvals/approval.ts";
import { onceKeyOf, requestApproval, spendApproval } from "../approvals/approvals.ts";
import { tellAll } from "../approvals/channel.ts";
import { demandsOn } from "../approvals/demand.ts";
import { countRequest } from "../approvals/request-count.ts";
import { clock } from "../clock.ts";
import { keepUntil, leafOf, type Chain } from "../envelopes/chain.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { recordApproval } from "./approval-record.ts";
import { budgetLeft } from "./budget-left.ts";
import { changesOf } from "./changes.ts";

/** What a call uses up of approvals, and what to do when somebody else was faster. */
export interface Approved {
  readonly once: readonly OnceKey[];
  /** Asks anew, because the approval was used for another call of the kind. Always refuses. */
  readonly askAgain: () => Promise<never>;
}

const NONE: Approved = Object.freeze({
  once: Object.freeze([]),
  askAgain: () => Promise.reject(new Refused("approval", "approval_invalid", "the approval was used before")),
});

/**
 * Step 5: calls that the envelope or a rule wants approved wait for an approval of this very call. Everything before it is asked again when the call comes back, so an
 * approval never stands for a permit.
 */
export async function checkApproval(setting: Setting, chain: Chain, tool: ToolEntry, request: AccessRequest): Promise<Approved> {
  const { approvals } = setting;
  const demands = demandsOn(approvals?.rules ?? [], leafOf(chain).envelope, tool);
  if (demands.length === 0) return NONE;
  if (approvals === undefined)
    throw new Refused("approval", "approval_required", `\`${tool.id}\` needs an approval, and there is nobody configured to give one`);
  // What runs anyway nobody is asked about.
  if (request.context.mode === "observe") throw new Refused("approval", "approval_required", `\`${tool.id}\` would wait for an approval`);
  const { name, properties } = request.action;
  const { arguments: args } = request.context;
  const asked = approvalRequest(chain, tool, { name, ...properties, arguments: args }, changesOf(tool, args), demands);
  const approval = await ask(setting, chain, tool, asked);
  return {
    // Longer than anybody could still answer the request, and as long as the lineage.
    once: [onceKeyOf(approval, Math.max(keepUntil(chain), approval.expiresAt + 2 * approvals.lifetime))],
    askAgain: async () => {
      await orRefuse("approval", "state_unavailable", UNTOLD, () => spendApproval(approvals, asked));
      await ask(setting, chain, tool, asked);
      throw new Refused("approval", "approval_invalid", "the approval was used before");
    },
  };
}

const UNTOLD = "it cannot be told whether the call was approved";

/** The approval of this call; refuses while there is none. */
async function ask(setting: Setting, chain: Chain, tool: ToolEntry, asked: ApprovalRequest): Promise<Approval> {
  const { approvals, channels } = setting;
  if (approvals === undefined) throw new Refused("approval", "approval_required", UNTOLD);
  let isNew = false;
  const prepare = (): ReturnType<typeof budgetLeft> => budgetLeft(setting, chain, tool, asked.arguments);
  const onNew = async (made: Approval): Promise<void> => {
    const { documents, lifetime } = approvals;
    if (!(await countRequest(documents, asked.tenantId, asked.lineage, clock(setting), lifetime)))
      throw new Refused("approval", "budget_exhausted", "too many requests of this task wait for people");
    // INVARIANT I11: nobody is asked for what is not on the record.
    await recordApproval(setting, chain, made);
    isNew = true;
  };
  const approval = await orRefuse("approval", "state_unavailable", UNTOLD, () => requestApproval(approvals, asked, prepare, onNew));
  if (isNew) tellAll(channels, approval);
  const { id, status, expiresAt } = approval;
  if (status === "approved") return approval;
  if (status === "denied") throw new Refused("approval", "approval_denied", `\`${asked.tool}\` was refused by who was asked`);
  throw new Refused("approval", "approval_required", `\`${asked.tool}\` waits for an approval`, undefined, { id, expiresAt });
}
