import { isInRange, isSubset, type Constraint, type Range } from "./constraint.ts";

/**
 * Whether every value that `child` accepts is one that `parent` accepts, by the 19 pairs of draft section 4.5. Any other pair is false,
 * also where a longer look would find that nothing is widened.
 *
 * INVARIANT I2: sound, never complete: `true` is a proof.
 */
export function subsumes(parent: Constraint, child: Constraint): boolean {
  switch (parent.type) {
    case "wildcard":
      return true;
    case "exact":
      return child.type === "exact" && child.text === parent.text;
    case "range":
      if (child.type === "exact") return typeof child.value === "number" && isInRange(parent, child.value);
      return child.type === "range" && isTighter(parent, child);
    case "one_of":
      if (child.type === "exact") return parent.values.has(child.text);
      return child.type === "one_of" && isSubset(child.values, parent.values);
    case "subset":
      return child.type === "subset" && isSubset(child.values, parent.values);
    case "not_one_of":
    case "contains":
      return child.type === parent.type && isSubset(parent.values, child.values);
    case "all":
      return child.type === "all" && parent.clauses.every((clause) => child.clauses.some((own) => subsumes(clause, own)));
    case "any":
      return child.type === "any" && child.clauses.every((own) => parent.clauses.some((clause) => subsumes(clause, own)));
    default:
      return false;
  }
}

function isTighter(parent: Range, child: Range): boolean {
  const isAbove =
    parent.min === undefined ||
    (child.min !== undefined && (child.min > parent.min || (child.min === parent.min && (parent.minInclusive || !child.minInclusive))));
  const isBelow =
    parent.max === undefined ||
    (child.max !== undefined && (child.max < parent.max || (child.max === parent.max && (parent.maxInclusive || !child.maxInclusive))));
  return isAbove && isBelow;
}
