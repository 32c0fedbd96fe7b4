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

  it("is decided by the time, where policies say so", async () => {
    const until = (seconds: number) => ({
      policies: [{ name: "p.cedar", text: `permit (principal, action, resource) when { context.time < ${seconds} };` }],
    });
    const NOW_SECONDS = Date.parse("2026-05-12T18:00:00Z") / 1000;
    const { pep, advance } = await fixture(until(NOW_SECONDS + 60));
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("permit");
    advance(60_000);
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("policy_denied");
    expect(await rejection(pep.begin(BEGIN))).toBe("policy_denied");
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
