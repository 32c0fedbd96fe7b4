import { isUnlimited, limitsOf, ownLimits, type Limits } from "./budgets.ts";
import type { ConstraintKind } from "./constraint-kinds.ts";
import { reachOf, type Envelope } from "./envelope.ts";
import type { Order } from "./order.ts";
import { purposeLine } from "./purposes.ts";

/**
 * The verifier's own check of the order, written apart from `attenuate()` so that the two can be compared:
 * every reason why `child` is not within `parent`, none when it is.
 *
 * INVARIANT I2: a dimension that is absent from the child but present in the parent is a reason, never "unlimited".
 */
export function reasonsNotNarrower(child: Envelope, parent: Envelope, order: Order): readonly string[] {
  const reasons: string[] = [];
  const demand = (holds: boolean, reason: string): void => {
    if (!holds) reasons.push(reason);
  };

  demand(child.tenantId === parent.tenantId, "another tenant_id");
  demand(child.delegatorId === parent.delegatorId, "another delegator_id");
  demand(child.sessionId === parent.sessionId, "another session_id");
  if (!isTaskWithin(child.taskId, parent.taskId)) reasons.push(`task_id \`${child.taskId}\` is no part of \`${parent.taskId}\``);
  if (purposeLine(order.purposes, child.purpose)?.includes(parent.purpose) !== true)
    reasons.push(`purpose \`${child.purpose}\` is not below \`${parent.purpose}\``);
  demand(isSubset(reachOf(child), reachOf(parent)), "reaches further tools");
  demand(isSubset(parent.deniedTools, child.deniedTools), "drops denied_tools");
  demand(isSubset(parent.approvals, child.approvals), "drops approvals");
  demand(child.maxDepth <= parent.maxDepth, "a larger max_depth");
  demand(child.expiresAt <= parent.expiresAt, "a later expires_at");

  for (const key of Object.keys(parent.resourceConstraints)) {
    const kind = order.vocabulary.kinds.get(key);
    if (kind === undefined) {
      reasons.push(`resource_constraints.${key} is not in the vocabulary`);
    } else {
      const isWithin =
        Object.hasOwn(child.resourceConstraints, key) && isConstraintWithin(kind, child.resourceConstraints[key], parent.resourceConstraints[key]);
      if (!isWithin) reasons.push(`a wider or no resource_constraints.${key}`);
    }
  }
  for (const key of Object.keys(child.resourceConstraints)) {
    const isNew = !Object.hasOwn(parent.resourceConstraints, key);
    if (isNew && !order.vocabulary.kinds.has(key)) reasons.push(`resource_constraints.${key} is not in the vocabulary`);
  }
  reasons.push(...budgetReasons(child, parent));
  return reasons;
}

function budgetReasons(child: Envelope, parent: Envelope): readonly string[] {
  if (isUnlimited(parent.budgets)) return NONE;
  const { tools = {}, ...limits } = parent.budgets;
  const perTool = Object.entries(tools).flatMap(([toolId, toolLimits]) =>
    limitReasons(ownLimits(child.budgets, toolId), toolLimits, `budgets.tools/${toolId}/`),
  );
  return [...limitReasons(child.budgets, limits, "budgets."), ...perTool];
}

const NONE: readonly string[] = [];

function limitReasons(child: Limits, parent: Limits, path: string): readonly string[] {
  const { money, ...counts } = parent;
  const own = limitsOf(child);
  const larger = [...limitsOf(counts)].filter(([name, limit]) => !((own.get(name) ?? Infinity) <= limit)).map(([name]) => `a larger or no ${path}${name}`);
  if (money === undefined) return larger;
  if (child.money === undefined) return [...larger, `no ${path}money`];
  // The map names the only currencies that may be spent: one more is wider, one less is not.
  const isWithin = ([currency, limit]: readonly [string, number]): boolean => Object.hasOwn(money, currency) && limit <= (money[currency] as number);
  const wider = Object.entries(child.money).filter((entry) => !isWithin(entry));
  return [...larger, ...wider.map(([currency]) => `a larger or further ${path}money/${currency}`)];
}

/** Whether `child` is within `parent` in every dimension. */
export function isNarrower(child: Envelope, parent: Envelope, order: Order): boolean {
  return reasonsNotNarrower(child, parent, order).length === 0;
}

function isTaskWithin(child: string, parent: string): boolean {
  return child === parent || (child[parent.length] === "/" && child.slice(0, parent.length) === parent);
}

function isSubset(part: readonly string[], whole: readonly string[]): boolean {
  // Mostly the child has the very list of its parent, in the one order that a set has; then no set is built.
  if (part === whole) return true;
  if (part.length <= whole.length && part.every((element, index) => element === whole[index])) return true;
  const elements = new Set(whole);
  return part.every((element) => elements.has(element));
}

function isConstraintWithin(kind: ConstraintKind, child: unknown, parent: unknown): boolean {
  if (Array.isArray(child) && child.length === 0) return kind !== "max" && kind !== "min"; // `[]` grants nothing, and nothing is within anything
  switch (kind) {
    case "equal":
      return child === parent;
    case "max":
      return typeof child === "number" && typeof parent === "number" && child <= parent;
    case "min":
      return typeof child === "number" && typeof parent === "number" && child >= parent;
    case "subset":
      return Array.isArray(child) && Array.isArray(parent) && isSubset(child as readonly string[], parent as readonly string[]);
    case "path_prefix":
      return Array.isArray(child) && Array.isArray(parent) && arePathsWithin(child as readonly string[], parent as readonly string[]);
    default:
      return false;
  }
}

function arePathsWithin(paths: readonly string[], prefixes: readonly string[]): boolean {
  const above = new Set(prefixes);
  const isWithin = (path: string): boolean => path.split("/").some((_, index, segments) => above.has(segments.slice(0, index + 1).join("/")));
  return above.has("/") || paths.every(isWithin);
}
