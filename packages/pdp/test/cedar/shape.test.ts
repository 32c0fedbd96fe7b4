import { AmbitError, type Json } from "@ambit/core";
import { describe, expect, it } from "vitest";
import { attributesOf, checkTypes, parsePolicies } from "../../src/cedar/policies.ts";
import { cedarModel } from "../../src/cedar/schema.ts";
import { createCedarEngine } from "../../src/cedar/cedar-engine.ts";
import { parseManifest } from "../../src/manifest/parse-manifest.ts";
import type { Evaluation } from "../../src/engine/policy-engine.ts";

const string = { type: "string" };

function manifestOf(schema: unknown): ReturnType<typeof parseManifest> {
  const input = { type: "object", properties: { s: schema } };
  return parseManifest({ tools: { t: { names: [{ name: "t", pin: "none" }], input_schema: input, effect: "read" } } });
}

function policyOf(condition: string): readonly { readonly name: string; readonly text: string }[] {
  return [
    {
      name: "p.cedar",
      text: `permit (principal, action, resource); forbid (principal, action == Action::"t", resource) when { context.arguments has s && ${condition} };`,
    },
  ];
}

/** `permit`, `deny`, `error`, or the code with which the policy is refused. */
async function answerOf(schema: unknown, condition: string, value: Json): Promise<string> {
  const manifest = manifestOf(schema);
  const files = policyOf(condition);
  try {
    const policies = parsePolicies(files);
    checkTypes(policies, cedarModel(manifest, attributesOf(policies)).schema);
  } catch (error) {
    return AmbitError.isInstance(error) ? error.code : String(error);
  }
  const agent = { type: "agent", id: "a", properties: { tenant: "t", trust_zone: "first_party" } };
  const user = { type: "user", id: "u", properties: { tenant: "t" } };
  const evaluation: Evaluation = {
    subject: user,
    action: { name: "t" },
    resource: { type: "Tool", id: "t" },
    context: {
      agent,
      delegator: user,
      tenant: "t",
      purpose: "p",
      time: 0,
      task: { id: "k", calls: 0, depth: 0, tools_used: [], previous_tool: null },
      labels: { integrity: "trusted", data_classes: [] },
      tool: { effect: "read", sends_outside: false, risk: 0, data_classes: [] },
      arguments: { s: value },
    },
  };
  const [answer] = await createCedarEngine(files, manifest).evaluate([evaluation]);
  return answer === undefined || answer.errors.length > 0 ? "error" : answer.effect;
}

const IS_OPEN = 'context.arguments.s == "open"';

describe("a comparison with text", () => {
  it.each([
    string,
    { enum: ["open", "closed"] },
    { enum: ["open", null] },
    { const: "open" },
    { type: ["string", "null"], enum: ["open", null] },
    { ...string, allOf: [{ minLength: 1 }] },
    { ...string, not: { const: "x" } },
    { ...string, if: { const: "x" }, else: false },
    { ...string, anyOf: [{ const: "open" }, { const: "closed" }] },
    { anyOf: [{ ...string, const: "open" }, { const: "closed" }, { type: "null" }] },
    { oneOf: [{ enum: ["open"] }, { anyOf: [string] }] },
  ])("holds where the schema admits only text: %j", async (schema) => {
    expect(await answerOf(schema, IS_OPEN, "open")).toBe("deny");
    expect(await answerOf(schema, IS_OPEN, "closed")).toBe("permit");
  });

  it.each([
    true,
    {},
    { minLength: 1 },
    { enum: ["open", 1] },
    { anyOf: [string, { type: "integer" }] },
    { anyOf: [string, true] },
    { type: ["string", "integer"] },
    { not: string },
    { allOf: [string] },
    { type: "object" },
  ])("is refused where the schema admits anything else, rather than never to hold: %j", async (schema) => {
    expect(await answerOf(schema, IS_OPEN, "open")).toBe("policy_invalid");
    expect(await answerOf(schema, 'context.arguments.s like "op*"', "open")).toBe("policy_invalid");
    expect(await answerOf(schema, 'context.arguments.s.json == "\\"open\\""', "open")).toBe("deny");
  });
});

it.each([{ enum: [1, 2] }, { const: 1 }, { type: "integer", not: { const: 3 } }, { anyOf: [{ const: 1 }, { const: 2 }] }])(
  "compares whole numbers where the schema admits only these: %j",
  async (schema) => {
    expect(await answerOf(schema, "context.arguments.s > 1", 2)).toBe("deny");
    expect(await answerOf(schema, "context.arguments.s > 1", 1)).toBe("permit");
  },
);

describe("a list", () => {
  const CONTAINS = 'context.arguments.s.contains("open")';

  it.each([string, { enum: ["open", "closed"] }, { anyOf: [{ const: "open" }, { const: "closed" }] }])("of text is a set of text: %j", async (items) => {
    expect(await answerOf({ type: "array", items }, CONTAINS, ["open"])).toBe("deny");
  });

  it.each([{ type: "array" }, { type: "array", items: { type: ["string", "null"] } }, { type: "array", items: { enum: ["open", null] } }])(
    "of anything else is a set of what Cedar has no type for: %j",
    async (schema) => {
      expect(await answerOf(schema, CONTAINS, ["open"])).toBe("policy_invalid");
      expect(await answerOf(schema, 'context.arguments.s.contains({ json: "\\"open\\"" })', ["open", null])).toBe("deny");
    },
  );
});
