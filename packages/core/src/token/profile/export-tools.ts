import type { JsonObject } from "../../data/json.ts";
import { limitsOf, type Budgets } from "../../envelope/budgets.ts";
import { rulesOf } from "../../envelope/constraint-kinds.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import type { Order } from "../../envelope/order.ts";
import { readTools } from "../capability.ts";
import { tokenLimits, type TokenLimits } from "../limits.ts";
import { because, quoted } from "../reason.ts";
import { allOf, draftClauses, NEVER, type ArgumentForm } from "./export-constraint.ts";

/** What there is to know of a tool so that its arguments alone can bound it. */
export interface ForeignTool {
  /** What the verifier calls the tool. */
  readonly names: readonly string[];
  /** Every argument that a call can have, at the top level, by its exact name. */
  readonly arguments: ReadonlyMap<string, ForeignArgument>;
  /** Where each resource constraint shows, by key; one that is not here cannot be exported. */
  readonly constraints: ReadonlyMap<string, ConstraintPlace>;
}

export interface ForeignArgument {
  readonly isRequired: boolean;
  readonly form: ArgumentForm;
  /** What the tool's own definition says of the values, as constraints of the draft. */
  readonly limits?: readonly JsonObject[];
}

/**
 * `argument`: the value of this argument is what the constraint is about. `always`: every call is about these values, whatever its arguments.
 * `elsewhere`: why no argument shows it, in a few words.
 */
export type ConstraintPlace = "not_applicable" | { readonly argument: string } | { readonly always: readonly string[] } | { readonly elsewhere: string };

/** The `tools` member that says all of an envelope, or every reason why there is none. */
export type ForeignTools =
  { readonly expressible: true; readonly tools: JsonObject } | { readonly expressible: false; /** A line each. */ readonly reasons: readonly string[] };

/**
 * Compiles an envelope into the draft's `tools` map. A verifier that knows the map alone accepts a call whose arguments are of the tool's form if, and only if,
 * every resource constraint of the envelope admits it (INVARIANT I2); what cannot be said like that is a reason, never left out.
 *
 * Every map is closed: `*` would let through arguments that no rule looks at.
 */
export function foreignTools(envelope: Envelope, order: Order, tools: ReadonlyMap<string, ForeignTool>, limits: TokenLimits = tokenLimits()): ForeignTools {
  const reasons = [...beyondArguments(envelope)];
  const maps = new Map<string, JsonObject>();
  const denied = new Set(envelope.deniedTools);
  for (const id of envelope.allowedTools) {
    if (denied.has(id)) continue;
    const tool = tools.get(id);
    if (tool === undefined) {
      reasons.push(`${quoted(id)}: nobody said which arguments it has`);
      continue;
    }
    const compiled = compileTool(envelope, order, tool);
    const problem = readTools({ tool: compiled.map }, limits);
    reasons.push(...compiled.reasons.map((reason) => `${quoted(id)}: ${reason}`));
    if ("kind" in problem) reasons.push(`${quoted(id)}: no token can say it: ${problem.reason}`);
    if (tool.names.length === 0) reasons.push(`${quoted(id)}: the verifier has no name for it`);
    for (const name of tool.names) {
      if (maps.has(name)) reasons.push(`${quoted(id)}: the verifier has the name ${quoted(name)} for another tool, too`);
      maps.set(name, compiled.map);
    }
  }
  return reasons.length > 0 ? { expressible: false, reasons: Object.freeze(reasons) } : { expressible: true, tools: Object.fromEntries(maps) };
}

/** What an envelope says that is not about the arguments of one call. */
function beyondArguments({ mayDelegate, budgets, approvals }: Envelope): readonly string[] {
  return [
    ...mayDelegate.map((tool) => `\`may_delegate\` has ${quoted(tool)}: whoever holds a tool there may use it as well`),
    ...budgetNames(budgets).map((name) => `\`budgets.${name}\` is counted over all calls, and nobody would count them`),
    ...approvals.map((tool) => `\`approvals\` has ${quoted(tool)}: nobody would ask for one`),
  ];
}

function budgetNames(budgets: Budgets): readonly string[] {
  const none = [["", budgets] as const, ...Object.entries(budgets.tools ?? {}).map(([tool, limits]) => [`tools/${tool}/`, limits] as const)];
  // A `money` map without currencies has no limit to name, because it allows none at all.
  const empty = none.flatMap(([path, { money }]) => (money !== undefined && Object.keys(money).length === 0 ? [`${path}money`] : []));
  return [...limitsOf(budgets).keys(), ...empty];
}

function compileTool(envelope: Envelope, order: Order, tool: ForeignTool): { readonly map: JsonObject; readonly reasons: readonly string[] } {
  const reasons: string[] = [];
  const bounds = new Map<string, readonly JsonObject[]>();
  for (const [key, value] of Object.entries(envelope.resourceConstraints)) {
    const kind = order.vocabulary.kinds.get(key);
    const place = tool.constraints.get(key);
    if (kind === undefined || place === undefined) {
      reasons.push(`nobody said where \`${key}\` shows`);
    } else if (place === "not_applicable") {
      continue;
    } else if ("always" in place) {
      const outside = place.always.find((one) => !rulesOf(kind).admits(value)(one));
      if (outside !== undefined) reasons.push(`${quoted(outside)} is outside \`${key}\``);
    } else if ("elsewhere" in place) {
      reasons.push(`\`${key}\`: ${because(place.elsewhere).text}`);
    } else {
      const argument = tool.arguments.get(place.argument);
      const clauses = argument === undefined ? undefined : draftClauses(kind, value, argument.form);
      if (argument === undefined) reasons.push(`\`${key}\` is about ${quoted(place.argument)}, which is not one of its arguments`);
      else if (clauses === undefined) reasons.push(`\`${key}\`: a constraint of kind \`${kind}\` cannot be said`);
      else bounds.set(place.argument, [...(bounds.get(place.argument) ?? []), ...clauses]);
    }
  }
  // With this name, the draft means every argument that has none.
  if (tool.arguments.has("*")) reasons.push("it has an argument called `*`, which cannot be named");
  return { map: argumentMap(tool, bounds), reasons };
}

/** What a resource constraint is about must be there, whether or not the tool demands it. */
function argumentMap(tool: ForeignTool, bounds: ReadonlyMap<string, readonly JsonObject[]>): JsonObject {
  const entries = [...tool.arguments].map(([name, { isRequired, limits = [] }]): [string, JsonObject] => {
    const clauses = bounds.get(name);
    const constraint = allOf([...(clauses ?? []), ...limits]);
    return [name, isRequired || clauses !== undefined ? constraint : { ...constraint, optional: true }];
  });
  // An empty map would be an open one. An argument that may be missing and cannot be given closes it.
  return entries.length === 0 ? { no_arguments: { ...NEVER, optional: true } } : Object.fromEntries(entries);
}
