import { describe, expect, it } from "vitest";
import { isIdentifier, isMemberName, isToolId } from "../../src/data/names.ts";
import { sortedUnique } from "../../src/data/sets.ts";
import { hasVectors, vectorText } from "../support/vectors.ts";

const HOSTILE = [
  "",
  " ",
  "a b",
  "a\n",
  "\na",
  "a\0",
  "a\u200d",
  "\u202ea",
  "\u0430",
  "\u017f",
  "\u212a",
  "\u0130",
  "a\ud800",
  "a\u0301",
  null,
  undefined,
  true,
  1,
  ["a"],
  { toString: () => "a" },
];

describe("names (I14)", () => {
  it.each(HOSTILE)("refuse %j, whatever they are names of", (name) => {
    expect([isToolId(name), isIdentifier(name), isMemberName(name)]).toStrictEqual([false, false, false]);
  });

  it("of tools are letters, digits, dot, dash and underscore", () => {
    expect(["contracts.read", "A-1_b", "a".repeat(128), "__proto__"].every(isToolId)).toBe(true);
    expect(["a".repeat(129), "*", "crm.*", "a/b", "a:b", "a%2eb", "a|b"].some(isToolId)).toBe(false);
  });

  it("of people, tasks and agents are visible ASCII", () => {
    expect(["user_7f3a91", "parent/sub", "spiffe://a/b", "a".repeat(256), "*"].every(isIdentifier)).toBe(true);
    expect(["a".repeat(257), "Zoë", "a\u007f"].some(isIdentifier)).toBe(false);
  });

  it("of constraints are snake_case", () => {
    expect(["customer_id", "a", `a${"b".repeat(63)}`].every(isMemberName)).toBe(true);
    expect(["customerId", "1a", "_a", "__proto__", "a-b", "a".repeat(65)].some(isMemberName)).toBe(false);
  });

  it("in sets are told apart and put in the order of code units", () => {
    expect(sortedUnique(["b", "B", "a", "b", "10", "9"])).toStrictEqual(["10", "9", "B", "a", "b"]);
    expect(Object.isFrozen(sortedUnique([]))).toBe(true);
  });
});

interface ToolNames {
  readonly allowed_tools: readonly string[];
  readonly vectors: readonly { readonly name: unknown; readonly allow: boolean; readonly why: string }[];
}

describe.skipIf(!hasVectors("hostile/tool-names.json"))("hostile tool names", () => {
  const data = hasVectors("hostile/tool-names.json") ? (JSON.parse(vectorText("hostile/tool-names.json")) as ToolNames) : { allowed_tools: [], vectors: [] };

  it.each(data.vectors)("$why", ({ name, allow }) => {
    const isAllowed = isToolId(name) && data.allowed_tools.includes(name);
    expect(isAllowed).toBe(allow);
  });
});
