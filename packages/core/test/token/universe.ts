import type { Json } from "../../src/data/json.ts";
import { readConstraint, type Constraint } from "../../src/token/constraint.ts";
import { TOKEN_LIMITS } from "../../src/token/limits.ts";

/*
 * INVARIANT I2 by brute force. What a constraint accepts is written once more here, from the table of draft section 3.4, on the wire form and
 * without any code of `src`; then every value of a small universe is put to parent and child.
 */
export type Wire = Readonly<Record<string, unknown>>;

export const VALUES: readonly unknown[] = [
  null,
  true,
  false,
  -1,
  0,
  0.5,
  1,
  1.5,
  2,
  3,
  "",
  "a",
  "b",
  "1",
  "z",
  [],
  ["a"],
  ["a", "b"],
  ["b", "a", "a"],
  ["z"],
  [1],
  [[1]],
  {},
  { a: 1 },
];

const isSame = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);
export const isIn = (list: unknown, value: unknown): boolean => (list as readonly unknown[]).some((element) => isSame(element, value));

export function allows(wire: Wire, value: unknown): boolean {
  const clauses = (wire["constraints"] ?? []) as readonly Wire[];
  switch (wire["constraint_type"]) {
    case "exact":
      return isSame(wire["value"], value);
    case "range": {
      if (typeof value !== "number") return false;
      const { min = -Infinity, max = Infinity } = wire as { readonly min?: number; readonly max?: number };
      return !(value < min || value > max || (value === min && wire["min_inclusive"] === false) || (value === max && wire["max_inclusive"] === false));
    }
    case "one_of":
      return isIn(wire["values"], value);
    case "not_one_of":
      return !isIn(wire["excluded"], value);
    case "contains":
      return Array.isArray(value) && (wire["required"] as readonly unknown[]).every((element) => isIn(value, element));
    case "subset":
      return Array.isArray(value) && value.every((element) => isIn(wire["allowed"], element));
    case "all":
      return clauses.every((clause) => allows(clause, value));
    case "any":
      return clauses.some((clause) => allows(clause, value));
    default:
      return true;
  }
}

export const is = (type: string, members: object = {}): Wire => ({ constraint_type: type, ...members });
export const LISTS: readonly (readonly unknown[])[] = [[], ["a"], ["b"], ["a", "b"], ["a", 1], [1], [0, 1], [1, 2, "a"], [[1]], ["z"]];
const BOUNDS: readonly object[] = [{}, { min: 1 }, { max: 1 }, { min: 1, max: 1 }, { min: 0, max: 2 }, { min: 1, max: 2 }, { min: 0, max: 1 }];
const FLAGS: readonly object[] = [
  {},
  { min_inclusive: false },
  { max_inclusive: false },
  { min_inclusive: false, max_inclusive: false },
  { min_inclusive: true },
];

export const isWellFormed = (wire: Wire): boolean => typeof readConstraint(wire as Json, TOKEN_LIMITS) !== "string";
export const SIMPLE: readonly Wire[] = [
  ...[null, true, 0, 1, 1.5, "a", "1"].map((value) => is("exact", { value })),
  ...BOUNDS.flatMap((bounds) => FLAGS.map((flags) => is("range", { ...bounds, ...flags }))),
  ...LISTS.flatMap((list) => [
    is("one_of", { values: list }),
    is("not_one_of", { excluded: list }),
    is("contains", { required: list }),
    is("subset", { allowed: list }),
  ]),
  is("wildcard"),
].filter(isWellFormed);
const COMPOSITE: readonly Wire[] = ["all", "any"].flatMap((type) =>
  SIMPLE.filter((_, index) => index % 5 === 0).flatMap((first, index, some) => [
    is(type, { constraints: [first] }),
    is(type, { constraints: [first, some[(index * 7 + 3) % some.length]] }),
  ]),
);

export const read = (wire: Wire): Constraint => {
  const constraint = readConstraint(wire as Json, TOKEN_LIMITS);
  if (typeof constraint === "string") throw new Error(constraint);
  return constraint;
};

export const all = [...SIMPLE, ...COMPOSITE].map((wire) => ({ wire, constraint: read(wire), accepted: VALUES.filter((value) => allows(wire, value)) }));
