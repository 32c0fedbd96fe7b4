import { describe, expect, it } from "vitest";
import type { EntityJson, SchemaJson } from "@cedar-policy/cedar-wasm/nodejs";
import { folded } from "../../../src/cedar/compiled/code.ts";
import { compilePolicies } from "../../../src/cedar/compiled/compile.ts";
import { compileExpression } from "../../../src/cedar/compiled/expressions.ts";
import type { CedarAnswer, CedarRequest } from "../../../src/cedar/compiled/evaluator.ts";
import { exactPolicyJson } from "../../../src/cedar/compiled/exact-json.ts";
import { patternOf } from "../../../src/cedar/compiled/pattern.ts";
import { compilePolicy, type Policy } from "../../../src/cedar/compiled/policy.ts";
import { decide } from "../../../src/cedar/compiled/policy-set.ts";
import type { Conforming } from "../../../src/cedar/compiled/request.ts";
import { readSchema } from "../../../src/cedar/compiled/schema.ts";
import { orUnsupported } from "../../../src/cedar/compiled/unsupported.ts";
import { contains, isEqual, setValue, type SetValue } from "../../../src/cedar/compiled/values.ts";
import { WORLD } from "./world.ts";

const PERMIT = "permit (principal, action, resource)";

const REQUEST: CedarRequest = {
  principal: { type: "User", id: "u0" },
  action: { type: "Action", id: "read" },
  resource: { type: "Doc", id: "d0" },
  context: { mfa: true, count: 1 },
  entities: [],
};

function ask(text: string, change: Partial<Record<keyof CedarRequest, unknown>> = {}, schema: SchemaJson<string> = WORLD): CedarAnswer {
  const compiled = compilePolicies(new Map([["p", text]]), schema);
  if ("unsupported" in compiled) throw new Error(compiled.unsupported);
  return compiled.batch()({ ...REQUEST, ...change } as CedarRequest);
}

const expectRefusal = (change: Partial<Record<keyof CedarRequest, unknown>>): void => expect(() => ask(`${PERMIT};`, change)).toThrow(TypeError);
const withContext = (json: string): { readonly context: unknown } => ({ context: { mfa: true, count: 1, ...(JSON.parse(json) as object) } });
const user = { uid: { type: "User", id: "u0" }, attrs: { name: "a", age: 1, friends: [], home: { city: "a" } }, parents: [] };
const withUser = (change: object): { readonly entities: unknown } => ({ entities: [{ ...user, ...change }] });

