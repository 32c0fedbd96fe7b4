import { describe, expect, it } from "vitest";
import type { Json } from "../../src/data/json.ts";
import { readConstraint, type Constraint } from "../../src/token/constraint.ts";
import { TOKEN_LIMITS } from "../../src/token/limits.ts";
import { subsumes } from "../../src/token/subsumption.ts";
import { covers, takes, termOf, type Wire } from "../support/constraint-model.ts";

/*
 * Every ordered pair of some two thousand constraints, over 10^6 in all: the verdict is that of the table of draft section 4.5, written once more in
 * the model, and where it is yes, no value of the universe is let through by the child alone (INVARIANT I2).
 */
const subsetsOf = (values: readonly unknown[]): readonly (readonly unknown[])[] =>
  values.reduce<readonly (readonly unknown[])[]>((subsets, value) => [...subsets, ...subsets.map((subset) => [...subset, value])], [[]]);
const is = (type: string, members: object = {}): Wire => ({ constraint_type: type, ...members });

const ELEMENTS = [1, 2, "a", "1"];
const LISTS = subsetsOf(ELEMENTS);
/** The same sets in other words, and elements that are no scalars. */
const MORE_LISTS = [["a", 1, 1], [[1]], [{ b: 1, a: 2 }], [{ a: 2, b: 1 }, null]];

const VALUES: readonly unknown[] = [
  ...[null, true, false, -1, 0, 0.5, 1, 1.5, 2, 2.5, 3, "", "a", "b", "1", "z", {}, { a: 1 }, { a: 2, b: 1 }],
  ...LISTS,
  ...[["z"], ["a", "z"], [1, 2, "a", "1", "z"], [2, 1], ["a", "a"], [[1]], [[1], [2]], [{ b: 1, a: 2 }], [null]],
];

const bounds = [undefined, 0, 1, 2];
const isOpen = (end: string, at: number | undefined): readonly object[] =>
  at === undefined ? [{}] : [{ [end]: at }, { [end]: at, [`${end}_inclusive`]: false }];
const RANGES = bounds.flatMap((min) =>
  bounds
    .filter((max) => min === undefined || max === undefined || min <= max)
    .flatMap((max) => isOpen("min", min).flatMap((low) => isOpen("max", max).map((high) => is("range", { ...low, ...high })))),
);
const listed = (list: readonly unknown[]): readonly Wire[] => [
  ...(list.length === 0 ? [] : [is("one_of", { values: list })]),
  is("not_one_of", { excluded: list }),
  is("contains", { required: list }),
  is("subset", { allowed: list }),
];
const SIMPLE: readonly Wire[] = [
  ...[null, true, false, 0, 1, 1.5, 2, "a", "b", "1", ""].map((value) => is("exact", { value })),
  ...RANGES,
  is("range", { min: 1, min_inclusive: true, max: 2, max_inclusive: true }),
  ...[...LISTS, ...MORE_LISTS].flatMap(listed),
  is("wildcard"),
];

/** What composites are made of: a few of each type, so that clauses stand above and below one another. */
const CLAUSES: readonly Wire[] = [
  is("wildcard"),
  ...[1, "a"].map((value) => is("exact", { value })),
  ...[{}, { min: 1 }, { min: 1, min_inclusive: false }, { min: 1, max: 2 }].map((range) => is("range", range)),
  ...[[1], [1, "a"], [1, 2, "a"]].flatMap((list) => listed(list).slice(0, 2)),
  ...[[], [1], [1, "a"]].flatMap((list) => listed(list).slice(-2)),
];
const composites = (clauses: readonly Wire[]): readonly Wire[] =>
  ["all", "any"].flatMap((type) =>
    clauses.flatMap((first, index) => [[first], ...clauses.slice(index + 1).map((second) => [first, second])]).map((list) => is(type, { constraints: list })),
  );
const NESTED = composites(composites(CLAUSES.filter((_, index) => index % 3 === 1)).filter((_, index) => index % 3 !== 0)).concat(
  ["all", "any"].map((type) => is(type, { constraints: CLAUSES })),
);

const CONSTRAINTS: readonly Wire[] = [...SIMPLE, ...composites(CLAUSES), ...NESTED];

function read(wire: Wire): Constraint {
  const constraint = readConstraint(wire as Json, TOKEN_LIMITS);
  if (typeof constraint === "string") throw new Error(constraint);
  return constraint;
}

describe("the order of constraints, for every pair of a finite universe", () => {
  const all = CONSTRAINTS.map((wire) => {
    const term = termOf(wire);
    const accepted = VALUES.reduce<bigint>((mask, value, index) => (takes(term, value) ? mask | (1n << BigInt(index)) : mask), 0n);
    return { wire, term, accepted, constraint: read(wire) };
  });

  it("has more than 10^6 pairs, and constraints of every type and of many meanings", () => {
    expect(all.length ** 2).toBeGreaterThan(1_000_000);
    expect(new Set(all.map(({ term }) => term.kind)).size).toBe(9);
    expect(new Set(all.map(({ accepted }) => accepted)).size).toBeGreaterThan(150);
  });

  it("is exactly that of the draft, and never lets a child accept what its parent does not", () => {
    const held = new Map<string, number>();
    let refused = 0;
    for (const parent of all) {
      for (const child of all) {
        const isChild = subsumes(parent.constraint, child.constraint);
        const isLegal = covers(parent.term, child.term);
        const isSound = !isChild || (child.accepted & ~parent.accepted) === 0n;
        if (isChild !== isLegal || !isSound) expect({ parent: parent.wire, child: child.wire, isChild, isSound }).toEqual({ isChild: isLegal, isSound: true });
        if (!isChild) refused++;
        else held.set(`${parent.term.kind} ${child.term.kind}`, (held.get(`${parent.term.kind} ${child.term.kind}`) ?? 0) + 1);
      }
    }
    expect(held.size).toBe(19); // the legal pairs of types, each met
    expect([...held.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(20_000);
    expect(refused).toBeGreaterThan(900_000);
  });

  it("refuses most of what no value of the universe speaks against: it is sound, not complete", () => {
    const conservative = all.flatMap((parent) => all.filter((child) => (child.accepted & ~parent.accepted) === 0n && !covers(parent.term, child.term)));
    expect(conservative.length).toBeGreaterThan(10_000);
  });
});
