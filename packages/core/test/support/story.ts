import type { RecordBody } from "../../src/audit/record.ts";

/** A review with a hand-off: what is permitted, denied, waiting, read and ended, as the decision point writes it. */
export const STORY: readonly Partial<RecordBody>[] = [
  {
    kind: "begin",
    task: "task_8842",
    envelope: "env_1",
    agent: "reviewer",
    decision_id: "dec_begin",
    details: {
      decision: "permit",
      delegator: "user_7f3a91",
      purpose: "review",
      allowed_tools: ["contracts.read"],
      may_delegate: [],
      expires_at: "2026-05-12T18:30:00.000Z",
    },
  },
  {
    kind: "decision",
    agent: "reviewer",
    decision_id: "dec_read",
    details: {
      tool: "contracts.read",
      effect: "read",
      decision: "permit",
      call_id: "c1",
      reserved: { calls: 1, records: 25 },
      data_classes: ["contract_metadata"],
    },
  },
  {
    kind: "outcome",
    agent: "reviewer",
    decision_id: "dec_read",
    details: { call_id: "c1", status: "done", records: 3, integrity: "untrusted", data_classes: ["contract_metadata", "renewal_terms"] },
  },
  {
    kind: "hand_off",
    agent: "reviewer",
    decision_id: "dec_hand",
    details: {
      decision: "permit",
      from: "reviewer",
      to: "classifier",
      purpose: "classify",
      allowed_tools: ["contracts.read"],
      excerpts: [{ label: "renewal clause", data_classes: ["renewal_terms"] }],
      child_envelope: "env_2",
    },
  },
  {
    kind: "decision",
    agent: "classifier",
    envelope: "env_2",
    decision_id: "dec_ticket",
    details: {
      tool: "tickets.create",
      effect: "write",
      decision: "deny",
      code: "tool_not_allowed",
      step: "constraint",
      message: "the tool is not in the envelope",
      call_id: "c2",
    },
  },
  {
    kind: "decision",
    agent: "reviewer",
    decision_id: "dec_mail",
    details: { tool: "mail.send", effect: "destructive", decision: "approval_required", code: "approval_required", call_id: "c3" },
  },
  {
    kind: "hand_off",
    agent: "classifier",
    decision_id: "dec_out",
    details: { decision: "deny", code: "hand_off_denied", from: "classifier", to: "stranger", purpose: "review", allowed_tools: [], excerpts: [] },
  },
  { kind: "end", task: "task_8842", envelope: "env_1", agent: "reviewer", decision_id: "end_env_1", details: {} },
];
