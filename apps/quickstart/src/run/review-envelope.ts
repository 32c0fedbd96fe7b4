import type { BeginOptions } from "@ambit/core";
import { instructionFor } from "../agents/reviewer.ts";
import { TENANT } from "../crm/seed.ts";
import type { ReviewSubject } from "../model/review-plan.ts";
import type { Workspace } from "./workspace.ts";

/** Records that a review may be shown in all. */
export const MAX_RECORDS = 25;

/** What the envelope of the review is to allow: this customer, this contract, for ten minutes. */
export function reviewEnvelope(subject: ReviewSubject, workspace: Workspace): BeginOptions {
  return {
    delegatorId: "user_7f3a91",
    tenantId: TENANT,
    sessionId: "sess_2026_05_12_001",
    taskId: "task_contract_renewal_review_8842",
    purpose: "review_customer_contract_for_renewal_risk",
    instruction: instructionFor(subject),
    allowedTools: ["contracts.read", "crm.read", "files.read", "tickets.create"],
    mayDelegate: ["playbook.read"],
    resourceConstraints: {
      customer_id: subject.customerId,
      contract_ids: [subject.contractId],
      max_records: MAX_RECORDS,
      data_classes: ["contract_metadata", "renewal_terms", "support_summary"],
      path_prefix: [workspace.playbook],
    },
    expiresIn: "10m",
  };
}
