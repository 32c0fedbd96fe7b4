import type { Constraint } from "./constraint.ts";
import { because, quoted, type Reason } from "./reason.ts";
import { subsumes } from "./subsumption.ts";

/** Deeper and longer than this a reason helps nobody. */
const DEEPEST = 4;
const MOST = 3;

/** A constraint in a few words. */
export function describeConstraint(constraint: Constraint): string {
  switch (constraint.type) {
    case "exact":
      return `exact ${quoted(constraint.text)}`;
    case "range":
      return `range ${constraint.minInclusive ? "[" : "("}${constraint.min ?? "−∞"}, ${constraint.max ?? "∞"}${constraint.maxInclusive ? "]" : ")"}`;
    case "wildcard":
      return "anything";
    case "all":
    case "any":
      return `${constraint.type} of ${constraint.clauses.length} clauses (${listed(constraint.clauses.map(({ type }) => type))})`;
    default:
      return `${constraint.type} ${quoted(listed([...constraint.values]))}`;
  }
}

/** Why `parent` does not subsume `child`. Only asked once `subsumes` has said so. */
export function whyNotSubsumed(parent: Constraint, child: Constraint, depth = 1): Reason {
  const [allowed, wanted] = [describeConstraint(parent), describeConstraint(child)];
  if (parent.type !== child.type) return because(`${wanted} is not provably within ${allowed}`);
  if (depth < DEEPEST && parent.type === "all" && child.type === "all") {
    const open = parent.clauses.filter((clause) => !child.clauses.some((own) => subsumes(clause, own)));
    return because(
      `no clause of ${wanted} is within ${open.length} of the clauses`,
      ...open.slice(0, MOST).map((clause) => because(describeConstraint(clause))),
    );
  }
  if (depth < DEEPEST && parent.type === "any" && child.type === "any") {
    const open = child.clauses.filter((own) => !parent.clauses.some((clause) => subsumes(clause, own)));
    const [first] = open;
    const reasons = first === undefined ? [] : parent.clauses.slice(0, MOST).map((clause) => whyNotSubsumed(clause, first, depth + 1));
    return because(`${open.length} clauses of ${wanted} are within no clause of ${allowed}`, ...reasons);
  }
  return because(`${wanted} is wider than ${allowed}`);
}

function listed(texts: readonly string[]): string {
  return texts.length > MOST ? `${texts.slice(0, MOST).join(", ")}, … (${texts.length})` : texts.join(", ");
}
