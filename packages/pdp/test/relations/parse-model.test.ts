import { describe, expect, it } from "vitest";
import { parseRelationModel, relationNames } from "../../src/relations/index.ts";
import { codeOf } from "../../../core/test/support/codes.ts";

const types = (relations: unknown, others: Record<string, unknown> = {}): unknown => ({
  types: { user: {}, group: { relations: { member: ["user", "group#member"] } }, ...others, Doc: { relations } },
});

function messageOf(model: unknown): string {
  try {
    parseRelationModel(model, "relations.json");
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing thrown";
}

describe("a relation model", () => {
  it("names the relations of a type in order, and none of a type that it does not have", () => {
    const model = parseRelationModel(types({ viewer: ["user"], owner: ["user"] }));
    expect(relationNames(model, "Doc")).toEqual(["owner", "viewer"]);
    for (const type of ["user", "doc", "constructor", "__proto__", ""]) expect(relationNames(model, type)).toEqual([]);
  });

  it("has a digest of what was written", () => {
    const digest = parseRelationModel(types({ owner: ["user"] })).digest;
    expect(parseRelationModel(types({ owner: ["user"] })).digest).toBe(digest);
    expect(parseRelationModel(types({ owner: ["user", "user:*"] })).digest).not.toBe(digest);
  });

  it.each<readonly [string, unknown]>([
    ["a type that is not there", { owner: ["person"] }],
    ["a type in other letters", { owner: ["User"] }],
    ["a relation that the type does not have", { owner: ["group#owner"] }],
    ["everyone with a relation", { owner: ["user:*#member"] }],
    ["one id instead of everyone", { owner: ["user:alice"] }],
    ["a mark without a type", { owner: ["#member"] }],
    ["an empty list", { owner: [] }],
    ["something in a list that is no text", { owner: [["user"]] }],
    ["a relation of the same object that is not there", { owner: "editor" }],
    ["an inherited name for a relation", { owner: "toString" }],
    ["a combination of one", { owner: { any: [["user"]] } }],
    ["a combination of two kinds", { owner: { any: [["user"], ["user"]], all: [["user"], ["user"]] } }],
    ["two lists of one relation", { owner: { any: [["user"], ["group#member"]] } }],
    ["an exclusion without what is taken away", { owner: { base: ["user"] } }],
    ["an exclusion with a misspelt member", { owner: { base: ["user"], exept: "owner" } }],
    ["a `from` that is not there", { viewer: { relation: "viewer", from: "parent" } }],
    ["a `from` that is more than a list", { group: "part", part: ["group"], viewer: { relation: "member", from: "group" } }],
    ["a `from` of usersets", { parent: ["group#member"], viewer: { relation: "member", from: "parent" } }],
    ["a `from` of everyone", { parent: ["group", "group:*"], viewer: { relation: "member", from: "parent" } }],
    ["a `from` to a relation of nothing", { parent: ["group"], viewer: { relation: "owner", from: "parent" } }],
    ["a relation that is no expression", { owner: true }],
    ["a relation that is nothing", { owner: null }],
    ["a name with a capital", { Owner: ["user"] }],
    ["a name with a hyphen", { "can-view": ["user"] }],
    ["what never begins", { owner: "editor", editor: "owner" }],
    ["what only leads back to itself", { parent: ["Doc"], viewer: { relation: "viewer", from: "parent" } }],
    ["all of which one never holds", { parent: ["Doc"], viewer: { all: [["user"], { relation: "viewer", from: "parent" }] } }],
    ["a userset of itself alone", { viewer: ["Doc#viewer"] }],
    ["what is taken away from itself", { viewer: { base: ["user"], except: "viewer" } }],
    ["what is taken away from itself around a corner", { viewer: { base: ["user"], except: "blocked" }, blocked: ["user", "Doc#viewer"] }],
    ["what is taken away from itself through another object", { parent: ["Doc"], viewer: { base: ["user"], except: { relation: "viewer", from: "parent" } } }],
    ["what is taken away twice", { viewer: { base: ["user"], except: { base: "other", except: "viewer" } }, other: ["user"] }],
  ])("is refused with %s", (_, relations) => {
    expect(codeOf(() => parseRelationModel(types(relations)))).toBe("config_invalid");
  });

  it("takes what is taken away elsewhere, and relations that lead back to themselves but begin with tuples", () => {
    const relations = {
      parent: ["Doc"],
      blocked: { any: [["user", "Doc#blocked"], { relation: "blocked", from: "parent" }] },
      viewer: { base: { any: [["user:*", "group#member"], { relation: "viewer", from: "parent" }] }, except: "blocked" },
    };
    expect(codeOf(() => parseRelationModel(types(relations)))).toBe("nothing thrown");
  });

  it("follows `from` to the types that have the relation", () => {
    const relations = { parent: ["group", "user"], viewer: { relation: "member", from: "parent" } };
    expect(codeOf(() => parseRelationModel(types(relations)))).toBe("nothing thrown");
  });

  it("is refused with unknown members, bad type names, names that data must not have and expressions that are nested too deep", () => {
    const deep = (depth: number): unknown => (depth === 0 ? "other" : { any: ["other", deep(depth - 1)] });
    expect(codeOf(() => parseRelationModel(types({ other: ["user"], owner: deep(8) })))).toBe("nothing thrown");
    for (const model of [
      types({ other: ["user"], owner: deep(9) }),
      types({ owner: ["user"] }, { Org: { relation: {} } }),
      types({ owner: ["user"] }, { "Or g": {} }),
      types({ owner: ["user"] }, { "Org#x": {} }),
      types(JSON.parse('{ "__proto__": ["user"] }')),
      types({ constructor: ["user"] }),
      { types: {}, version: 1 },
      {},
      null,
      [],
    ]) {
      expect(codeOf(() => parseRelationModel(model))).toBe("config_invalid");
    }
  });

  it("is refused with more than a thousand relations", () => {
    const many = (count: number): unknown => types(Object.fromEntries(Array.from({ length: count }, (_, index) => [`r${index}`, ["user"]])));
    expect(codeOf(() => parseRelationModel(many(999)))).toBe("nothing thrown");
    expect(codeOf(() => parseRelationModel(many(1000)))).toBe("config_invalid");
  });

  it("says where it is wrong", () => {
    expect(messageOf(types({ owner: { any: [["user"], { base: "owner", except: ["x"] }] } }))).toContain(
      "relations.json: `types.Doc.relations.owner.any[1].except`",
    );
    expect(messageOf(types({ viewer: { base: ["user"], except: "viewer" } }))).toContain("relations.json: `types.Doc.relations.viewer`");
  });
});