describe("a request that does not conform is refused:", () => {
  it("the one that the others change is not", () => {
    expect(ask(`${PERMIT};`, withUser({})).decision).toBe("allow");
  });

  it.each<readonly [string, Partial<Record<keyof CedarRequest, unknown>>]>([
    ["an action that nobody declared", { action: { type: "Action", id: "delete" } }],
    ["an action by an inherited name", { action: { type: "Action", id: "__proto__" } }],
    ["a group of actions", { action: { type: "Action", id: "all" } }],
    ["an action of another type", { action: { type: "User", id: "read" } }],
    ["a principal of a type that the action does not apply to", { principal: { type: "Team", id: "t0" } }],
    ["a principal of a type that nobody declared", { principal: { type: "constructor", id: "t0" } }],
    ["a principal with another member", { principal: { type: "User", id: "u0", role: "admin" } }],
    ["a resource of a type that the action does not apply to", { resource: { type: "Folder", id: "f0" } }],
    ["a resource that an enumerated type does not have", { resource: { type: "Color", id: "blue" } }],
    ["half of a surrogate pair in an id", { principal: { type: "User", id: "\udc00" } }],
    ["no context", { context: undefined }],
    ["a list for a context", { context: [] }],
    ["a context without a required member", { context: { mfa: true } }],
    ["a required member that is inherited", { context: Object.assign(Object.create({ count: 1 }) as object, { mfa: true }) }],
    ["a required member that is undefined", { context: { mfa: true, count: undefined } }],
    ["an undeclared member", withContext('{"admin":true}')],
    ["an undeclared `__proto__`", withContext('{"__proto__":{"mfa":true}}')],
    ["an undeclared `constructor`", withContext('{"constructor":1}')],
    ["null", withContext('{"text":null}')],
    ["a fraction", withContext('{"count":1.5}')],
    ["a number that has lost digits", withContext('{"count":9007199254740993}')],
    ["a number of more than 64 bits", { context: { mfa: true, count: 2n ** 63n } }],
    ["infinity", { context: { mfa: true, count: Infinity } }],
    ["a number as text", withContext('{"count":"1"}')],
    ["an entity for text", withContext('{"text":{"__entity":{"type":"User","id":"u0"}}}')],
    ["a call for text", withContext('{"text":{"__extn":{"fn":"ip","arg":"::"}}}')],
    ["an unknown of Cedar's partial evaluation", withContext('{"text":{"__extn":{"fn":"unknown","arg":"a"}}}')],
    ["an entity of another type", withContext('{"who":{"__entity":{"type":"Team","id":"t0"}}}')],
    ["a text object", { context: { mfa: true, count: 1, text: new String("a") } }],
    ["half of a surrogate pair", { context: { mfa: true, count: 1, text: "a\ud800" } }],
    ["half of a surrogate pair in a set", { context: { mfa: true, count: 1, tags: ["\udfff"] } }],
    ["half of a surrogate pair in an extension value", { context: { mfa: true, count: 1, rate: "1.0\ud800" } }],
    ["a call of nothing", withContext('{"rate":{"__extn":{"fn":"__proto__","arg":"1.0"}}}')],
    ["a call that makes another type", withContext('{"rate":{"__extn":{"fn":"ip","arg":"::"}}}')],
    ["a call with too many arguments", withContext('{"rate":{"__extn":{"fn":"decimal","args":["1.0","1.0"]}}}')],
    ["a set of two types", withContext('{"tags":["a",1]}')],
    ["a text for a set", withContext('{"tags":"a"}')],
    ["no list of entities", { entities: null }],
    ["an entity that is none", { entities: [null] }],
    ["an entity with another member", withUser({ admin: true })],
    ["an entity of a type that nobody declared", withUser({ uid: { type: "Robot", id: "r" } })],
    ["an entity without attributes", withUser({ attrs: undefined })],
    ["an entity with an undeclared attribute", withUser({ attrs: { ...user.attrs, admin: true } })],
    ["an entity without parents", withUser({ parents: undefined })],
    ["a parent of another type", withUser({ parents: [{ type: "User", id: "u1" }] })],
    ["an entity twice, with other attributes", { entities: [user, { ...user, attrs: { ...user.attrs, age: 2 } }] }],
    ["an entity twice, with other tags", { entities: [user, { ...user, tags: { a: 1 } }] }],
    ["an entity twice, with other parents", { entities: [user, { ...user, parents: [{ type: "Team", id: "t0" }] }] }],
    ["a tag of another type", withUser({ tags: { a: "1" } })],
    ["a tag with half of a surrogate pair", withUser({ tags: { "\ud800": 1 } })],
    ["tags of a type that has none", { entities: [{ uid: { type: "Folder", id: "f" }, attrs: {}, parents: [], tags: { a: 1 } }] }],
    [
      "an entity that is in itself",
      {
        entities: [
          { uid: { type: "Team", id: "a" }, attrs: { level: 1 }, parents: [{ type: "Team", id: "b" }] },
          { uid: { type: "Team", id: "b" }, attrs: { level: 1 }, parents: [{ type: "Team", id: "a" }] },
        ],
      },
    ],
    ["an action with parents of its own", { entities: [{ uid: { type: "Action", id: "read" }, attrs: {}, parents: [{ type: "Action", id: "write" }] }] }],
    ["an action with attributes", { entities: [{ uid: { type: "Action", id: "all" }, attrs: { a: 1 }, parents: [] }] }],
    ["an action that nobody declared, as an entity", { entities: [{ uid: { type: "Action", id: "new" }, attrs: {}, parents: [] }] }],
  ])("%s", (_, change) => expectRefusal(change));

  it("but not an entity that stands there twice and says the same", () => {
    expect(ask(`${PERMIT};`, { entities: [user, { ...user, tags: {} }] }).decision).toBe("allow");
  });

  it("and does not spoil the batch for the others", () => {
    const compiled = compilePolicies(new Map([["p", `${PERMIT};`]]), WORLD);
    const answer = "unsupported" in compiled ? undefined : compiled.batch();
    const context = { mfa: true };
    expect(() => answer?.({ ...REQUEST, context })).toThrow(TypeError);
    expect(() => answer?.({ ...REQUEST, context })).toThrow(TypeError);
    expect(answer?.(REQUEST).decision).toBe("allow");
  });

  it("what calls call, however deep, by their depth", () => {
    let now: unknown = { fn: "datetime", arg: "2024-01-01" };
    for (let depth = 0; depth < 100_000; depth++) now = { fn: "offset", args: [now, { fn: "duration", arg: "1d" }] };
    expectRefusal({ context: { mfa: true, count: 1, now } });
  });
});

