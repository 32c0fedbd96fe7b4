import { describe, expect, it } from "vitest";
import { randomOf, type Random } from "../../../../core/test/deep/random.ts";
import { createCedarEngine } from "../../../src/cedar/cedar-engine.ts";
import type { Evaluation, PolicyAnswer } from "../../../src/engine/policy-engine.ts";
import { parseManifest } from "../../../src/manifest/parse-manifest.ts";

const text = { type: "string" };
const INPUT = {
  type: "object",
  properties: {
    amount: { type: "integer" },
    rate: { type: "number" },
    note: { anyOf: [text, { type: "null" }] },
    tags: { type: "array", items: text },
    address: { type: "object", properties: { city: text, entity: text }, required: ["city"], additionalProperties: false },
    extra: { type: "object" },
    when: text,
  },
  required: ["amount"],
};
const manifest = parseManifest({
  tools: {
    "pay.out": { names: [{ name: "pay", pin: "none" }], input_schema: INPUT, effect: "write", resource: { type: "Account", id: "/note" } },
    "crm.read": { names: [{ name: "crm", pin: "none" }], input_schema: { type: "object", properties: { id: text } }, effect: "read" },
  },
});

const FILES = [
  {
    name: "p.cedar",
    text: `
      @id("users") permit (principal is User, action in Action::"ambit:call", resource);
      @id("agents") permit (principal is Agent, action in [Action::"pay.out", Action::"effect:read"], resource)
        when { principal.trust_zone == "first_party" && context.tenant == principal.tenant };
      @id("account") permit (principal == User::"alice", action == Action::"pay.out", resource is Account in Account::"a1");
      @id("large") forbid (principal, action == Action::"pay.out", resource) when { context.arguments.amount * 1000000 > 9000000000000000 };
      @id("rate") forbid (principal, action == Action::"pay.out", resource)
        when { context.arguments has rate && !context.arguments.rate.lessThan(decimal("1.5")) };
      @id("place") forbid (principal, action == Action::"pay.out", resource)
        when { context.arguments has address && (context.arguments.address.city like "R*" || context.arguments.address has entity) };
      @id("tags") forbid (principal, action == Action::"pay.out", resource)
        when { context.arguments has tags && context.arguments.tags.containsAny(["secret", "__proto__"]) };
      @id("late") forbid (principal, action == Action::"pay.out", resource)
        when { context.arguments has when && context.arguments.when like "2026-*" };
      @id("often") forbid (principal, action, resource) when { context.task.calls >= 3 || context.task.tools_used.contains("crm.read") };
      @id("extra") forbid (principal, action == Action::"pay.out", resource) when { context.arguments has extra && context.arguments.extra.json == "{}" };
    `,
  },
];

const VALUES: readonly unknown[] = [
  ...[null, true, 0, 1, -1, 2, 9_007_199_254, 9_007_199_254_740_991, 1.25, 1.5, 0.00001, 1e15, 2 ** 53, "", "Rome", "secret", "\ud800", "2026-02-01", "x"],
  ...[[], ["secret"], ["a", "__proto__"], [1], {}, { city: "Rome" }, { city: "Oslo", __entity: "x" }, { city: "Oslo", zip: 1 }],
  ...[{ __entity: { type: "User", id: "alice" } }, { __extn: { fn: "decimal", arg: "1.0" } }, JSON.parse('{"__proto__":1}')],
];
const FITTING: Readonly<Record<string, readonly unknown[]>> = {
  amount: [0, 1, 9_007_199_254, 9_007_199_254_740_991, -9_007_199_254_740_991],
  rate: [1, 1.25, 1.5, -3],
  note: ["a1", null],
  tags: [[], ["a"], ["secret"], Array.from({ length: 999 }, (_, index) => `t${index}`)],
  address: [{ city: "Rome" }, { city: "Oslo" }, { city: "Oslo", entity: "User" }],
  extra: [{}, { a: { __entity: { type: "User", id: "alice" } } }],
  when: ["2025-01-01", "2026-02-01", "soon"],
};

function someEvaluation(random: Random): Evaluation {
  const { pick, chance, some } = random;
  const tenant = pick(["t", "u"]);
  const agent = { type: "agent", id: pick(["bot", "__proto__"]), properties: { tenant: "t", trust_zone: pick(["first_party", "third_party"]) } };
  const user = { type: "user", id: pick(["alice", "bob"]), properties: { tenant: "t" } };
  const fitting = some(Object.keys(FITTING), 40).map((name) => [name, pick(FITTING[name] ?? [])]);
  const args = Object.fromEntries([...(chance(90) ? [["amount", 1]] : []), ...fitting]) as Record<string, unknown>;
  if (chance(25)) args[pick([...Object.keys(FITTING), "admin", "constructor"])] = pick(VALUES);
  const name = chance(80) ? "pay.out" : pick(["crm.read", "constructor", "pay.in", "ambit:begin"]);
  const context = {
    agent,
    delegator: user,
    tenant,
    purpose: "pay",
    time: 0,
    task: {
      id: chance(3) ? "\udc00" : "task",
      calls: pick([0, 1, 2, 3]),
      depth: 0,
      tools_used: chance(10) ? ["crm.read"] : [],
      previous_tool: pick([null, "x"]),
    },
    labels: { integrity: "trusted", data_classes: [] },
    tool: { effect: "write", sends_outside: true, risk: 100, data_classes: [] },
    arguments: name === "crm.read" && chance(80) ? { id: "x" } : args,
  };
  if (chance(5)) Object.assign(context.task, { [pick(["extra", "calls"])]: pick(VALUES) });
  return {
    subject: chance(5) ? { type: pick(["User", "service", "__proto__"]), id: "alice" } : pick([user, agent]),
    action: { name },
    resource: { type: name === "crm.read" ? "Tool" : pick(["Account", "Account", "Account", "Tool", "nothing"]), id: pick(["a1", "a2", "\ud800x"]) },
    context,
  } as Evaluation;
}

