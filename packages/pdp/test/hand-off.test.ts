import { describe, expect, it } from "vitest";
import { BEGIN, CONFIG, fixture, outcomeOf, rejection } from "./support/fixture.ts";

const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };

describe("handing off", () => {
  const narrow = { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] };

  it.each([
    ["a further tool", { allowedTools: ["contracts.read", "mail.send"] }, "not_narrower"],
    ["more records", { resourceConstraints: { max_records: 26 } }, "not_narrower"],
    ["a later expiry", { expiresIn: "11m" }, "not_narrower"],
    ["a wider data class", { resourceConstraints: { data_classes: ["contract_metadata", "salary"] } }, "not_narrower"],
    ["another customer", { resourceConstraints: { customer_id: "c2" } }, "not_narrower"],
    ["another contract", { resourceConstraints: { contract_ids: ["k1", "k9"] } }, "not_narrower"],
    ["a purpose beside its own", { purpose: "other" }, "not_narrower"],
    ["a purpose that nobody knows", { purpose: "conquest" }, "not_narrower"],
    ["another task", { taskId: "task_other" }, "not_narrower"],
    ["more depth", { maxDepth: 5 }, "not_narrower"],
    ["a wildcard", { allowedTools: ["*"] }, "envelope_malformed"],
    ["an unknown member", { superuser: true }, "envelope_malformed"],
    ["another tenant", { tenantId: "tenant_2" }, "not_narrower"],
    ["another delegator", { delegatorId: "ceo" }, "not_narrower"],
    ["an unregistered agent", { agentId: "stranger" }, "agent_unknown"],
    ["an excerpt without data classes", { data: [{ data: "x", label: "x", dataClasses: [] }] }, "hand_off_denied"],
    ["an excerpt of a class that the parent may not have", { data: [{ data: "x", label: "x", dataClasses: ["salary"] }] }, "hand_off_denied"],
  ])("is refused with %s, and leaves a record", async (_, options, code) => {
    const { pep, records } = await fixture();
    const parent = await pep.begin(BEGIN);
    expect(await rejection(pep.handOff(parent, { ...narrow, ...options } as never))).toBe(code);
    expect(records().at(-1)).toMatchObject({ kind: "hand_off", details: { decision: "deny", code } });
  });

  it("keeps what a parent must not drop: denied tools, approvals, budgets", async () => {
    const { pep } = await fixture();
    const parent = await pep.begin({ ...BEGIN, deniedTools: ["mail.send"], approvals: ["tickets.create"], budgets: { calls: 3 } });
    const child = await pep.handOff(parent, narrow);
    expect(child.envelope).toMatchObject({
      deniedTools: ["mail.send"],
      approvals: ["tickets.create"],
      budgets: { calls: 3 },
      expiresAt: parent.envelope.expiresAt,
    });
    expect(await rejection(pep.handOff(parent, { ...narrow, budgets: { calls: 4 } }))).toBe("not_narrower");
  });

  it("gives the child no tool that was not named", async () => {
    const { pep } = await fixture();
    const child = await pep.handOff(await pep.begin(BEGIN), { agentId: "classifier" });
    expect(child.envelope.allowedTools).toEqual([]);
  });

  it("lets a coordinator hand on what it may not use itself", async () => {
    const { pep } = await fixture({}, {}, "coordinator");
    const parent = await pep.begin({ ...BEGIN, allowedTools: [], mayDelegate: ["crm.read"] });
    expect(await outcomeOf(pep, parent, "crm_read", { customer_id: "c1" })).toBe("tool_not_allowed");
    const child = await pep.handOff(parent, { agentId: "classifier", allowedTools: ["crm.read"] });
    expect(await outcomeOf(pep.as("classifier"), child, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("permit");
  });

  it.each([
    ["to itself", ["reviewer"]],
    ["to itself by way of another", ["classifier", "reviewer"]],
  ])("gives nobody the use of what it may only hand on, %s", async (_, agents) => {
    const { pep } = await fixture();
    let task = await pep.begin({ ...BEGIN, allowedTools: ["contracts.read"], mayDelegate: ["crm.read"] });
    let holder = pep;
    for (const agentId of agents) {
      task = await holder.handOff(task, { agentId, allowedTools: ["contracts.read", "crm.read"] });
      holder = pep.as(agentId);
    }
    expect(await outcomeOf(holder, task, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("tool_not_allowed");
    expect(await outcomeOf(holder, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("permit");
  });

  const { agents } = CONFIG.agents as { readonly agents: Record<string, object> };
  const onlyMetadata = { allowed_tools: ["contracts.read"], resource_constraints: { data_classes: ["contract_metadata"] } };
  it.each([
    ["the ceiling of the agent that hands off", { agents: { agents: { ...agents, reviewer: { trust_zone: "first_party", ceiling: onlyMetadata } } } }],
    ["the ceiling of the agent that gets it", { agents: { agents: { ...agents, classifier: { trust_zone: "first_party", ceiling: onlyMetadata } } } }],
    [
      "the purpose of the child",
      {
        purposes: {
          purposes: {
            review: { tools: ["contracts.read"], data_classes: ["contract_metadata", "renewal_terms"] },
            classify: { parent: "review", tools: ["contracts.read"], data_classes: ["contract_metadata"] },
          },
        },
      },
    ],
    [
      "a purpose above that of the child",
      {
        purposes: {
          purposes: {
            review: { tools: ["contracts.read"], data_classes: ["contract_metadata"] },
            classify: { parent: "review", tools: ["contracts.read"] },
          },
        },
      },
    ],
  ])("carries no excerpt of a data class beyond %s", async (_, config) => {
    const { pep } = await fixture(config);
    const parent = await pep.begin({ ...BEGIN, allowedTools: ["contracts.read"], resourceConstraints: {} });
    const excerpt = (name: string): object => ({ ...narrow, data: [{ data: "x", label: "x", dataClasses: [name] }] });
    expect(await rejection(pep.handOff(parent, excerpt("renewal_terms") as never))).toBe("hand_off_denied");
    expect(await rejection(pep.handOff(parent, excerpt("contract_metadata") as never))).toBe("resolved");
  });

  it("carries no excerpt beyond the ceiling of an agent further up the chain", async () => {
    const { pep } = await fixture({ agents: { agents: { ...agents, coordinator: { trust_zone: "first_party", ceiling: onlyMetadata } } } });
    const root = await pep.as("coordinator").begin({ ...BEGIN, resourceConstraints: {} });
    const task = await pep.as("coordinator").handOff(root, { agentId: "reviewer", allowedTools: ["contracts.read"] });
    const data = [{ data: "x", label: "x", dataClasses: ["renewal_terms"] }];
    expect(await rejection(pep.handOff(task, { agentId: "classifier", allowedTools: ["contracts.read"], data }))).toBe("hand_off_denied");
  });

  it("leaves a record of a refusal, whatever the label of an excerpt is", async () => {
    const { pep, records } = await fixture();
    const parent = await pep.begin(BEGIN);
    const data = [{ data: 1, label: `clause\0 \ud800${"x".repeat(100_000)}`, dataClasses: ["salary"] }];
    expect(await rejection(pep.handOff(parent, { ...narrow, data }))).toBe("hand_off_denied");
    expect(records().at(-1)).toMatchObject({ kind: "hand_off", details: { excerpts: [{ data_classes: ["salary"] }] } });
  });

  it("goes on no further than max_depth", async () => {
    const { pep } = await fixture();
    const root = await pep.begin({ ...BEGIN, maxDepth: 1 });
    const child = await pep.handOff(root, { agentId: "reviewer", allowedTools: ["crm.read"], mayDelegate: ["contracts.read"] });
    expect(await rejection(pep.handOff(child, { agentId: "classifier", allowedTools: ["crm.read"] }))).toBe("depth_exceeded");
  });

  it("is refused from an ended task, and ends with it", async () => {
    const { pep } = await fixture();
    const root = await pep.begin(BEGIN);
    const child = await pep.handOff(root, { agentId: "classifier", allowedTools: ["crm.read"] });
    await root.end();
    expect(await outcomeOf(pep.as("classifier"), child, "crm_read", { customer_id: "c1" })).toBe("envelope_revoked");
    expect(await rejection(pep.handOff(root, { agentId: "classifier" }))).toBe("envelope_revoked");
  });

  it("ends without ending its parent", async () => {
    const { pep } = await fixture();
    const root = await pep.begin(BEGIN);
    const child = await pep.handOff(root, { agentId: "classifier", allowedTools: ["crm.read"] });
    await child.end();
    expect(await outcomeOf(pep.as("classifier"), child, "crm_read", { customer_id: "c1" })).toBe("envelope_revoked");
    expect(await outcomeOf(pep, root, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("permit");
  });

  it("is refused when policy does not let the agent that hands off", async () => {
    const { pep } = await fixture({
      policies: [
        {
          name: "p.cedar",
          text: 'permit (principal, action, resource); forbid (principal == Agent::"reviewer", action == Action::"ambit:hand_off", resource == Agent::"classifier");',
        },
      ],
    });
    expect(await rejection(pep.handOff(await pep.begin(BEGIN), narrow))).toBe("policy_denied");
  });

  it("carries the data classes of its excerpts into what policies see of the task", async () => {
    const { pep } = await fixture({
      policies: [
        {
          name: "p.cedar",
          text: 'permit (principal, action, resource); forbid (principal, action == Action::"tickets.create", resource) when { context.labels.data_classes.contains("renewal_terms") };',
        },
      ],
    });
    const root = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, root, "tickets_create", { title: "x" })).toBe("permit");
    const child = await pep.handOff(root, { ...narrow, data: [{ data: "clause 4", label: "clause", dataClasses: ["renewal_terms"] }] });
    expect(child.data).toMatchObject([{ data: "clause 4" }]);
    expect(await outcomeOf(pep, root, "tickets_create", { title: "x" })).toBe("policy_denied");
  });
});
