import { canonicalJson } from "../data/canonical.ts";
import { isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import type { TokenLimits } from "./limits.ts";
import { isExact } from "./strict-json.ts";

/** A set of JSON values, each by its JCS text: draft section 3.4 compares values by it. */
export type ValueSet = ReadonlySet<string>;

export interface Range {
  readonly type: "range";
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly minInclusive: boolean;
  readonly maxInclusive: boolean;
}

/** The nine constraint types of draft section 3.4. An unknown type is not among them on purpose: it denies. */
export type Constraint =
  | { readonly type: "exact"; readonly value: string | number | boolean | null; readonly text: string }
  | Range
  | { readonly type: "one_of" | "not_one_of" | "contains" | "subset"; readonly values: ValueSet }
  | { readonly type: "wildcard" }
  | { readonly type: "all" | "any"; readonly clauses: readonly Constraint[] };

export type ConstraintType = Constraint["type"];

export const WILDCARD: Constraint = Object.freeze({ type: "wildcard" });

/** The member that lists values, and the members besides `constraint_type` that a type may have. */
const LISTS = { one_of: "values", not_one_of: "excluded", contains: "required", subset: "allowed" } as const;
const MEMBERS: Readonly<Record<ConstraintType, readonly string[]>> = {
  exact: ["value"],
  range: ["min", "max", "min_inclusive", "max_inclusive"],
  one_of: ["values"],
  not_one_of: ["excluded"],
  contains: ["required"],
  subset: ["allowed"],
  wildcard: [],
  all: ["constraints"],
  any: ["constraints"],
};

/**
 * Reads one constraint of a constraint map, without its `optional`. Refuses, with the reason as text: a type or member that the draft does not
 * define, members of wrong types, an empty `one_of`, `all` or `any`, a number that a double cannot hold exactly, trees over the limits.
 */
export function readConstraint(json: Json, limits: TokenLimits): Constraint | string {
  let items = 0;

  const read = (raw: Json, depth: number): Constraint | string => {
    if (depth > limits.constraintDepth) return `nests constraints deeper than ${limits.constraintDepth}`;
    if (++items > limits.constraintItems) return `has more than ${limits.constraintItems} clauses and values`;
    if (!isJsonObject(raw)) return "is not an object";
    const type = own(raw, "constraint_type");
    if (typeof type !== "string" || !Object.hasOwn(MEMBERS, type)) return "has an unknown `constraint_type`";
    const allowed = MEMBERS[type as ConstraintType];
    for (const member of Object.keys(raw)) {
      if (member !== "constraint_type" && !allowed.includes(member)) return `of type \`${type}\` has a member that the type does not define`;
    }
    switch (type as ConstraintType) {
      case "exact":
        return readExact(raw);
      case "range":
        return readRange(raw);
      case "wildcard":
        return WILDCARD;
      case "all":
      case "any":
        return readClauses(raw, type as "all" | "any", depth);
      default:
        return readList(raw, type as keyof typeof LISTS);
    }
  };

  const readClauses = (raw: JsonObject, type: "all" | "any", depth: number): Constraint | string => {
    const list = own(raw, "constraints");
    if (!Array.isArray(list) || list.length === 0) return `of type \`${type}\` needs a non-empty list of \`constraints\``;
    const clauses: Constraint[] = [];
    for (const clause of list as readonly Json[]) {
      const constraint = read(clause, depth + 1);
      if (typeof constraint === "string") return constraint;
      clauses.push(constraint);
    }
    return { type, clauses };
  };

  const readList = (raw: JsonObject, type: keyof typeof LISTS): Constraint | string => {
    const list = own(raw, LISTS[type]);
    if (!Array.isArray(list)) return `of type \`${type}\` needs a list of \`${LISTS[type]}\``;
    if (type === "one_of" && list.length === 0) return "of type `one_of` has no values";
    items += list.length;
    if (items > limits.constraintItems) return `has more than ${limits.constraintItems} clauses and values`;
    return isExact(list) ? { type, values: new Set((list as readonly Json[]).map(canonicalJson)) } : INEXACT;
  };

  return read(json, 1);
}

const INEXACT = "has a number that is not exact; pass it as text";

function readExact(raw: JsonObject): Constraint | string {
  const value = own(raw, "value");
  if (value === undefined || (typeof value === "object" && value !== null)) return "of type `exact` needs a `value` that is no list and no object";
  return isExact(value) ? { type: "exact", value: value as string | number | boolean | null, text: canonicalJson(value) } : INEXACT;
}

function readRange(raw: JsonObject): Constraint | string {
  const [min, max, minInclusive, maxInclusive] = [own(raw, "min"), own(raw, "max"), own(raw, "min_inclusive"), own(raw, "max_inclusive")];
  for (const bound of [min, max]) {
    if (bound !== undefined && typeof bound !== "number") return "of type `range` has a bound that is no number";
    if (bound !== undefined && !isExact(bound)) return INEXACT;
  }
  if (typeof min === "number" && typeof max === "number" && min > max) return "of type `range` has a `min` above its `max`";
  for (const [flag, bound] of [
    [minInclusive, min],
    [maxInclusive, max],
  ]) {
    if (flag !== undefined && (typeof flag !== "boolean" || bound === undefined))
      return "of type `range` has an `…_inclusive` without its bound or that is no boolean";
  }
  return {
    type: "range",
    min: min as number | undefined,
    max: max as number | undefined,
    minInclusive: minInclusive !== false,
    maxInclusive: maxInclusive !== false,
  };
}

/** Whether the constraint accepts the value; every number of the value must be exact. */
export function accepts(constraint: Constraint, value: Json): boolean {
  // Written out once for all clauses: a holder chooses how many clauses look at how long a list.
  let text: string | undefined;
  let elements: ValueSet | undefined;
  const textOf = (): string => (text ??= canonicalJson(value));
  const elementsOf = (list: readonly Json[]): ValueSet => (elements ??= new Set(list.map(canonicalJson)));

  const check = (clause: Constraint): boolean => {
    switch (clause.type) {
      case "exact":
        return textOf() === clause.text;
      case "range":
        return typeof value === "number" && isInRange(clause, value);
      case "one_of":
        return clause.values.has(textOf());
      case "not_one_of":
        return !clause.values.has(textOf());
      case "contains":
        return Array.isArray(value) && isSubset(clause.values, elementsOf(value));
      case "subset":
        return Array.isArray(value) && isSubset(elementsOf(value), clause.values);
      case "wildcard":
        return true;
      case "all":
        return clause.clauses.every(check);
      case "any":
        return clause.clauses.some(check);
      default:
        return false;
    }
  };
  return check(constraint);
}

export function isInRange(range: Range, value: number): boolean {
  const isAbove = range.min === undefined || value > range.min || (range.minInclusive && value === range.min);
  const isBelow = range.max === undefined || value < range.max || (range.maxInclusive && value === range.max);
  return isAbove && isBelow;
}

export function isSubset(part: ValueSet, whole: ValueSet): boolean {
  if (part.size > whole.size) return false;
  for (const element of part) if (!whole.has(element)) return false;
  return true;
}
