import { describe, expect, it } from "vitest";
import { purposeLine, type PurposeTree } from "../../src/envelope/purposes.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";
import { codeOf } from "../support/codes.ts";

describe("createVocabulary", () => {
  it("has the keys of the design built in", () => {
    expect(Object.fromEntries(createVocabulary().kinds)).toStrictEqual({
      customer_id: "equal",
      contract_ids: "subset",
      data_classes: "subset",
      max_records: "max",
      path_prefix: "path_prefix",
    });
  });

  it("takes further keys, and pins them by a digest that knows no order", () => {
    const [a, b] = [createVocabulary({ region: "subset", min_score: "min" }), createVocabulary({ min_score: "min", region: "subset" })];
    expect(a.kinds.get("region")).toBe("subset");
    expect(a.digest).toBe(b.digest);
    expect(new Set([a.digest, createVocabulary().digest, createVocabulary({ region: "equal" }).digest]).size).toBe(3);
    expect(createVocabulary({ customer_id: "equal" }).digest).toBe(createVocabulary().digest);
  });

  it.each([
    ["no object", []],
    ["null", null],
    ["text", "region"],
    ["an unknown kind", { region: "regex" }],
    ["an inherited kind", { region: "toString" }],
    ["a kind that is no text", { region: ["subset"] }],
    ["a kind that is null", { region: null }],
    ["a key in camelCase", { regionId: "subset" }],
    ["a key that is empty", { "": "subset" }],
    ["a key with a blank", { "a b": "subset" }],
    ["the name of the prototype", JSON.parse('{"__proto__":"subset"}')],
    ["another kind for a built-in key", { customer_id: "subset" }],
    ["another kind for `max_records`", { max_records: "min" }],
    ["a map", new Map([["region", "subset"]])],
  ])("refuses %s", (_, additions) => {
    expect(codeOf(() => createVocabulary(additions))).toBe("config_invalid");
  });
});

describe("purposeLine", () => {
  const tree = (parents: Readonly<Record<string, string | null>>): PurposeTree => ({
    parentOf: (purpose) => (Object.hasOwn(parents, purpose) ? parents[purpose] : undefined),
    digest: "",
  });

  it("is the purpose and everything above it", () => {
    expect(purposeLine(tree({ a: null, b: "a", c: "b" }), "c")).toStrictEqual(["c", "b", "a"]);
  });

  it("is nothing for a purpose, or an ancestor, that is not in the catalogue", () => {
    expect(purposeLine(tree({ a: null }), "toString")).toBeUndefined();
    expect(purposeLine(tree({ b: "a" }), "b")).toBeUndefined();
  });

  it("is nothing in a catalogue that is no tree", () => {
    expect(purposeLine(tree({ a: "b", b: "a" }), "a")).toBeUndefined();
    expect(purposeLine(tree({ a: "a" }), "a")).toBeUndefined();
  });
});