function fitting(name: string, args: object): Evaluation {
  const agent = { type: "agent", id: "bot", properties: { tenant: "t", trust_zone: "first_party" } };
  const user = { type: "user", id: "alice", properties: { tenant: "t" } };
  const context = {
    agent,
    delegator: user,
    tenant: "t",
    purpose: "pay",
    time: 0,
    task: { id: "task", calls: 0, depth: 0, tools_used: [], previous_tool: null },
    labels: { integrity: "trusted", data_classes: [] },
    tool: { effect: "read", sends_outside: false, risk: 0, data_classes: [] },
    arguments: args,
  };
  return { subject: user, action: { name }, resource: { type: "Tool", id: name }, context };
}

/** What can be compared: the reasons for a refusal are in each evaluator's own words. */
function comparable({ effect, policies, errors }: PolicyAnswer): unknown {
  return { effect, policies: [...policies].sort(), errors: errors.some((error) => !error.startsWith("policy ")) ? "refused" : [...errors].sort() };
}

describe("the engine", () => {
  it("answers every question alike, compiled or by cedar-wasm, whether it fits the manifest or not", { timeout: 120_000 }, async () => {
    const compiled = createCedarEngine(FILES, manifest);
    const wasm = createCedarEngine(FILES, manifest, {}, "cedar-wasm");
    expect([compiled.evaluator, compiled.fallBack, wasm.evaluator]).toEqual(["compiled", undefined, "cedar-wasm"]);
    expect(wasm.fallBack).toBeTypeOf("string");
    expect(compiled.digest).toBe(wasm.digest);
    const seen = { permit: 0, deny: 0, failed: 0, refused: 0 };
    for (let index = 0; index < 1500; index++) {
      const random = randomOf(7, index);
      const first = someEvaluation(random);
      // Some batches share their context, as those of a chain do.
      const batch = random.chance(50)
        ? [first, { ...first, subject: { type: "user", id: "bob", properties: { tenant: "t" } } }]
        : [first, someEvaluation(random)];
      const [got, wanted] = await Promise.all([compiled.evaluate(batch), wasm.evaluate(batch)]);
      expect(got.map(comparable), JSON.stringify(batch)).toEqual(wanted.map(comparable));
      for (const { effect, errors } of got) seen[errors.length === 0 ? effect : errors[0]?.startsWith("policy ") === true ? "failed" : "refused"]++;
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
  });

  it("reads a context that two actions of a batch share by the types of each", async () => {
    const tools = parseManifest({
      tools: Object.fromEntries(
        ["integer", "number"].map((type) => [
          `t.${type}`,
          { names: [{ name: type, pin: "none" }], input_schema: { type: "object", properties: { n: { type } } }, effect: "read" },
        ]),
      ),
    });
    const policies = `permit (principal, action == Action::"t.integer", resource) when { context.arguments has n && context.arguments.n == 1 };
      permit (principal, action == Action::"t.number", resource) when { context.arguments has n && context.arguments.n == decimal("1.0") };`;
    const engine = createCedarEngine([{ name: "p.cedar", text: policies }], tools);
    const { subject, context: shared } = fitting("t.number", { n: 1 });
    const context = { ...shared, arguments: { n: 1 } };
    const batch = ["t.number", "t.integer"].map((name) => ({ subject, action: { name }, resource: { type: "Tool", id: name }, context }));
    expect(await engine.evaluate(batch)).toMatchObject([
      { effect: "permit", errors: [] },
      { effect: "permit", errors: [] },
    ]);
  });

  it("falls back to cedar-wasm for policies that the compiler does not have, and says why", async () => {
    const condition = `datetime("2024-01-01")${'.offset(duration("1d"))'.repeat(600)} > datetime("2024-01-01")`;
    const files = [{ name: "p.cedar", text: `permit (principal, action, resource) when { ${condition} };` }];
    const engine = createCedarEngine(files, manifest);
    expect(engine.evaluator).toBe("cedar-wasm");
    expect(engine.fallBack).toContain("deeper");
    const answers = await engine.evaluate([someEvaluation(randomOf(1, 0))]);
    expect(answers).toHaveLength(1);
  });

  it.each<readonly [string, Partial<Evaluation>]>([
    ["text that has half of a surrogate pair", { resource: { type: "Account", id: "\ud800" } }],
    ["data that is too deep", { subject: { type: "user", id: "eve", properties: { tenant: JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`) } } }],
    ["a number that JSON does not have", { subject: { type: "user", id: "eve", properties: { tenant: 1n } as never } }],
  ])("does not lose cedar-wasm to %s", { timeout: 60_000 }, async (_, change) => {
    const engine = createCedarEngine(FILES, manifest, {}, "cedar-wasm");
    const fine = fitting("crm.read", { id: "x" });
    for (let index = 0; index < 2000; index++) expect(await engine.evaluate([{ ...fine, ...change }])).toMatchObject([{ effect: "deny" }]);
    expect(await engine.evaluate([fine])).toMatchObject([{ effect: "permit", errors: [] }]);
  });
});