describe("data stays data", () => {
  it("when it is called `__entity`", () => {
    const input = { amount: 1, __entity: "User" };
    expect(ask(`${PERMIT} when { context.input.__entity == "User" };`, { context: { mfa: true, count: 1, input } }).decision).toBe("allow");
  });

  it("when it is called `__proto__`, as an id, an attribute or a tag", () => {
    const uid = { type: "User", id: "__proto__" };
    const tags = JSON.parse('{"__proto__":9}') as EntityJson["tags"];
    const answer = ask(`${PERMIT} when { principal.getTag("__proto__") == 9 && !principal.hasTag("toString") };`, {
      principal: uid,
      entities: [{ ...user, uid, tags }],
    });
    expect(answer).toEqual({ decision: "allow", determining: ["p"], erroring: [] });
  });

  it("when its type and id could run together", () => {
    const entities = [{ uid: { type: "Folder", id: "\0f" }, attrs: {}, parents: [] }];
    expect(ask(`${PERMIT} when { Folder::"\\0f" == Folder::"f" };`, { entities }).decision).toBe("deny");
  });
});

describe("numbers keep their digits", () => {
  it.each([
    ['context has "9007199254740993" || "9007199254740993" == "9007199254740992" /* no comment in Cedar */'.split(" /*", 1)[0] ?? "", false],
    ["9007199254740993 == 9007199254740993 // 9007199254740994\n", true],
    ['// he said "\n 9007199254740993 == 9007199254740992 // so"\n', false],
    ["-9007199254740993 < -9007199254740992", true],
    ["1000000000000000 == 1000000000000000 && 1000000000000001 != 1000000000000000", true],
    ["1000000000000001 - 1000000000000000 == 1", true],
    ["[9223372036854775807, 1000000000000000].contains(9223372036854775807)", true],
  ])("%s", (condition, expected) => {
    expect(ask(`@note("1234567890123456789") ${PERMIT} when { ${condition} };`).decision).toBe(expected ? "allow" : "deny");
  });

  it("of a context that is given exactly", () => {
    expect(ask(`${PERMIT} when { context.count == 9223372036854775807 };`, { context: { mfa: true, count: 2n ** 63n - 1n } }).decision).toBe("allow");
    expect(ask(`${PERMIT} when { context.count == 7 };`, { context: { mfa: true, count: 7n } }).decision).toBe("allow");
  });

  it("or end the compilation", () => {
    expect(orUnsupported(() => compileExpression({ Value: 9007199254740992 }))).toHaveProperty("unsupported");
    expect(exactPolicyJson(`${PERMIT} when { 9007199254740993 == 1 };`).conditions).toEqual([
      { kind: "when", body: { "==": { left: { Value: 9007199254740993n }, right: { Value: 1 } } } },
    ]);
  });
});

