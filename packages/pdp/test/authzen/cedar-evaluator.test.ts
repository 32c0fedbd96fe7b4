import { AmbitError, type JsonObject } from "@ambit/core";
import { createCedarEvaluator, type Asker, type CedarEvaluatorOptions, type Thing } from "@ambit/pdp/authzen";
import { describe, expect, it } from "vitest";

const ASKER: Asker = { mayActFor: () => true };

const SCHEMA = `
  entity Group in [Group];
  entity Person in [Group] { level?: Long, tags?: Set<String>, boss?: Person, limit?: decimal };
  entity Doc { owner?: Person, status?: String, since?: datetime };
  action view, edit appliesTo { principal: Person, resource: Doc, context: { action?: { soft?: Bool }, amount?: Long } };`;

function evaluator(policies: string, more: Partial<CedarEvaluatorOptions> = {}) {
  const made = createCedarEvaluator({
    schema: SCHEMA,
    policies: [{ name: "p.cedar", text: policies }],
    entities: [
      { uid: { type: "Person", id: "ann" }, attrs: { level: 3, boss: { __entity: { type: "Person", id: "zoe" } } }, parents: [{ type: "Group", id: "inner" }] },
      { uid: { type: "Person", id: "zoe" }, attrs: { level: 9, tags: ["b", "a"], limit: { __extn: { fn: "decimal", arg: "1.5" } } }, parents: [] },
      { uid: { type: "Group", id: "inner" }, attrs: {}, parents: [{ type: "Group", id: "outer" }] },
      { uid: { type: "Doc", id: "d1" }, attrs: { status: "open", owner: { __entity: { type: "Person", id: "ann" } } }, parents: [] },
    ],
    ...more,
  });
  return {
    ...made,
    ask: async (subject: Partial<Thing> = {}, resource: Partial<Thing> = {}, context: JsonObject = {}, action: JsonObject = { name: "view" }) => {
      const question = { subject: { type: "Person", id: "ann", ...subject }, action, resource: { type: "Doc", id: "d1", ...resource }, context };
      const [answer] = await made.evaluate([question as never], ASKER);
      return answer?.decision === true ? "permit" : answer?.context?.["reason"];
    },
  };
}

const code = (run: () => unknown): string => {
  try {
    run();
    return "none";
  } catch (error) {
    return AmbitError.isInstance(error) ? error.code : "another";
  }
};

