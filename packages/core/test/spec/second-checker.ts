import type { Json, JsonObject } from "../../src/data/json.ts";
import type { ConstraintKind } from "../../src/envelope/constraint-kinds.ts";

// The order once more, from spec/attenuation.md alone and on wire forms: slow and plain, and nothing of the implementation is called.

interface Catalogue {
  readonly [purpose: string]: { readonly parent?: string | null };
}

const list = (envelope: JsonObject, member: string): readonly string[] => envelope[member] as readonly string[];
const isWithin = (part: readonly string[], whole: readonly string[]): boolean => part.every((element) => whole.some((other) => other === element));
const reach = (envelope: JsonObject): readonly string[] =>
  [...list(envelope, "allowed_tools"), ...list(envelope, "may_delegate")].filter((tool) => !list(envelope, "denied_tools").some((denied) => denied === tool));

/** Section 2.1: equal, or continued after a slash. */
const continues = (longer: string, shorter: string): boolean => longer === shorter || longer.slice(0, shorter.length + 1) === `${shorter}/`;

/** Section 2.1: the line of a purpose, none for one that is not in the catalogue or too far down. */
function lineOf(purpose: string, catalogue: Catalogue): readonly string[] {
  const line: string[] = [];
  for (let current: string | null = purpose; current !== null; current = catalogue[current]?.parent ?? null) {
    if (!Object.hasOwn(catalogue, current)) return [];
    line.push(current);
  }
  return line.length - 1 > 64 ? [] : line;
}

function isValueWithin(kind: ConstraintKind | undefined, child: Json, parent: Json): boolean {
  if (Array.isArray(child) && child.length === 0) return true;
  if (kind === "max") return (child as number) <= (parent as number);
  if (kind === "min") return (child as number) >= (parent as number);
  if (kind === "equal") return child === parent;
  if (kind === "subset") return isWithin(child as readonly string[], parent as readonly string[]);
  const prefixes = parent as readonly string[];
  return (child as readonly string[]).every((path) => prefixes.some((prefix) => prefix === "/" || continues(path, prefix)));
}

/** Section 2.5, for one group of limits; `name` is what a limit in it is called. */
function widerLimits(child: JsonObject, parent: JsonObject, name: string): readonly string[] {
  const wider: string[] = [];
  for (const count of ["calls", "records"]) {
    if (Object.hasOwn(parent, count) && !(Object.hasOwn(child, count) && (child[count] as number) <= (parent[count] as number))) wider.push(`${name}${count}`);
  }
  const [rates, own] = [(parent["rate"] ?? {}) as JsonObject, (child["rate"] ?? {}) as JsonObject];
  for (const window of Object.keys(rates)) {
    if (!(Object.hasOwn(own, window) && (own[window] as number) <= (rates[window] as number))) wider.push(`${name}rate/${window}`);
  }
  if (!Object.hasOwn(parent, "money")) return wider;
  if (!Object.hasOwn(child, "money")) return [...wider, `${name}money`];
  const [allowed, asked] = [parent["money"] as JsonObject, child["money"] as JsonObject];
  for (const currency of Object.keys(asked)) {
    if (!(Object.hasOwn(allowed, currency) && (asked[currency] as number) <= (allowed[currency] as number))) wider.push(`${name}money/${currency}`);
  }
  return wider;
}

/** The dimensions in which `child` is wider than `parent`; both are canonical. */
export function widerDimensions(child: JsonObject, parent: JsonObject, kinds: ReadonlyMap<string, ConstraintKind>, catalogue: Catalogue): readonly string[] {
  const wider: string[] = [];
  const text = (envelope: JsonObject, member: string): string => envelope[member] as string;
  for (const member of ["tenant_id", "delegator_id", "session_id"]) if (child[member] !== parent[member]) wider.push(member);
  if (!continues(text(child, "task_id"), text(parent, "task_id"))) wider.push("task_id");
  if (!lineOf(text(child, "purpose"), catalogue).includes(text(parent, "purpose"))) wider.push("purpose");
  if (!isWithin(reach(child), reach(parent))) wider.push("tools");
  for (const member of ["denied_tools", "approvals"]) if (!isWithin(list(parent, member), list(child, member))) wider.push(member);
  if ((child["max_depth"] as number) > (parent["max_depth"] as number)) wider.push("max_depth");
  if (text(child, "expires_at") > text(parent, "expires_at")) wider.push("expires_at"); // canonical instants sort as they follow one another

  const [own, above] = [child["resource_constraints"] as JsonObject, parent["resource_constraints"] as JsonObject];
  for (const key of Object.keys(above)) {
    if (!(Object.hasOwn(own, key) && isValueWithin(kinds.get(key), own[key] as Json, above[key] as Json))) wider.push(`resource_constraints.${key}`);
  }

  const [spent, limits] = [child["budgets"] as JsonObject, parent["budgets"] as JsonObject];
  wider.push(...widerLimits(spent, limits, "budgets."));
  const [ownTools, tools] = [(spent["tools"] ?? {}) as JsonObject, (limits["tools"] ?? {}) as JsonObject];
  for (const tool of Object.keys(tools)) {
    const limitsOfTool = Object.hasOwn(ownTools, tool) ? (ownTools[tool] as JsonObject) : {};
    wider.push(...widerLimits(limitsOfTool, tools[tool] as JsonObject, `budgets.tools/${tool}/`));
  }
  return wider;
}
