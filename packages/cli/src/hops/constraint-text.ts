import type { ArgumentMap, Constraint } from "@ambit/core/token";

/** A constraint of the draft in a few words, every value of it included. */
function constraintText(constraint: Constraint): string {
  switch (constraint.type) {
    case "exact":
      return `exactly ${constraint.text}`;
    case "range": {
      const { min, max, minInclusive, maxInclusive } = constraint;
      const bounds = [
        ...(min === undefined ? [] : [`${minInclusive ? "at least" : "above"} ${min}`]),
        ...(max === undefined ? [] : [`${maxInclusive ? "at most" : "below"} ${max}`]),
      ];
      return bounds.length === 0 ? "any number" : bounds.join(" and ");
    }
    case "wildcard":
      return "anything";
    case "all":
    case "any":
      return `${constraint.type} of (${constraint.clauses.map(constraintText).join("; ")})`;
    default:
      return `${LISTS[constraint.type]} ${[...constraint.values].join(", ")}`;
  }
}

const LISTS = { one_of: "one of", not_one_of: "none of", contains: "with all of", subset: "only of" } as const;

/** The arguments of a tool, by name. */
export function argumentTexts(map: ArgumentMap): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const [name, { constraint, isOptional }] of map.named) texts.set(name, `${constraintText(constraint)}${isOptional ? " (may be absent)" : ""}`);
  if (map.isOpen) texts.set("*", "anything");
  return texts;
}
