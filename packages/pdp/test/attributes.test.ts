import type { BeginOptions } from "@ambit/core";
import type { PdpConfig } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { BEGIN, CONFIG, fixture, MANIFEST, NOW, outcomeOf, type Fixture } from "./support/fixture.ts";

const CRM = ["crm_read", { customer_id: "c1" }, { records: [] }] as const;
const CONTRACT = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const TICKET = ["tickets_create", { title: "t", cost: 1 }, {}] as const;
type Call = readonly [string, object, unknown];

const LIFECYCLE = 'permit (principal, action in [Action::"ambit:begin", Action::"ambit:hand_off"], resource);';

async function scene(
  policy: string,
  config: Partial<PdpConfig> = {},
  agent = "reviewer",
): Promise<Fixture & { outcome(call: Call, change?: Partial<BeginOptions>): Promise<string> }> {
  const base = await fixture({ policies: [{ name: "p.cedar", text: `${LIFECYCLE}\n${policy}` }], ...config }, {}, agent);
  return { ...base, outcome: async (call, change = {}) => outcomeOf(base.pep, await base.pep.begin({ ...BEGIN, ...change }), ...call) };
}

describe("a policy decides by", () => {
  it("the data classes that a tool returns", async () => {
    const { outcome } = await scene(
      'permit (principal, action in Action::"ambit:call", resource) unless { context.tool.data_classes.contains("renewal_terms") };',
    );
    expect([await outcome(CRM), await outcome(CONTRACT)]).toEqual(["permit", "policy_denied"]);
  });

  it("the data classes that the task has read", async () => {
    const { pep } = await scene(
      'permit (principal, action, resource); forbid (principal, action == Action::"tickets.create", resource) when { context.labels.data_classes.contains("support_summary") };',
    );
    const task = await pep.begin(BEGIN);
    const outcomes = [await outcomeOf(pep, task, ...TICKET), await outcomeOf(pep, task, ...CRM), await outcomeOf(pep, task, ...TICKET)];
    expect(outcomes).toEqual(["permit", "permit", "policy_denied"]);
  });

  it("the time", async () => {
    const { outcome, advance } = await scene(`permit (principal, action, resource) when { context.time < ${NOW / 1000 + 60} };`);
    expect(await outcome(CRM)).toBe("permit");
    advance(60_000);
    expect(await outcome(CRM)).toBe("policy_denied");
  });

  it("the purpose", async () => {
    const { outcome } = await scene('permit (principal, action, resource) when { context.purpose == "review" };');
    expect([await outcome(CRM), await outcome(CRM, { purpose: "other", allowedTools: ["crm.read"] })]).toEqual(["permit", "policy_denied"]);
  });

  it("the trust zone of the agent", async () => {
    const policy =
      'permit (principal is User, action, resource); permit (principal is Agent, action, resource) when { principal.trust_zone == "first_party" };';
    const change = { purpose: "classify", allowedTools: ["crm.read"] };
    expect(await (await scene(policy)).outcome(CRM, change)).toBe("permit");
    expect(await (await scene(policy, {}, "classifier")).outcome(CRM, change)).toBe("policy_denied");
  });

  it("the tenant, of the question and of the principal", async () => {
    for (const tenant of ["context.tenant", "principal.tenant", "context.delegator.tenant", "context.agent.tenant"]) {
      const { outcome } = await scene(`permit (principal, action, resource) when { ${tenant} == "tenant_1" };`);
      expect([await outcome(CRM), await outcome(CRM, { tenantId: "tenant_2" })]).toEqual(["permit", "policy_denied"]);
    }
  });

  it("the risk of the tool, which is the highest where nobody says it", async () => {
    const { tools } = MANIFEST;
    const manifest = { tools: { ...tools, "crm.read": { ...tools["crm.read"], risk: 20 }, "tickets.create": { ...tools["tickets.create"], risk: 21 } } };
    const { outcome } = await scene('permit (principal, action in Action::"ambit:call", resource) when { context.tool.risk <= 20 };', { manifest });
    expect([await outcome(CRM), await outcome(TICKET), await outcome(CONTRACT)]).toEqual(["permit", "policy_denied", "policy_denied"]);
    const highest = await scene('permit (principal, action in Action::"ambit:call", resource) when { context.tool.risk == 100 };', { manifest });
    expect([await highest.outcome(CRM), await highest.outcome(CONTRACT)]).toEqual(["policy_denied", "permit"]);
  });

  it("the risk of the delegator and of the agent", async () => {
    const policy = 'permit (principal, action in Action::"ambit:call", resource) when { principal has risk && principal.risk < context.tool.risk };';
    const { agents } = CONFIG.agents as { readonly agents: { readonly reviewer: object } };
    const agentsOf = (risk: number): object => ({ agents: { ...agents, reviewer: { ...agents.reviewer, attributes: { risk } } } });
    const outcome = async (user: number, agent: number): Promise<string> => {
      const { pdp, outcome: of } = await scene(policy, { users: { attributes: { risk: "long" } }, agents: agentsOf(agent) });
      await pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: [], attributes: { risk: user }, source: "test" });
      return of(CRM);
    };
    expect([await outcome(99, 99), await outcome(100, 99), await outcome(99, 100)]).toEqual(["permit", "policy_denied", "policy_denied"]);
  });
});
