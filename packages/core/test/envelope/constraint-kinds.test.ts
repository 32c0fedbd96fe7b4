import { describe, expect, it } from "vitest";
import type { Json } from "../../src/data/json.ts";
import { CONSTRAINT_KINDS, rulesOf, type ConstraintKind, type ConstraintValue } from "../../src/envelope/constraint-kinds.ts";
import { hasVectors, vectorList, vectorText } from "../support/vectors.ts";

const admits = (kind: ConstraintKind, constraint: ConstraintValue, value: unknown): boolean => rulesOf(kind).admits(constraint)(value as Json);

describe("equal", () => {
  it("admits the very value", () => {
    expect([admits("equal", "a", "a"), admits("equal", 1, 1), admits("equal", false, false), admits("equal", 0, -0)]).toStrictEqual([true, true, true, true]);
  });

  it.each([
    ["a", "A"],
    ["a", ["a"]],
    ["1", 1],
    [1, "1"],
    [1, true],
    [0, false],
    [0, null],
    ["a", null],
    [true, "true"],
    [[], []],
    [[], "a"],
  ])("of %j does not admit %j", (constraint, value) => {
    expect(admits("equal", constraint, value)).toBe(false);
  });
});

describe("subset", () => {
  it("admits one element, and a list of elements", () => {
    expect([admits("subset", ["a", "b"], "a"), admits("subset", ["a", "b"], ["b", "a", "b"])]).toStrictEqual([true, true]);
  });

  // An empty list means "all" to many services.
  it.each([[[]], ["c"], [["a", "c"]], [null], [0], [[null]], [[["a"]]], [{ 0: "a" }], [""], ["toString"]])("does not admit %j", (value) => {
    expect(admits("subset", ["a", "b"], value)).toBe(false);
  });

  it("of nothing admits nothing", () => {
    expect([admits("subset", [], []), admits("subset", [], "a"), admits("subset", [], "")]).toStrictEqual([false, false, false]);
  });
});

describe("max and min", () => {
  it("admit numbers on their side, the limit included", () => {
    expect([admits("max", 5, 5), admits("max", 5, 0), admits("max", 0, 0), admits("min", 5, 5), admits("min", 0, 7)]).toStrictEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
  });

  // −1 and null mean "no limit" to many services, and `null <= 5` holds in JavaScript.
  it.each([6, -1, null, "5", "", true, [], [5], {}, Number.NaN, Infinity])("of 5 at most does not admit %j", (value) => {
    expect(admits("max", 5, value)).toBe(false);
  });

  it.each([4, -6, null, "6", true, [6], {}, Number.NaN])("of 5 at least does not admit %j", (value) => {
    expect(admits("min", 5, value)).toBe(false);
  });
});

describe("path_prefix", () => {
  it("compares by segments", () => {
    expect([
      admits("path_prefix", ["/a"], "/a"),
      admits("path_prefix", ["/a"], "/a/b"),
      admits("path_prefix", ["/"], "/x"),
      admits("path_prefix", ["/b", "/a"], ["/a/1", "/b"]),
    ]).toStrictEqual([true, true, true, true]);
    expect([admits("path_prefix", ["/a"], "/ab"), admits("path_prefix", ["/a/b"], "/a"), admits("path_prefix", ["/a"], ["/a", "/c"])]).toStrictEqual([
      false,
      false,
      false,
    ]);
  });

  it.each([[[]], [null], [1], [["/a", null]], [{}], [""], ["/a/"], ["/a/./b"], ["/a/../a"], ["a"]])("of /a does not admit %j", (value) => {
    expect(admits("path_prefix", ["/a"], value)).toBe(false);
  });

  it("keeps no prefix below another one", () => {
    expect(rulesOf("path_prefix").parse(["/a/b", "/a", "/c", "/ab"])).toStrictEqual(["/a", "/ab", "/c"]);
    expect(rulesOf("path_prefix").parse("/a")).toStrictEqual(["/a"]);
    expect(rulesOf("path_prefix").parse(["/a/b", "/"])).toStrictEqual(["/"]);
    expect(rulesOf("path_prefix").parse(["/a/b", "/a-b", "/a"])).toStrictEqual(["/a", "/a-b"]);
  });

  it("takes no path of more than 64 segments or 1024 characters", () => {
    expect(admits("path_prefix", ["/"], "/a".repeat(64))).toBe(true);
    expect(admits("path_prefix", ["/"], "/a".repeat(65))).toBe(false);
    expect(admits("path_prefix", ["/"], `/${"a".repeat(1024)}`)).toBe(false);
  });
});

describe("constraint kinds", () => {
  it("are these five", () => {
    expect([...CONSTRAINT_KINDS.keys()]).toStrictEqual(["equal", "subset", "max", "min", "path_prefix"]);
    expect(() => rulesOf("toString" as ConstraintKind)).toThrow(TypeError);
  });

  it("describe themselves to a person", () => {
    const said = [rulesOf("equal").describe("a"), rulesOf("equal").describe([]), rulesOf("subset").describe(["a", "b"]), rulesOf("subset").describe([])];
    expect(said).toStrictEqual(["`a`", "nothing", "one of `a`, `b`", "nothing"]);
    expect([
      rulesOf("max").describe(5),
      rulesOf("min").describe(5),
      rulesOf("path_prefix").describe(["/a"]),
      rulesOf("path_prefix").describe([]),
    ]).toStrictEqual(["at most 5", "at least 5", "below `/a`", "nothing"]);
  });
});

describe("a long list", () => {
  it("is described by how it begins", () => {
    const names = Array.from({ length: 9 }, (_, index) => `/${index}`);
    expect(rulesOf("subset").describe(names.slice(0, 8))).not.toContain("more");
    expect(rulesOf("subset").describe(names)).toBe("one of `/0`, `/1`, `/2`, `/3`, `/4`, `/5`, `/6`, `/7` and 1 more");
    expect(rulesOf("path_prefix").describe([...names, "/9"])).toMatch(/^below `\/0` or .* or `\/7` and 2 more$/);
  });

  // A test of a thousand values by a thousand elements that looks at all of them took seconds, and nothing else runs meanwhile.
  it.each(["subset", "path_prefix"] as const)("of the kind %s is parsed, met and asked without comparing all with all", (kind) => {
    const many = Array.from({ length: 20_000 }, (_, index) => `/docs/k${index}`);
    const start = performance.now();
    const rules = rulesOf(kind);
    const constraint = rules.parse(many) as ConstraintValue;
    expect(rules.meet(constraint, constraint)).toStrictEqual(constraint);
    const isInside = rules.admits(constraint);
    expect(many.every(isInside)).toBe(true);
    expect(isInside("/docs/other")).toBe(false);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

interface PathVector {
  readonly path: string;
  readonly expect: "allow" | "deny" | "symlink" | "policy";
}

describe.skipIf(!hasVectors("hostile/path-constraints.json"))("hostile paths", () => {
  const prefix = hasVectors("hostile") ? (JSON.parse(vectorText("hostile/path-constraints.json")) as { readonly prefix: string }).prefix : "/";
  const constraint = rulesOf("path_prefix").parse(prefix) as ConstraintValue;

  // A symbolic link, and what a policy says of dot files, cannot be seen in a path: as far as the constraint goes both are below the prefix.
  it.each(vectorList<PathVector>("hostile/path-constraints.json"))("$path: $expect", (vector) => {
    expect(admits("path_prefix", constraint, vector.path)).toBe(vector.expect !== "deny");
  });
});
