import { describe, expect, it } from "vitest";
import { BEGIN, CONFIG, fixture, outcomeOf, rejection } from "./support/fixture.ts";

const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };

describe("beginning a task", () => {
  it.each([
    ["an expiry in the past", { expiresIn: undefined, expiresAt: "2026-05-12T17:59:59Z" }, "envelope_expired"],
    ["an expiry now", { expiresIn: undefined, expiresAt: "2026-05-12T18:00:00Z" }, "envelope_expired"],
    ["a purpose that nobody knows", { purpose: "conquest" }, "purpose_mismatch"],
    ["an inherited name as purpose", { purpose: "constructor" }, "purpose_mismatch"],
    ["a tool that is not part of the purpose", { purpose: "other", allowedTools: ["tickets.create"] }, "purpose_mismatch"],
    ["a tool that the manifest does not have", { allowedTools: ["files.read"] }, "tool_unmapped"],
    ["a wildcard", { allowedTools: ["*"] }, "envelope_malformed"],
    ["a constraint that the vocabulary does not have", { resourceConstraints: { region: "eu" } }, "envelope_malformed"],
    ["a constraint of the wrong kind", { resourceConstraints: { max_records: "25" } }, "envelope_malformed"],
    ["no expiry", { expiresIn: undefined }, "option_invalid"],
    ["two expiries", { expiresAt: 1 }, "option_invalid"],
    ["a duration that is none", { expiresIn: "soon" }, "option_invalid"],
    ["an empty delegator", { delegatorId: "" }, "envelope_malformed"],
  ])("is refused with %s", async (_, options, code) => {
    const { pep } = await fixture();
    expect(await rejection(pep.begin({ ...BEGIN, ...options } as never))).toBe(code);
  });

  it("is refused to an agent that is not registered, and says what to add", async () => {
    const { pep, records } = await fixture({}, {}, "stranger");
    await expect(pep.begin(BEGIN)).rejects.toMatchObject({ code: "agent_unknown", message: expect.stringContaining("add it to the agents") as string });
    expect(records()).toMatchObject([{ kind: "begin", agent: "stranger", details: { decision: "deny", code: "agent_unknown" } }]);
  });

  it("is refused when policy does not let the delegator", async () => {
    const { pep } = await fixture({
      policies: [
        {
          name: "p.cedar",
          text: 'permit (principal, action, resource); forbid (principal == User::"user_1", action == Action::"ambit:begin", resource == Purpose::"review");',
        },
      ],
    });
    expect(await rejection(pep.begin(BEGIN))).toBe("policy_denied");
    expect(await rejection(pep.begin({ ...BEGIN, delegatorId: "user_2" }))).toBe("resolved");
  });

  it("is refused when it cannot be recorded", async () => {
    const { pep } = await fixture({}, { log: { append: () => Promise.reject(new Error("disk full")) } });
    expect(await rejection(pep.begin(BEGIN))).toBe("log_unavailable");
  });
});

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

describe("ending", () => {
  it("is recorded once and may be called again", async () => {
    const { pep, records } = await fixture();
    const task = await pep.begin(BEGIN);
    await task.end();
    await task.end();
    expect(records().filter(({ kind }) => kind === "end")).toHaveLength(1);
  });

  it("comes with the scope of `await using`, also when it throws", async () => {
    const { pep } = await fixture();
    const kept: unknown[] = [];
    const run = async (): Promise<void> => {
      await using task = await pep.begin(BEGIN);
      kept.push(task);
      throw new Error("work failed");
    };
    await expect(run()).rejects.toThrow("work failed");
    expect(await outcomeOf(pep, kept[0] as never, "contracts_read", { contract_id: "k1" })).toBe("envelope_revoked");
  });
});

describe("facts", () => {
  it("count calls and name the tools used, for policies to use", async () => {
    const { pep } = await fixture({
      policies: [
        {
          name: "p.cedar",
          text: `permit (principal, action, resource);
forbid (principal, action == Action::"tickets.create", resource) unless { context.task.tools_used.contains("crm.read") };
forbid (principal, action in Action::"ambit:call", resource) when { context.task.calls >= 3 };
forbid (principal, action == Action::"crm.read", resource) when { context.task has previous_tool && context.task.previous_tool == "crm.read" };`,
        },
      ],
    });
    const task = await pep.begin(BEGIN);
    const steps: string[] = [];
    for (const tool of ["tickets_create", "crm_read", "crm_read", "tickets_create", "contracts_read", "contracts_read"]) {
      const args = tool === "crm_read" ? { customer_id: "c1" } : tool === "tickets_create" ? { title: "x" } : { contract_id: "k1" };
      steps.push(await outcomeOf(pep, task, tool, args, tool === "crm_read" ? { records: [] } : CONTRACT));
    }
    expect(steps).toEqual(["policy_denied", "permit", "policy_denied", "permit", "permit", "policy_denied"]);
  });

  it("tell that something untrusted was read, and never forget it", async () => {
    const { pep } = await fixture({
      policies: [
        {
          name: "p.cedar",
          text: 'permit (principal, action, resource); forbid (principal, action in Action::"effect:write", resource) when { context.labels.integrity == "untrusted" };',
        },
      ],
    });
    const task = await pep.begin(BEGIN);
    await outcomeOf(pep, task, "crm_read", { customer_id: "c1" }, { records: [] });
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x" })).toBe("permit"); // crm.read is declared trusted, tickets.create is not
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x" })).toBe("policy_denied");
    await outcomeOf(pep, task, "crm_read", { customer_id: "c1" }, { records: [] });
    expect(await outcomeOf(pep, task, "tickets_create", { title: "x" })).toBe("policy_denied");
  });
});

it("mixes no two tenants, whatever ids they share", async () => {
  const { pep } = await fixture();
  const ids = { sessionId: "s", taskId: "t", budgets: { calls: 1 } };
  const [a, b] = [await pep.begin({ ...BEGIN, ...ids }), await pep.begin({ ...BEGIN, ...ids, tenantId: "tenant_2" })];
  expect(await outcomeOf(pep, a, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("permit");
  expect(await outcomeOf(pep, b, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("permit");
  await a.end();
  expect(await outcomeOf(pep, b, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("budget_exhausted");
  expect(CONFIG.state).toBe("memory");
});