describe("what the compiler does not have ends the compilation:", () => {
  const head = { effect: "permit", principal: { op: "All" }, action: { op: "All" }, resource: { op: "All" }, conditions: [] };
  it.each<readonly [string, unknown]>([
    ["an effect", { ...head, effect: "maybe" }],
    ["a slot", { ...head, principal: { op: "==", slot: "?principal" } }],
    ["a slot behind a type", { ...head, resource: { op: "is", entity_type: "Doc", in: { slot: "?resource" } } }],
    ["a kind of head", { ...head, action: { op: "like" } }],
    ["a kind of condition", { ...head, conditions: [{ kind: "if", body: { Value: true } }] }],
    ["an operator", { ...head, conditions: [{ kind: "when", body: { "%": { left: { Value: 1 }, right: { Value: 1 } } } }] }],
    ["an inherited operator", { ...head, conditions: [{ kind: "when", body: { constructor: [] } }] }],
    ["two operators in one", { ...head, conditions: [{ kind: "when", body: { Value: true, Var: "context" } }] }],
    ["an operator with one operand", { ...head, conditions: [{ kind: "when", body: { "==": { left: { Value: 1 } } } }] }],
    ["a variable", { ...head, conditions: [{ kind: "when", body: { Var: "time" } }] }],
    ["a literal", { ...head, conditions: [{ kind: "when", body: { Value: null } }] }],
    ["an unknown", { ...head, conditions: [{ kind: "when", body: { unknown: [{ Value: "x" }] } }] }],
    ["no policy at all", null],
  ])("%s", (_, json) => {
    expect(orUnsupported(() => compilePolicy("p", json))).toHaveProperty("unsupported");
  });

  it.each<readonly [string, unknown]>([
    ["a record that is open", { entityTypes: { U: { shape: { type: "Record", attributes: {}, additionalAttributes: true } } }, actions: {} }],
    ["an action with attributes", { entityTypes: {}, actions: { a: { attributes: { x: 1 } } } }],
    ["a type that nobody declared", { entityTypes: { U: { shape: { type: "Record", attributes: { x: { type: "Nothing" } } } } }, actions: {} }],
    ["a type that leads to itself", { commonTypes: { A: { type: "Set", element: { type: "A" } } }, entityTypes: { U: { tags: { type: "A" } } }, actions: {} }],
    ["an extension type", { entityTypes: { U: { tags: { type: "Extension", name: "matrix" } } }, actions: {} }],
    ["a parent that nobody declared", { entityTypes: { U: { memberOfTypes: ["V"] } }, actions: {} }],
  ])("%s in the schema", (_, namespace) => {
    expect(orUnsupported(() => readSchema({ "": namespace } as never))).toHaveProperty("unsupported");
  });

  it("an expression that is too deep", () => {
    const nested = (depth: number): unknown => JSON.parse(`${'{"!":{"arg":'.repeat(depth)}{"Value":true}${"}}".repeat(depth)}`);
    expect(orUnsupported(() => compileExpression(nested(400)))).toHaveProperty("isConstant");
    expect(orUnsupported(() => compileExpression(nested(3000)))).toHaveProperty("unsupported");
  });

  it("one policy of many, for all of them", () => {
    const deep = `datetime("2024-01-01")${'.offset(duration("1d"))'.repeat(600)} < datetime("2024-01-01")`;
    const policies = new Map([
      ["a", `${PERMIT};`],
      ["b", `forbid (principal, action, resource) when { ${deep} };`],
    ]);
    expect(compilePolicies(policies, WORLD)).toHaveProperty("unsupported");
  });
});

describe("a mistake of ours", () => {
  const broken = (): never => {
    throw new RangeError("Maximum call stack size exceeded");
  };

  it("in a policy is no failure of the policy: nothing is decided", () => {
    const policy: Policy = { id: "p", isForbid: true, concerns: () => true, isSatisfied: broken };
    expect(() => decide([policy], {} as Conforming)).toThrow(RangeError);
  });

  it("in what is constant ends the compilation", () => {
    expect(() => folded(broken, [])).toThrow(RangeError);
  });
});

describe("size", () => {
  it("of a chain does not count as depth", () => {
    expect(ask(`${PERMIT} when { ${"context.mfa && ".repeat(900)}context.mfa };`).decision).toBe("allow");
    expect(ask(`${PERMIT} when { ${"context.count + ".repeat(900)}context.count == 901 };`).decision).toBe("allow");
  });

  it("of a set neither hides an element nor invents one", () => {
    const tags = Array.from({ length: 100_000 }, (_, index) => `t${index}`);
    const context = { mfa: true, count: 1, tags };
    const condition = 'context.tags.contains("t99999") && !context.tags.contains("t100000") && context.tags.containsAll(["t1", "t77777"])';
    expect(ask(`${PERMIT} when { ${condition} && !context.tags.containsAny(["t", ""]) && context.tags == context.tags };`, { context }).decision).toBe("allow");
  });

  it("of nested sets is looked through once", () => {
    const nested = (): SetValue => {
      let set = setValue([1]);
      for (let depth = 0; depth < 200; depth++) set = setValue([depth, set]);
      return set;
    };
    const [left, right] = [nested(), nested()];
    expect(isEqual(left, right)).toBe(true);
    expect(contains(setValue([left]), right)).toBe(true);
    expect(isEqual(left, setValue([200, nested()]))).toBe(false);
  });

  it("of a pattern does not multiply with that of a text", () => {
    const matches = patternOf(Array.from({ length: 20_000 }, () => "a"));
    expect(matches(`${"a".repeat(200_000)}b`)).toBe(false);
    expect(matches("a".repeat(200_000))).toBe(true);
  });
});
