import type { Action } from "../../src/index.ts";

/** An action that is allowed for a minute. */
export function action(more: Partial<Action>): Action {
  return {
    tenantId: "tenant_1",
    delegatorId: "user_1",
    agentId: "reviewer",
    taskId: "task_1",
    purpose: "review",
    server: "crm",
    tool: "contracts_read",
    arguments: { customer_id: "c1" },
    constraints: { max_records: 25 },
    decisionId: "decision_1",
    until: Date.now() + 60_000,
    ...more,
  } as Action;
}
