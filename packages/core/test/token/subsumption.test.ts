import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { subsumes } from "../../src/token/subsumption.ts";
import { all, allows, is, isIn, LISTS, read, SIMPLE, VALUES, type Wire } from "./universe.ts";

describe("subsumption", () => {
  it("never lets a child accept a value that its parent does not", () => {
    let held = 0;
    for (const parent of all) {
      for (const child of all) {
        if (!subsumes(parent.constraint, child.constraint)) continue;
        held++;
        const wider = child.accepted.filter((value) => !allows(parent.wire, value));
        expect(wider, `${JSON.stringify(parent.wire)} over ${JSON.stringify(child.wire)}`).toEqual([]);
      }
    }
    expect(held).toBeGreaterThan(all.length * 3);
  });

  it("is reflexive", () => {
    for (const { wire, constraint } of all) expect(subsumes(constraint, constraint), JSON.stringify(wire)).toBe(true);
  });

  it("holds for 19 of the 81 pairs of types and for no other", () => {
    const pairs = new Set(
      all.flatMap((parent) =>
        all.filter((child) => subsumes(parent.constraint, child.constraint)).map((child) => `${parent.constraint.type} ${child.constraint.type}`),
      ),
    );
    const types = ["exact", "range", "one_of", "not_one_of", "contains", "subset", "wildcard", "all", "any"];
    const legal = [...types.map((type) => `${type} ${type}`), "range exact", "one_of exact", ...types.map((type) => `wildcard ${type}`)];
    expect([...pairs].toSorted()).toEqual([...new Set(legal)].toSorted());
    expect(pairs.size).toBe(19);
  });

  it("between lists of one kind holds exactly when the sets say so", () => {
    const within = (part: readonly unknown[], whole: readonly unknown[]): boolean => part.every((element) => isIn(whole, element));
    for (const parent of LISTS) {
      for (const child of LISTS) {
        const holds = (type: string, member: string): boolean => subsumes(read(is(type, { [member]: parent })), read(is(type, { [member]: child })));
        if (parent.length > 0 && child.length > 0) expect(holds("one_of", "values")).toBe(within(child, parent));
        expect(holds("subset", "allowed")).toBe(within(child, parent));
        expect(holds("not_one_of", "excluded")).toBe(within(parent, child));
        expect(holds("contains", "required")).toBe(within(parent, child));
      }
    }
  });

  it("between ranges holds exactly when the bounds say so, also for an empty one", () => {
    const holds = (parent: object, child: object): boolean => subsumes(read(is("range", parent)), read(is("range", child)));
    expect(holds({ min: 1 }, { min: 1, min_inclusive: false })).toBe(true);
    expect(holds({ min: 1, min_inclusive: false }, { min: 1 })).toBe(false);
    expect(holds({ max: 1, max_inclusive: false }, { max: 1 })).toBe(false);
    expect(holds({ max: 1, max_inclusive: false }, { max: 0.9 })).toBe(true);
    expect(holds({ min: 1, max: 2 }, { min: 1 })).toBe(false);
    expect(holds({ min: 1, max: 2 }, {})).toBe(false);
    expect(holds({}, { min: 1 })).toBe(true);
    // Accepts nothing, and is still outside by its bounds.
    expect(holds({ min: 5 }, { min: 1, max: 1, min_inclusive: false })).toBe(false);
  });

  it.each<[string, Wire, Wire, boolean]>([
    [
      "one clause may serve several of the parent's",
      is("all", { constraints: [is("wildcard"), is("range", { max: 9 })] }),
      is("all", { constraints: [is("exact", { value: 5 })] }),
      true,
    ],
    [
      "a clause that serves none is one more restriction",
      is("all", { constraints: [is("range", { max: 9 })] }),
      is("all", { constraints: [is("exact", { value: 5 }), is("contains", { required: [] })] }),
      true,
    ],
    [
      "a clause that is dropped",
      is("all", { constraints: [is("range", { max: 9 }), is("range", { min: 1 })] }),
      is("all", { constraints: [is("range", { max: 5 })] }),
      false,
    ],
    [
      "an alternative that is dropped",
      is("any", { constraints: [is("exact", { value: 1 }), is("exact", { value: 2 })] }),
      is("any", { constraints: [is("exact", { value: 2 })] }),
      true,
    ],
    [
      "an alternative that is added",
      is("any", { constraints: [is("exact", { value: 1 })] }),
      is("any", { constraints: [is("exact", { value: 1 }), is("exact", { value: 2 })] }),
      false,
    ],
    ["an exact below an any, though it is narrower", is("any", { constraints: [is("exact", { value: 1 })] }), is("exact", { value: 1 }), false],
    ["a range below an all, though it is narrower", is("all", { constraints: [is("range", { max: 9 })] }), is("range", { max: 5 }), false],
    ["a one_of below a range, though it is narrower", is("range", { max: 9 }), is("one_of", { values: [1] }), false],
  ])("%s", (_, parent, child, expected) => {
    expect(subsumes(read(parent), read(child))).toBe(expected);
  });

  it("is sound for trees of any shape", () => {
    const { tree } = fc.letrec<{ tree: Wire }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom(...SIMPLE),
        fc.record({ constraint_type: fc.constantFrom("all", "any"), constraints: fc.array(tie("tree"), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<Wire>,
      ),
    }));
    let held = 0;
    fc.assert(
      fc.property(tree, tree, fc.boolean(), (parent, other, isOwn) => {
        // Half of the children are made of the parent, so that a good part of the pairs holds.
        const child = isOwn ? (narrowed(parent, other) as Wire) : other;
        if (!subsumes(read(parent), read(child))) return;
        held++;
        expect(VALUES.filter((value) => allows(child, value) && !allows(parent, value))).toEqual([]);
      }),
      { numRuns: 5000 },
    );
    expect(held).toBeGreaterThan(300);
  });

  it("of the largest constraints that fit into a token takes no time that matters", () => {
    const clauses = (value: string): Wire => is("any", { constraints: Array.from({ length: 255 }, () => is("one_of", { values: ["a", "b", value] })) });
    const [parent, child] = [read(clauses("x")), read(clauses("y"))];
    const began = performance.now();
    expect(subsumes(parent, child)).toBe(false);
    expect(performance.now() - began).toBeLessThan(1000); // a search through all pairings would be minutes
  });
});

/** The parent with one clause replaced, dropped or added. */
function narrowed(parent: Wire, other: Wire): unknown {
  const clauses = parent["constraints"] as readonly Wire[] | undefined;
  if (clauses === undefined) return other;
  return parent["constraint_type"] === "all" ? { ...parent, constraints: [...clauses, other] } : { ...parent, constraints: clauses.slice(0, 1) };
}
