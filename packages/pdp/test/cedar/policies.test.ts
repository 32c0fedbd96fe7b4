import { AmbitError } from "@ambit/core";
import { describe, expect, it } from "vitest";
import { attributesOf, checkTypes, parsePolicies, type Policies, type PolicyFile } from "../../src/cedar/policies.ts";
import { cedarModel } from "../../src/cedar/schema.ts";
import { parseManifest } from "../../src/manifest/parse-manifest.ts";
import { MANIFEST } from "../support/fixture.ts";

function load(...texts: string[]): Policies {
  const policies = parsePolicies(texts.map((text, index): PolicyFile => ({ name: `p${index}.cedar`, text })));
  checkTypes(policies, cedarModel(parseManifest(MANIFEST), attributesOf(policies)).schema);
  return policies;
}

function refusal(...texts: string[]): string {
  try {
    load(...texts);
  } catch (error) {
    return AmbitError.isInstance(error) ? `${error.code} ${error.message}` : `unexpected ${String(error)}`;
  }
  return "loaded";
}

it.each([
  ["does not parse", "\n\npermit (principal action, resource);", "policy_invalid p0.cedar:3:19"],
  [
    "does not parse, behind letters that are longer in bytes",
    '// ééé\npermit (principal, action, resource) when { "é" = "é" };',
    "policy_invalid p0.cedar:2:45",
  ],
  [
    "has a misspelt attribute",
    '\npermit (principal, action == Action::"crm.read", resource)\nwhen { context.arguments.customer == "c1" };',
    "policy_invalid p0.cedar:3:8",
  ],
  [
    "compares types that cannot be equal",
    'permit (principal, action == Action::"crm.read", resource) when { context.arguments.customer_id == 1 };',
    "policy_invalid p0.cedar:1:67",
  ],
  [
    "reads an optional attribute without asking for it",
    'permit (principal, action == Action::"crm.read", resource) when { context.arguments.limit < 5 };',
    "policy_invalid p0.cedar:1:67",
  ],
  ["names an action that is not there", 'permit (principal, action == Action::"crm.reed", resource);', "policy_invalid p0.cedar:1:"],
  ["names an entity type that is not there", "permit (principal is Robot, action, resource);", "policy_invalid p0.cedar:1:"],
  [
    "can never apply",
    'forbid (principal, action == Action::"crm.read", resource) when { principal is User && principal is Agent };',
    "policy_invalid p0.cedar:1:",
  ],
  ["is a template", "permit (principal == ?principal, action, resource);", "policy_invalid p0.cedar"],
  ["has the id of another", '@id("a") permit (principal, action, resource);\n@id("a") forbid (principal, action, resource);', "policy_invalid p0.cedar:2:1"],
])("refuses a policy that %s, and says where", (_, text, expected) => {
  expect(refusal(text)).toContain(expected);
});

it("says which of several files is at fault", () => {
  expect(refusal("permit (principal, action, resource);", "\npermit (x, action, resource);")).toContain("p1.cedar:2:9");
});

it("refuses nesting that would take the parser down, and goes on parsing afterwards", () => {
  const nested = (open: string, close: string, count: number): string =>
    `permit (principal, action, resource) when { ${open.repeat(count)}true${close.repeat(count)} };`;
  for (const count of [65, 500, 5000]) {
    expect(refusal(nested("(", ")", count))).toContain("policy_invalid");
    expect(refusal(nested("[", "]", count))).toContain("policy_invalid");
    expect(refusal(nested("if true then ", " else false", count * 4))).toContain("policy_invalid");
  }
  expect(refusal(nested("(", ")", 50))).toBe("loaded");
});

it("does not count brackets in text and comments", () => {
  expect(refusal(`permit (principal, action, resource) when { principal == User::"${"(".repeat(200)}" }; // ${"(".repeat(200)}`)).toBe("loaded");
});

it("takes the id of an annotation, else of the place", () => {
  expect([...load('@id("a") permit (principal, action, resource);\nforbid (principal, action, resource == Tool::"x");').keys()]).toEqual(["a", "p0.cedar#2"]);
});

it("refuses a policy that reads a tenant of the resource: nobody knows whose the thing is that an argument names", () => {
  expect(refusal('permit (principal, action == Action::"contracts.read", resource) when { resource.tenant == context.tenant };')).toContain("policy_invalid");
});

describe("a long file", () => {
  it("has its policies in the order in which they stand, each at its place, twice the same ones too", () => {
    const text = [
      ...Array.from({ length: 12 }, (_, index) => `permit (principal == User::"u${index}", action, resource);`),
      "permit (principal, action, resource);",
    ].join("\n");
    const policies = [...parsePolicies([{ name: "p", text: `${text}\npermit (principal, action, resource);` }]).entries()];
    expect(policies.map(([id]) => id)).toEqual(Array.from({ length: 14 }, (_, index) => `p#${index + 1}`));
    expect(policies.map(([, { offset }]) => offset)).toEqual(policies.map(([, { offset }]) => offset).toSorted((a, b) => a - b));
    expect(new Set(policies.map(([, { offset }]) => offset)).size).toBe(14);
  });

  it("is no long expression; of that the parser would not come back", () => {
    const chain = (count: number, operator: string): string =>
      `permit (principal, action, resource) when { ${Array(count).fill("true").join(` ${operator} `)} };`;
    for (const operator of ["&&", "||", "=="]) expect(refusal(chain(5000, operator))).toMatch(/^policy_invalid /);
    const many = Array.from({ length: 400 }, () => chain(5, "&&")).join("\n");
    expect(parsePolicies([{ name: "p", text: many }]).size).toBe(400);
  });
});
