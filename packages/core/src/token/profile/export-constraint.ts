import type { Json, JsonObject } from "../../data/json.ts";
import type { ConstraintKind, ConstraintValue } from "../../envelope/constraint-kinds.ts";

/** Whether an argument is one value, a list of values, or can be either. */
export type ArgumentForm = "value" | "list" | "either";

/** Accepts nothing. The draft has no constraint of that name, and an empty `one_of` is not well-formed. */
export const NEVER: JsonObject = Object.freeze({
  constraint_type: "all",
  constraints: [
    { constraint_type: "exact", value: true },
    { constraint_type: "exact", value: false },
  ],
});

/**
 * A resource constraint as constraints of the draft that together accept the very values that its kind admits; `undefined` when there are none.
 * `path_prefix` has none: a list of paths would not say what is below them.
 */
export function draftClauses(kind: ConstraintKind, value: ConstraintValue, form: ArgumentForm): readonly JsonObject[] | undefined {
  if (Array.isArray(value) && value.length === 0) return [NEVER];
  switch (kind) {
    case "equal":
      return [{ constraint_type: "exact", value: value as Json }];
    case "subset":
      return subsetClauses(value as readonly string[], form);
    case "max":
      // Below zero is not "less" to us: to many services it means "without limit".
      return [{ constraint_type: "range", min: 0, max: value as number }];
    case "min":
      // Arguments with larger integers are refused by us, whatever they are for.
      return [{ constraint_type: "range", min: value as number, max: Number.MAX_SAFE_INTEGER }];
    default:
      return undefined;
  }
}

function subsetClauses(values: readonly string[], form: ArgumentForm): readonly JsonObject[] {
  const one = { constraint_type: "one_of", values };
  // The draft's `subset` accepts the empty list, which often means "all" to the service behind a tool; ours does not.
  const some = [
    { constraint_type: "subset", allowed: values },
    { constraint_type: "not_one_of", excluded: [[]] },
  ];
  if (form === "value") return [one];
  return form === "list" ? some : [{ constraint_type: "any", constraints: [one, allOf(some)] }];
}

/** One constraint that says what all of them say. */
export function allOf(clauses: readonly JsonObject[]): JsonObject {
  const [only, ...others] = clauses;
  if (only === undefined) return { constraint_type: "wildcard" };
  return others.length === 0 ? only : { constraint_type: "all", constraints: clauses };
}
