import { AmbitError } from "@ambit/core";
import type { Setting } from "../setting.ts";
import { recordAnswer } from "../steps/approval-record.ts";
import type { Approval } from "./approval.ts";
import { answerApproval, getApproval, listApprovals, type ApprovalSetting, type GivenAnswer } from "./approvals.ts";

/** Where people see what waits for them, and answer. Whoever can call this decides for them: put it behind a login, or take signed answers only. */
export interface ApprovalDesk {
  /** Requests of a tenant, by id, from one on; a page has 100 unless said otherwise. */
  list(tenantId: string, page?: { readonly after?: string; readonly limit?: number }): Promise<readonly Approval[]>;
  get(tenantId: string, id: string): Promise<Approval | undefined>;
  /**
   * Takes an answer, which is on the record before it counts for anybody who hears of it. Throws `AmbitError`: `approval_invalid` for an answer to nothing, by who may not (an agent never
   * may), a second time, or with a signature that is not theirs; `approval_expired` when it comes too late.
   */
  answer(given: GivenAnswer): Promise<Approval>;
}

export function createApprovalDesk(now: () => Setting): ApprovalDesk {
  const approvals = (): ApprovalSetting => {
    const { approvals: setting } = now();
    if (setting === undefined) throw new AmbitError("option_invalid", "no approvals are configured");
    return setting;
  };
  return Object.freeze<ApprovalDesk>({
    list: async (tenantId, { after, limit } = {}) => listApprovals(approvals(), tenantId, after, limit),
    get: async (tenantId, id) => getApproval(approvals(), tenantId, id),
    answer: async (given) =>
      answerApproval(approvals(), given, (approval, answer) => recordAnswer(now(), approval, answer, "signed" in given ? "signature" : given.assertedBy)),
  });
}
