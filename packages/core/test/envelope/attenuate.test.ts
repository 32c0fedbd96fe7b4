import { describe, expect, it } from "vitest";
import { attenuate, type Narrowing } from "../../src/envelope/attenuate.ts";
import { isNarrower } from "../../src/envelope/is-narrower.ts";
import { codeOf } from "../support/codes.ts";
import { ORDER, parse } from "../support/envelopes.ts";

const PARENT = parse({
  delegator_id: "u",
  tenant_id: "t",
  session_id: "s",
  task_id: "task",
  purpose: "review",
  agent_id: "parent",
  allowed_tools: ["a", "b"],
  may_delegate: ["c"],
  denied_tools: ["d"],
  resource_constraints: { customer_id: "c1", contract_ids: ["k1", "k2"], max_records: 25, path_prefix: ["/data"] },
  budgets: { calls: 10, money: { EUR: 500 }, tools: { a: { calls: 2, money: { EUR: 50 } } } },
  approvals: ["b"],
  max_depth: 2,
  expires_at: "2026-05-12T18:30:00Z",
});

const exact = (narrowing: object): ReturnType<typeof attenuate> => attenuate(PARENT, narrowing as Narrowing, ORDER, { exact: true });
const narrowedBy = (narrowing: object): readonly unknown[] => attenuate(PARENT, narrowing as Narrowing, ORDER).narrowed;

