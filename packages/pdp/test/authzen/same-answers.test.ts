import { createEngineEvaluator } from "@ambit/pdp/authzen";
import { describe, expect, it } from "vitest";
import { BEGIN, CONFIG, fixture, outcomeOf, rejection, type Fixture } from "../support/fixture.ts";

const POLICY = `
  permit (principal, action in [Action::"ambit:begin", Action::"ambit:hand_off"], resource);
  permit (principal is User, action in Action::"effect:read", resource);
  permit (principal is Agent in Role::"auditor", action in Action::"effect:read", resource)
    when { context.delegator has department && context.delegator.department == "legal" && principal has level && principal.level >= 2 };
  forbid (principal is User in Role::"contractor", action, resource);
  permit (principal is User, action == Action::"tickets.create", resource);
  @id("readers") forbid (principal is User, action == Action::"contracts.read", resource) unless { context.relations.reader };
  @id("delegated") forbid (principal is Agent, action == Action::"contracts.read", resource) unless { context.delegator_relations.reader };`;

const users = { roles: ["contractor", "auditor"], attributes: { department: "string", level: "long" } };
const relations = { types: { user: {}, agent: {}, Contract: { relations: { reader: ["user"] } } } };
const { agents: registered } = CONFIG.agents as { readonly agents: Readonly<Record<string, object>> };
const agents = {
  agents: {
    ...registered,
    reviewer: { ...registered["reviewer"], roles: ["auditor"], attributes: { level: 3 } },
    classifier: { ...registered["classifier"], roles: ["auditor"], attributes: { level: 1 } },
  },
};

interface Call {
  readonly tool: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, string>>;
}
const READ: Call = { tool: "contracts.read", name: "contracts_read", arguments: { contract_id: "k1" } };
const OTHER: Call = { ...READ, arguments: { contract_id: "k2" } };
const CUSTOMER: Call = { tool: "crm.read", name: "crm_read", arguments: { customer_id: "c1" } };
const TICKET: Call = { tool: "tickets.create", name: "tickets_create", arguments: { title: "t" } };

/** What the same call is answered when it is enforced, and when it is asked about: of the user, and of the agent. */
async function answers({ pdp, pepWith }: Fixture, call: Call, delegatorId = "user_1"): Promise<readonly unknown[]> {
  const pep = pepWith(pdp);
  const enforced = await pep.begin({ ...BEGIN, delegatorId }).then(
    (task) => outcomeOf(pep, task, call.name, call.arguments, { customer_id: "c1", records: [] }),
    (error: unknown) => rejection(Promise.reject(error as Error)),
  );
  const question = { action: { name: call.tool }, resource: { type: "tool", id: call.tool } };
  const context = { tenant: "tenant_1", purpose: "review", agent: "reviewer", delegator: delegatorId, arguments: call.arguments };
  const subjects = [
    { type: "user", id: delegatorId },
    { type: "agent", id: "reviewer" },
  ];
  const asked = await createEngineEvaluator(() => pdp.rules()).evaluate(
    subjects.map((subject) => ({ ...question, subject, context })),
    { mayActFor: () => true },
  );
  return [enforced, ...asked.map(({ decision, context: told }) => (decision ? "permit" : told?.["reason"]))];
}

const same = (code: string): readonly string[] => [code, code, code];

describe("a question about a call, and the call itself", () => {
  it("have the same answer: users, roles, attributes, relations, removal, approvals", async () => {
    const policies = [{ name: "p.cedar", text: POLICY }];
    const approvals = { rules: [{ tools: ["tickets.create"], by: ["delegator"] }] };
    const scene = await fixture({ policies, users, relations, agents, approvals });
    const { pdp } = scene;
    const know = (id: string, roles: readonly string[], department: string): Promise<void> | undefined =>
      pdp.users?.upsertUser("tenant_1", { id, roles, attributes: { department }, source: "test" });
    const reader = { object: { type: "Contract", id: "k1" }, relation: "reader", subject: { type: "user", id: "user_1" } };

    expect(await answers(scene, CUSTOMER)).toEqual(same("policy_denied"));
    await know("user_1", [], "legal");
    expect(await answers(scene, CUSTOMER)).toEqual(same("permit"));
    await know("user_1", [], "sales");
    expect(await answers(scene, CUSTOMER)).toEqual(same("policy_denied"));
    await know("user_1", ["contractor"], "legal");
    expect(await answers(scene, CUSTOMER)).toEqual(same("policy_denied"));
    await know("user_1", ["auditor"], "legal");
    expect(await answers(scene, CUSTOMER)).toEqual(same("permit"));

    expect(await answers(scene, READ)).toEqual(same("policy_denied"));
    await pdp.relations?.write("tenant_1", { add: [reader] });
    expect(await answers(scene, READ)).toEqual(same("permit"));
    expect(await answers(scene, OTHER)).toEqual(same("policy_denied"));
    await pdp.relations?.write("tenant_1", { remove: [reader] });
    expect(await answers(scene, READ)).toEqual(same("policy_denied"));

    expect(await answers(scene, TICKET)).toEqual(same("policy_denied"));
    await pdp.reload({
      ...CONFIG,
      users,
      relations,
      agents,
      approvals,
      policies: [{ name: "p.cedar", text: `${POLICY} permit (principal is Agent, action, resource);` }],
    });
    expect(await answers(scene, TICKET)).toEqual(same("approval_required"));

    await pdp.users?.removeUser("tenant_1", "user_1");
    expect(await answers(scene, CUSTOMER)).toEqual(same("policy_denied"));
    expect(await answers(scene, CUSTOMER, "user_2")).toEqual(same("permit"));
  });

  it("is denied where nobody can tell who asks", async () => {
    const { pdp } = await fixture({ users, relations });
    const broken = { ...pdp.rules(), directory: { ...pdp.rules().directory, user: () => Promise.reject(new Error("no")) } as never };
    const question = {
      subject: { type: "user", id: "user_1" },
      action: { name: "crm.read" },
      resource: { type: "tool", id: "crm.read" },
      context: { tenant: "tenant_1", purpose: "review", agent: "reviewer", arguments: CUSTOMER.arguments },
    };
    const asker = { mayActFor: () => true };
    expect(await createEngineEvaluator(() => pdp.rules()).evaluate([question], asker)).toEqual([{ decision: true }]);
    expect(await createEngineEvaluator(() => broken).evaluate([question], asker)).toMatchObject([{ decision: false, context: { reason: "policy_error" } }]);
    const stranger = { ...question, context: { ...question.context, agent: "stranger" } };
    expect(await createEngineEvaluator(() => pdp.rules()).evaluate([stranger], asker)).toMatchObject([
      { decision: false, context: { reason: "agent_unknown" } },
    ]);
  });
});
