import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sortedUnique } from "../../src/data/sets.ts";

describe("sortedUnique", () => {
  it("gives the one spelling of a set, frozen", () => {
    const texts = fc.array(fc.oneof(fc.constantFrom("", "a", "A", "aa", "10", "9", "__proto__", "\ufb33", "😀"), fc.string()));
    fc.assert(
      fc.property(texts, (list) => {
        const set = sortedUnique(list);
        expect(set).toStrictEqual([...new Set(list)].sort());
        expect(Object.isFrozen(set)).toBe(true);
        expect(sortedUnique(set)).toBe(set);
      }),
    );
  });

  it("leaves the list that it was given as it is, also one that is a set already", () => {
    for (const list of [[], ["a", "b"], ["b", "a"]]) {
      sortedUnique(list);
      expect(Object.isFrozen(list)).toBe(false);
    }
  });
});
