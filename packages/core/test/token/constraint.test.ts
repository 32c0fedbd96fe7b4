import { describe, expect, it } from "vitest";
import type { Json } from "../../src/data/json.ts";
import { accepts, readConstraint } from "../../src/token/constraint.ts";
import { TOKEN_LIMITS } from "../../src/token/limits.ts";
import { all, is, isWellFormed, read, VALUES, type Wire } from "./universe.ts";

describe("a constraint", () => {
  it("accepts exactly what the draft says", () => {
    for (const { wire, constraint, accepted } of all) {
      expect(
        VALUES.filter((value) => accepts(constraint, value as Json)),
        JSON.stringify(wire),
      ).toEqual(accepted);
    }
  });

  it("compares numbers and texts as what they are", () => {
    expect(accepts(read(is("exact", { value: 1 })), "1")).toBe(false);
    expect(accepts(read(is("one_of", { values: ["null"] })), null)).toBe(false);
    expect(accepts(read(is("one_of", { values: [{ a: 1, b: [2] }] })), { b: [2], a: 1 })).toBe(true);
  });

  it.each<[string, unknown]>([
    ["no object", "wildcard"],
    ["null", null],
    ["without a type", {}],
    ["of an unknown type", is("regex", { pattern: "a" })],
    ["of a type that is no text", { constraint_type: ["exact"], value: 1 }],
    ["of a type in other letters", is("Exact", { value: 1 })],
    ["exact without a value", is("exact")],
    ["exact with a list", is("exact", { value: [1] })],
    ["exact with an object", is("exact", { value: {} })],
    ["exact with a member more", is("exact", { value: 1, note: "" })],
    ["a range with a text", is("range", { min: "1" })],
    ["a range with null", is("range", { max: null })],
    ["a range upside down", is("range", { min: 2, max: 1 })],
    ["a range with a flag without its bound", is("range", { min: 1, max_inclusive: true })],
    ["a range with a flag that is no boolean", is("range", { min: 1, min_inclusive: 0 })],
    ["one_of without values", is("one_of")],
    ["one_of nothing", is("one_of", { values: [] })],
    ["one_of an object", is("one_of", { values: {} })],
    ["not_one_of a text", is("not_one_of", { excluded: "a" })],
    ["contains with the list of another type", is("contains", { values: [] })],
    ["subset of null", is("subset", { allowed: null })],
    ["a wildcard with a value", is("wildcard", { value: 1 })],
    ["all of nothing", is("all", { constraints: [] })],
    ["any of nothing", is("any", { constraints: [] })],
    ["any of an object", is("any", { constraints: {} })],
    ["all of a clause that is not well-formed", is("all", { constraints: [is("wildcard"), is("exact")] })],
    ["optional inside any", is("any", { constraints: [is("wildcard", { optional: true })] })],
    ["with a number that is not exact", is("one_of", { values: [["a", { b: Number.NaN }]] })],
    ["exactly a number that is not exact", is("exact", { value: Number.NaN })],
    ["up to a number that is not exact", is("range", { max: Number.NaN })],
  ])("%s is not well-formed", (_, wire) => {
    expect(typeof readConstraint(wire as Json, TOKEN_LIMITS)).toBe("string");
  });

  it("nests 32 deep, not 33, and holds no more than its limit of clauses and values", () => {
    const nested = (depth: number): Wire => (depth === 1 ? is("wildcard") : is("any", { constraints: [nested(depth - 1)] }));
    expect([isWellFormed(nested(32)), isWellFormed(nested(33))]).toEqual([true, false]);
    const list = (length: number): readonly unknown[] => Array.from({ length }, (_, index) => index);
    expect([isWellFormed(is("one_of", { values: list(1023) })), isWellFormed(is("one_of", { values: list(1024) }))]).toEqual([true, false]);
    expect(isWellFormed(is("all", { constraints: Array.from({ length: 1024 }, () => is("wildcard")) }))).toBe(false);
  });
});