describe("the Cedar evaluator", () => {
  it("denies what no policy permits, and what there is not", async () => {
    const { ask } = evaluator(`permit (principal, action == Action::"view", resource);`);
    expect(await ask()).toBe("permit");
    expect(await ask({ id: "nobody" }, { id: "nothing" })).toBe("permit");
    expect(await ask({}, {}, {}, { name: "edit" })).toBe("policy_denied");
    expect(await ask({}, {}, {}, { name: "constructor" })).toBe("policy_denied");
    expect(await ask({ type: "Doc" })).toBe("policy_denied");
    expect(await ask({ type: "__proto__" })).toBe("policy_denied");
    expect(await ask({}, { type: "person" })).toBe("policy_denied");
  });

  it("knows groups however far up, and what is known of the people that others mention", async () => {
    expect(await evaluator(`permit (principal in Group::"outer", action, resource);`).ask()).toBe("permit");
    expect(await evaluator(`permit (principal in Group::"outer", action, resource);`).ask({ id: "zoe" })).toBe("policy_denied");
    expect(
      await evaluator(`permit (principal, action, resource) when { principal has boss && principal.boss has level && principal.boss.level == 9 };`).ask(),
    ).toBe("permit");
    expect(await evaluator(`permit (principal, action, resource) when { Person::"zoe" has level && Person::"zoe".level == 9 };`).ask()).toBe("permit");
    expect(await evaluator(`permit (principal, action, resource) when { resource has owner && resource.owner == principal };`).ask()).toBe("permit");
  });

  it("denies where a policy errs, though another permits: Cedar itself would skip the forbid", async () => {
    const { ask } = evaluator(
      `permit (principal, action, resource); forbid (principal, action, resource) when { context has amount && context.amount + 9223372036854775807 > 0 };`,
    );
    expect(await ask()).toBe("permit");
    expect(await ask({}, {}, { amount: 1 })).toBe("policy_error");
  });

  it("lets nobody say something else than is known", async () => {
    const open = evaluator(`permit (principal, action, resource) when { resource has status && resource.status == "open" };`);
    expect(await open.ask({}, { properties: { status: "open" } })).toBe("permit");
    expect(await open.ask({}, { properties: { status: "closed" } })).toBe("policy_error");
    expect(await open.ask({}, { id: "d2", properties: { status: "open" } })).toBe("permit");
    expect(await open.ask({ properties: { tags: ["x"] } })).toBe("permit");
    expect(await open.ask({ id: "zoe", properties: { tags: ["a", "b"], limit: "1.5" } })).toBe("permit");
    expect(await open.ask({ id: "zoe", properties: { limit: 1.5 } })).toBe("permit");
    expect(await open.ask({ id: "zoe", properties: { tags: ["a"] } })).toBe("policy_error");
    expect(await open.ask({ properties: { boss: "zoe" } })).toBe("permit");
    expect(await open.ask({ properties: { boss: { type: "Person", id: "ann" } } })).toBe("policy_error");
  });

  it("denies what does not convert to its declared type, and ignores what is not declared", async () => {
    const { ask } = evaluator(`permit (principal, action, resource);`);
    expect(await ask({ properties: { undeclared: { deep: [1] }, constructor: 1 } }, {}, { undeclared: true })).toBe("permit");
    for (const properties of [
      { level: "3" },
      { level: 3.5 },
      { tags: "a" },
      { tags: [1] },
      { tags: Array.from({ length: 1001 }, String) },
      { boss: { __entity: { type: "Person", id: "zoe" } } },
      { boss: 1 },
      { limit: { __extn: { fn: "decimal", arg: "1.0" } } },
    ])
      expect([properties, await ask({ id: "new", properties: properties as never })]).toEqual([properties, "policy_error"]);
    for (const since of ["yesterday", 5, { __extn: { fn: "datetime", arg: "2026-01-01" } }])
      expect([since, await ask({}, { id: "d2", properties: { since: since as never } })]).toEqual([since, "policy_error"]);
    expect(await ask({}, { id: "d2", properties: { since: "2026-01-01" } })).toBe("permit");
    expect(await ask({}, {}, { amount: true })).toBe("policy_error");
  });

  it("reads the properties of the action from the action alone", async () => {
    const { ask } = evaluator(`permit (principal, action, resource) when { context has action && context.action has soft && context.action.soft };`);
    expect(await ask({}, {}, {}, { name: "edit", properties: { soft: true } })).toBe("permit");
    expect(await ask({}, {}, { action: { soft: true } }, { name: "edit" })).toBe("policy_denied");
    expect(await ask({}, {}, { action: { soft: true } }, { name: "edit", properties: { soft: false } })).toBe("policy_denied");
  });

  it("refuses what does not load, and what does not fit", () => {
    const fails = (options: Partial<CedarEvaluatorOptions>): string => code(() => createCedarEvaluator({ schema: SCHEMA, policies: [], ...options }));
    expect(fails({})).toBe("none");
    expect(fails({ schema: "entity" })).toBe("policy_invalid");
    expect(fails({ policies: [{ name: "p", text: "permit" }] })).toBe("policy_invalid");
    expect(fails({ policies: [{ name: "p", text: `permit (principal, action, resource) when { principal.nothing };` }] })).toBe("policy_invalid");
    const ann = { uid: { type: "Person", id: "ann" }, attrs: {}, parents: [] };
    expect(fails({ entities: [{ ...ann, attrs: { level: "x" } }] })).toBe("policy_invalid");
    expect(fails({ entities: [ann, ann] })).toBe("policy_invalid");
    expect(fails({ entities: [{ ...ann, uid: { type: "Ghost", id: "g" } }] })).toBe("policy_invalid");
  });

  it("looks into a namespace where it is told to", async () => {
    const made = createCedarEvaluator({
      schema: `namespace App { entity Person; entity Doc; action view appliesTo { principal: Person, resource: Doc }; }`,
      policies: [{ name: "p.cedar", text: `permit (principal, action == App::Action::"view", resource);` }],
      entities: [{ uid: { type: "App::Person", id: "ann" }, attrs: {}, parents: [] }],
      namespace: "App",
    });
    const question = { subject: { type: "Person", id: "ann" }, action: { name: "view" }, resource: { type: "Doc", id: "1" }, context: {} };
    expect(await made.evaluate([question], ASKER)).toEqual([{ decision: true }]);
    expect(await made.searchSubjects?.({ ...question, subject: { type: "Person" } }, { after: undefined, limit: 5 }, ASKER)).toEqual({
      results: [{ type: "Person", id: "ann" }],
    });
    expect(await made.searchActions?.(question, { after: undefined, limit: 5 }, ASKER)).toEqual({ results: [{ name: "view" }] });
  });

  it("finds what it would permit, and nothing else", async () => {
    const found = evaluator(`permit (principal, action, resource) when { principal has level && principal.level > 5 };`);
    const search = { action: { name: "view" }, resource: { type: "Doc", id: "d1" }, context: {} };
    const names = async (subject: { readonly type: string; readonly properties?: JsonObject }) =>
      (await found.searchSubjects?.({ ...search, subject }, { after: undefined, limit: 5 }, ASKER))?.results.map(({ id }) => id);
    expect(await names({ type: "Person" })).toEqual(["zoe"]);
    expect(await names({ type: "Person", properties: { level: 9 } })).toEqual(["zoe"]);
    expect(await names({ type: "Person", properties: { level: 8 } })).toEqual([]);
    expect(await names({ type: "Group" })).toEqual([]);
  });
});