describe("attenuate", () => {
  it("takes over what a child does not name", () => {
    expect(exact({ agentId: "child" }).envelope).toStrictEqual({ ...PARENT, agentId: "child" });
    expect(exact({ allowedTools: undefined, budgets: undefined, deniedTools: undefined }).envelope).toStrictEqual(PARENT);
  });

  it("takes over single constraints and limits that a child does not name", () => {
    const { envelope } = exact({ resourceConstraints: { max_records: 5, is_internal: true }, budgets: { records: 7, rate: { 60: 1 } } });
    expect(envelope.resourceConstraints).toStrictEqual({ ...PARENT.resourceConstraints, max_records: 5, is_internal: true });
    expect(envelope.budgets).toStrictEqual({ calls: 10, records: 7, money: { EUR: 500 }, rate: { 60: 1 }, tools: { a: { calls: 2, money: { EUR: 50 } } } });
  });

  it("leaves the currencies that both maps of money name, and none when there is none", () => {
    const moneyFor = (money: Record<string, number>, tool?: string): unknown => {
      const { budgets } = attenuate(PARENT, { budgets: tool === undefined ? { money } : { tools: { [tool]: { money } } } }, ORDER).envelope;
      return tool === undefined ? budgets.money : budgets.tools?.[tool]?.money;
    };
    expect([moneyFor({ EUR: 1, USD: 5 }), moneyFor({ USD: 5 }), moneyFor({})]).toStrictEqual([{ EUR: 1 }, {}, {}]);
    expect([moneyFor({ USD: 5 }, "a"), moneyFor({ USD: 5 }, "b")]).toStrictEqual([{}, { USD: 5 }]);
    expect(exact({ budgets: { money: {} } }).envelope.budgets.money).toStrictEqual({});
  });

  it("gives no tools but those that are named, when any are", () => {
    expect(exact({ allowedTools: ["c"] }).envelope).toMatchObject({ allowedTools: ["c"], mayDelegate: [] });
    expect(exact({ mayDelegate: ["a"] }).envelope).toMatchObject({ allowedTools: [], mayDelegate: ["a"] });
    expect(exact({ allowedTools: [] }).envelope).toMatchObject({ allowedTools: [], mayDelegate: [] });
  });

  it.each([
    ["a tool out of reach", { allowedTools: ["a", "x"] }, "allowed_tools", ["a", "x"], ["a"]],
    ["a tool that the parent denies", { allowedTools: ["a", "d"] }, "allowed_tools", ["a", "d"], ["a"]],
    ["to hand on a tool out of reach", { mayDelegate: ["x"] }, "may_delegate", ["x"], []],
    ["fewer denied tools", { deniedTools: [] }, "denied_tools", [], ["d"]],
    ["fewer approvals", { approvals: ["a"] }, "approvals", ["a"], ["a", "b"]],
    ["more records", { resourceConstraints: { max_records: 26 } }, "resource_constraints.max_records", 26, 25],
    ["another customer", { resourceConstraints: { customer_id: "c2" } }, "resource_constraints.customer_id", "c2", []],
    ["further contracts", { resourceConstraints: { contract_ids: ["k1", "k3"] } }, "resource_constraints.contract_ids", ["k1", "k3"], ["k1"]],
    ["a path further up", { resourceConstraints: { path_prefix: "/" } }, "resource_constraints.path_prefix", ["/"], ["/data"]],
    ["more calls", { budgets: { calls: 11 } }, "budgets.calls", 11, 10],
    ["more calls of one tool", { budgets: { tools: { a: { calls: 3 } } } }, "budgets.tools/a/calls", 3, 2],
    ["more money", { budgets: { money: { EUR: 501 } } }, "budgets.money/EUR", 501, 500],
    ["money of a further currency", { budgets: { money: { EUR: 1, USD: 5 } } }, "budgets.money/USD", 5, null],
    ["money of a further currency only", { budgets: { money: { USD: 5 } } }, "budgets.money/USD", 5, null],
    ["money of a further currency for one tool", { budgets: { tools: { a: { money: { USD: 5 } } } } }, "budgets.tools/a/money/USD", 5, null],
    ["more depth", { maxDepth: 3 }, "max_depth", 3, 2],
    ["more time", { expiresAt: PARENT.expiresAt + 1 }, "expires_at", "2026-05-12T18:30:00.001Z", "2026-05-12T18:30:00.000Z"],
  ])("says so when it was asked for %s", (_, narrowing, dimension, asked, granted) => {
    expect(narrowedBy(narrowing)).toStrictEqual([{ dimension, asked, granted }]);
    expect(codeOf(() => exact(narrowing))).toBe("not_narrower");
    expect(isNarrower(attenuate(PARENT, narrowing as Narrowing, ORDER).envelope, PARENT, ORDER)).toBe(true);
  });

  it("does not count what a child denies itself as taken away", () => {
    expect(exact({ allowedTools: ["a", "b"], deniedTools: ["b", "d"] }).envelope).toMatchObject({ allowedTools: ["a"], deniedTools: ["b", "d"] });
  });

  it.each([
    ["another purpose", { purpose: "other" }],
    ["a purpose that nobody knows", { purpose: "unknown" }],
    ["another task", { taskId: "task2" }],
    ["a task that only looks like a part", { taskId: "task-a/sub" }],
    ["another tenant", { tenantId: "t2" }],
    ["another delegator", { delegatorId: "u2" }],
    ["another session", { sessionId: "s2" }],
  ])("refuses %s, exact or not", (_, narrowing) => {
    expect(codeOf(() => exact(narrowing))).toBe("not_narrower");
    expect(codeOf(() => narrowedBy(narrowing))).toBe("not_narrower");
  });

  it("goes down to a part of the task and of the purpose, and stays there", () => {
    const child = exact({ taskId: "task/sub", purpose: "classify" }).envelope;
    expect(child).toMatchObject({ taskId: "task/sub", purpose: "classify" });
    expect(attenuate(child, { taskId: "task", purpose: "review" }, ORDER)).toMatchObject({
      envelope: { taskId: "task/sub", purpose: "classify" },
      narrowed: [{ dimension: "task_id" }, { dimension: "purpose" }],
    });
  });

  it.each(Object.keys(PARENT))("refuses `null` as %s", (member) => {
    expect(codeOf(() => exact({ [member]: null }))).toBe("envelope_malformed");
  });

  it.each(["allowed_tools", "scope", "toString", "data", ""])("refuses the unknown member %j", (member) => {
    expect(codeOf(() => exact({ [member]: ["a"] }))).toBe("envelope_malformed");
  });

  it("freezes what it gives", () => {
    const { envelope, narrowed } = attenuate(PARENT, { maxDepth: 9, resourceConstraints: { contract_ids: ["k1"] } }, ORDER);
    const isFrozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect([isFrozen(envelope), isFrozen(narrowed)]).toStrictEqual([true, true]);
  });
});
