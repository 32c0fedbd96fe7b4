import { describe, expect, it } from "vitest";
import { createCedarEngine } from "../../src/cedar/cedar-engine.ts";
import { parseManifest } from "../../src/manifest/parse-manifest.ts";
import type { Evaluation, PolicyAnswer } from "../../src/engine/policy-engine.ts";

const INPUT = {
  type: "object",
  properties: {
    amount: { type: "integer" },
    rate: { type: "number" },
    note: { anyOf: [{ type: "string" }, { type: "null" }] },
    tags: { type: "array", items: { type: "string" } },
    address: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
    extra: { type: "object" },
    either: { anyOf: [{ type: "string" }, { type: "integer" }] },
  },
  required: ["amount"],
};

const manifest = parseManifest({
  tools: { "pay.out": { names: [{ name: "pay", pin: "none" }], input_schema: INPUT, effect: "write", resource: { type: "Account", id: "/note" } } },
});

const agent = { type: "agent", id: "bot", properties: { tenant: "t", trust_zone: "first_party" } };
const user = { type: "user", id: "alice", properties: { tenant: "t" } };

function evaluation(args: object, change: Partial<Evaluation> = {}): Evaluation {
  return {
    subject: user,
    action: { name: "pay.out" },
    resource: { type: "Account", id: "a1" },
    context: {
      agent,
      delegator: user,
      tenant: "t",
      purpose: "pay",
      time: 0,
      task: { id: "task", calls: 0, depth: 0, tools_used: [], previous_tool: null },
      labels: { integrity: "trusted", data_classes: [] },
      tool: { effect: "write", sends_outside: true, risk: 100, data_classes: [] },
      arguments: args,
    },
    ...change,
  } as Evaluation;
}

async function ask(text: string, args: object, change: Partial<Evaluation> = {}): Promise<PolicyAnswer> {
  const [answer] = await createCedarEngine([{ name: "p.cedar", text }], manifest).evaluate([evaluation(args, change)]);
  return answer as PolicyAnswer;
}

const isPermit = ({ effect, errors }: PolicyAnswer): boolean => effect === "permit" && errors.length === 0;
const PERMIT = 'permit (principal, action == Action::"pay.out", resource)';

describe("arguments", () => {
  it.each([
    [`${PERMIT} when { context.arguments.amount < 10 };`, { amount: 9 }, true],
    [`${PERMIT} when { context.arguments.amount < 10 };`, { amount: 10 }, false],
    [`${PERMIT} when { context.arguments has rate && context.arguments.rate.lessThan(decimal("1.5")) };`, { amount: 1, rate: 1.4999 }, true],
    [`${PERMIT} when { context.arguments has rate && context.arguments.rate.lessThan(decimal("1.5")) };`, { amount: 1, rate: 1.5 }, false],
    [`${PERMIT} unless { context.arguments has note };`, { amount: 1, note: null }, true],
    [`${PERMIT} unless { context.arguments has note };`, { amount: 1, note: "" }, false],
    [`${PERMIT} when { context.arguments has tags && context.arguments.tags.contains("a") };`, { amount: 1, tags: ["b", "a"] }, true],
    [`${PERMIT} when { context.arguments has address && context.arguments.address.city == "Rome" };`, { amount: 1, address: { city: "Rome" } }, true],
    [`${PERMIT} when { context.arguments has extra && context.arguments.extra.json == "{\\"a\\":1}" };`, { amount: 1, extra: { a: 1 } }, true],
    [`${PERMIT} when { context.arguments has either && context.arguments.either.json == "7" };`, { amount: 1, either: 7 }, true],
    [`${PERMIT} when { context.agent.trust_zone == "first_party" && context.delegator == principal };`, { amount: 1 }, true],
    [`${PERMIT} when { resource == Account::"a1" };`, { amount: 1 }, true],
  ])("%s with %j", async (text, args, permitted) => {
    expect(isPermit(await ask(text, args))).toBe(permitted);
  });

  it.each([
    ["text for a number", { amount: "5" }],
    ["null for a number", { amount: null }],
    ["a missing required one", {}],
    ["a fraction for a whole number", { amount: 1.5 }],
    ["a number with too many places", { amount: 1, rate: 0.00001 }],
    ["a number beyond the range", { amount: 1, rate: 1e15 }],
    ["a member that nobody declared", { amount: 1, admin: true }],
    ["a nested member that nobody declared", { amount: 1, address: { city: "Rome", zip: 1 } }],
    ["an entity where text is due", { amount: 1, note: { __entity: { type: "User", id: "alice" } } }],
    ["an extension where text is due", { amount: 1, note: { __extn: { fn: "decimal", arg: "1.0" } } }],
    ["an inherited name", JSON.parse('{"amount":1,"toString":1}') as object],
  ])("that do not convert are an error, never left out: %s", async (_, args) => {
    const reading =
      'permit (principal, action, resource); forbid (principal, action == Action::"pay.out", resource) when { context.arguments.amount > 9 || context.arguments has rate || context.arguments has note || (context.arguments has address && context.arguments.address has city) };';
    const answer = await ask(reading, args);
    expect(answer.errors).not.toEqual([]);
    expect(isPermit(answer)).toBe(false);
  });

  it("that no policy reads need not convert: a number may have as many places as it likes", async () => {
    expect(isPermit(await ask("permit (principal, action, resource);", { amount: 1, rate: 52.520008 }))).toBe(true);
    expect(
      isPermit(
        await ask('permit (principal, action, resource); forbid (principal, action == Action::"pay.out", resource) when { context.arguments has rate };', {
          amount: 1,
          rate: 52.520008,
        }),
      ),
    ).toBe(false);
  });

  it("lists that a policy reads have at most a thousand elements; others are as long as they are", async () => {
    const forbidding = 'permit (principal, action, resource); forbid (principal, action == Action::"pay.out", resource) when { ';
    const reading = `${forbidding}context.arguments has tags && context.arguments.tags.contains("zz") };`;
    const tags = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `tag${index}`);
    expect(isPermit(await ask(reading, { amount: 1, tags: tags(1000) }))).toBe(true);
    expect((await ask(reading, { amount: 1, tags: tags(1001) })).errors).not.toEqual([]);
    expect(isPermit(await ask("permit (principal, action, resource);", { amount: 1, tags: tags(1001) }))).toBe(true);
  });

  it("stay data when they look like an entity", async () => {
    const text = `${PERMIT} when { context.arguments has extra && context.arguments.extra.json == "{\\"__entity\\":{\\"id\\":\\"alice\\",\\"type\\":\\"User\\"}}" };`;
    expect(isPermit(await ask(text, { amount: 1, extra: { __entity: { type: "User", id: "alice" } } }))).toBe(true);
  });
});

describe("errors", () => {
  it("in a forbid are a deny, though Cedar would skip it and allow", async () => {
    const overflow =
      'permit (principal, action, resource); forbid (principal, action == Action::"pay.out", resource) when { context.arguments.amount * 9007199254740991 > 0 };';
    const answer = await ask(overflow, { amount: 9_007_199_254_740_991 });
    expect(answer.effect).toBe("permit"); // this is the trap
    expect(answer.errors).not.toEqual([]);
  });

  it.each([
    ["an action that nobody declared", { action: { name: "pay.in" } }],
    ["an inherited action", { action: { name: "constructor" } }],
    ["a resource of another type", { resource: { type: "Tool", id: "x" } }],
    ["a principal that is neither user nor agent", { subject: { type: "service", id: "x" } }],
    ["a principal of Cedar's own naming", { subject: { type: "User", id: "alice" } }],
  ])("%s", async (_, change) => {
    const answer = await ask("permit (principal, action, resource);", { amount: 1 }, change);
    expect(answer.errors).not.toEqual([]);
  });
});

describe("groups", () => {
  it("of actions hold, because the schema is always given", async () => {
    expect(isPermit(await ask('permit (principal, action, resource); forbid (principal, action in Action::"effect:write", resource);', { amount: 1 }))).toBe(
      false,
    );
    expect(isPermit(await ask('permit (principal, action in Action::"ambit:call", resource);', { amount: 1 }))).toBe(true);
  });
});

it("has no opinion, and therefore denies, without policies", async () => {
  const engine = createCedarEngine([], manifest);
  expect(engine.isEmpty).toBe(true);
  expect(await engine.evaluate([evaluation({ amount: 1 })])).toMatchObject([{ effect: "deny" }]);
});

it("names the policies that determined the answer, and changes its digest with them", async () => {
  const [a, b] = ["permit (principal, action, resource);", '@id("mine") permit (principal, action, resource);'].map((text) =>
    createCedarEngine([{ name: "p.cedar", text }], manifest),
  );
  expect(await a?.evaluate([evaluation({ amount: 1 })])).toMatchObject([{ policies: ["p.cedar#1"] }]);
  expect(await b?.evaluate([evaluation({ amount: 1 })])).toMatchObject([{ policies: ["mine"] }]);
  expect(a?.digest).not.toBe(b?.digest);
});
