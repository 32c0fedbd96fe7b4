import { AmbitError } from "../errors.ts";
import { canonicalJson } from "../data/canonical.ts";
import type { Json } from "../data/json.ts";
import { sortedUnique } from "../data/sets.ts";
import { limitsOf, meetBudgets, type Budgets } from "./budgets.ts";
import { rulesOf, type ConstraintValue } from "./constraint-kinds.ts";
import { reachOf, type Envelope, type ResourceConstraints } from "./envelope.ts";
import type { Order } from "./order.ts";
import { purposeLine, type PurposeTree } from "./purposes.ts";
import { parseEnvelope, serializeEnvelope } from "./wire.ts";

/**
 * What a child envelope asks for. A member that is left out is taken from the parent, and so is a single constraint or limit that
 * `resourceConstraints` or `budgets` does not name (a `money` map states all its currencies); naming `allowedTools` or `mayDelegate` states both (the other one is then empty).
 */
export interface Narrowing {
  readonly agentId?: string | undefined;
  readonly taskId?: string | undefined;
  readonly purpose?: string | undefined;
  readonly allowedTools?: readonly string[] | undefined;
  readonly mayDelegate?: readonly string[] | undefined;
  readonly deniedTools?: readonly string[] | undefined;
  readonly resourceConstraints?: ResourceConstraints | undefined;
  readonly budgets?: Budgets | undefined;
  readonly approvals?: readonly string[] | undefined;
  readonly maxDepth?: number | undefined;
  readonly expiresAt?: number | undefined;
}

/** One thing that was asked for and not granted. */
export interface Narrowed {
  readonly dimension: string;
  readonly asked: Json;
  readonly granted: Json;
}

export interface Attenuation {
  readonly envelope: Envelope;
  readonly narrowed: readonly Narrowed[];
}

/**
 * The only way to a child: the greatest envelope that is within the parent and within what is asked for.
 * The draft's term is attenuation (macaroons; draft-niyikiza-oauth-attenuating-agent-tokens section 6.2).
 *
 * Refuses (`not_narrower`): a purpose or a task that is neither below the parent's nor above it, and with `exact` anything that had to be
 * narrowed. Refuses (`envelope_malformed`) what `parseEnvelope` refuses, unknown members and `null`.
 */
export function attenuate(parent: Envelope, narrowing: Narrowing, order: Order, options: { readonly exact?: boolean } = {}): Attenuation {
  const asked = askedEnvelope(parent, narrowing, order);
  const envelope = meet(parent, asked, order);
  const narrowed = difference(asked, envelope);
  if (options.exact === true && narrowed.length > 0) {
    const reasons = narrowed.map(
      ({ dimension, asked: a, granted }) => `\`${dimension}\` asks for ${canonicalJson(a)}, the parent leaves ${canonicalJson(granted)}`,
    );
    throw new AmbitError("not_narrower", `the child would be wider than its parent: ${reasons.join("; ")}`);
  }
  return Object.freeze({ envelope, narrowed });
}

function askedEnvelope(parent: Envelope, narrowing: Narrowing, order: Order): Envelope {
  for (const [member, value] of Object.entries(narrowing)) {
    if (!Object.hasOwn(parent, member)) throw new AmbitError("envelope_malformed", `an envelope has no member \`${member}\``);
    // Left out and `undefined` mean the parent's; `null` could be meant as anything.
    if (value === null) throw new AmbitError("envelope_malformed", `\`${member}\` is null`);
  }
  const { resourceConstraints = {}, allowedTools, mayDelegate, deniedTools, ...rest } = narrowing;
  if (typeof resourceConstraints !== "object" || resourceConstraints === null || Array.isArray(resourceConstraints)) {
    throw new AmbitError("envelope_malformed", "`resourceConstraints` must be an object"); // anything else would spread to nothing, and keep the parent's
  }
  const namesTools = allowedTools !== undefined || mayDelegate !== undefined;
  const members = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const asked = {
    ...parent,
    ...members,
    deniedTools: deniedTools ?? [],
    resourceConstraints: { ...parent.resourceConstraints, ...resourceConstraints },
    ...(namesTools ? { allowedTools: allowedTools ?? [], mayDelegate: mayDelegate ?? [] } : {}),
  };
  const parsed = parseEnvelope(serializeEnvelope(asked), order.vocabulary);
  // Taken over only now: a tool that the parent denies must come out of the meet as asked for and not granted.
  return deniedTools === undefined ? { ...parsed, deniedTools: parent.deniedTools } : parsed;
}

/**
 * The greatest lower bound of two envelopes; the holder is the second one's.
 * Refuses (`not_narrower`) where there is none: another tenant, delegator or session, incomparable tasks or purposes.
 */
export function meet(a: Envelope, b: Envelope, order: Order): Envelope {
  for (const member of ["tenantId", "delegatorId", "sessionId"] as const) {
    if (a[member] !== b[member]) throw new AmbitError("not_narrower", `\`${member}\` cannot change within a lineage`);
  }
  const reach = new Set(reachOf(a));
  const deniedTools = sortedUnique([...a.deniedTools, ...b.deniedTools]);
  const denied = new Set(b.deniedTools);
  const within = (tool: string): boolean => reach.has(tool) && !denied.has(tool);
  const allowedTools = sortedUnique(b.allowedTools.filter(within));
  const allowed = new Set(allowedTools);
  return Object.freeze({
    delegatorId: b.delegatorId,
    tenantId: b.tenantId,
    sessionId: b.sessionId,
    taskId: lowerTask(a.taskId, b.taskId),
    purpose: lowerPurpose(a.purpose, b.purpose, order.purposes),
    agentId: b.agentId,
    allowedTools,
    mayDelegate: sortedUnique(b.mayDelegate.filter((tool) => within(tool) && !allowed.has(tool))),
    deniedTools,
    resourceConstraints: meetConstraints(a.resourceConstraints, b.resourceConstraints, order),
    budgets: meetBudgets(a.budgets, b.budgets),
    approvals: sortedUnique([...a.approvals, ...b.approvals]),
    maxDepth: Math.min(a.maxDepth, b.maxDepth),
    expiresAt: Math.min(a.expiresAt, b.expiresAt),
  });
}

function lowerTask(a: string, b: string): string {
  const [left, right] = [a.split("/"), b.split("/")];
  const [short, long] = left.length <= right.length ? [left, right] : [right, left];
  if (!short.every((segment, index) => long[index] === segment)) throw new AmbitError("not_narrower", `the task \`${b}\` is not a part of \`${a}\``);
  return long.join("/");
}

function lowerPurpose(a: string, b: string, tree: PurposeTree): string {
  if (purposeLine(tree, b)?.includes(a) === true) return b;
  if (purposeLine(tree, a)?.includes(b) === true) return a;
  throw new AmbitError("not_narrower", `the purpose \`${b}\` is not below \`${a}\` in the catalogue`);
}

function meetConstraints(a: ResourceConstraints, b: ResourceConstraints, order: Order): ResourceConstraints {
  const keys = sortedUnique([...Object.keys(a), ...Object.keys(b)]);
  return Object.freeze(Object.fromEntries(keys.map((key): [string, ConstraintValue] => [key, meetConstraint(key, a, b, order)])));
}

function meetConstraint(key: string, a: ResourceConstraints, b: ResourceConstraints, order: Order): ConstraintValue {
  const kind = order.vocabulary.kinds.get(key);
  if (kind === undefined) throw new AmbitError("envelope_malformed", `\`resource_constraints.${key}\` is not in the vocabulary`);
  if (!Object.hasOwn(a, key)) return b[key] as ConstraintValue;
  if (!Object.hasOwn(b, key)) return a[key] as ConstraintValue;
  return rulesOf(kind).meet(a[key] as ConstraintValue, b[key] as ConstraintValue);
}

/** What was asked for and is not granted, a line per wire member: a wider grant, or a shorter list of what is denied or needs an approval. */
function difference(asked: Envelope, granted: Envelope): readonly Narrowed[] {
  const [from, to] = [serializeEnvelope(asked), serializeEnvelope(granted)];
  const narrowed: Narrowed[] = [];
  for (const dimension of Object.keys(from)) {
    if (dimension === "resource_constraints" || dimension === "budgets") continue;
    compare(narrowed, dimension, from[dimension] as Json, to[dimension] as Json);
  }
  for (const key of Object.keys(asked.resourceConstraints)) {
    compare(narrowed, `resource_constraints.${key}`, asked.resourceConstraints[key] as Json, granted.resourceConstraints[key] as Json);
  }
  compareBudgets(narrowed, asked.budgets, granted.budgets);
  return Object.freeze(narrowed);
}

function compare(narrowed: Narrowed[], dimension: string, asked: Json, granted: Json): void {
  if (canonicalJson(asked) !== canonicalJson(granted)) narrowed.push(Object.freeze({ dimension, asked, granted }));
}

function compareBudgets(narrowed: Narrowed[], asked: Budgets, granted: Budgets): void {
  const after = limitsOf(granted);
  for (const [name, limit] of limitsOf(asked)) compare(narrowed, `budgets.${name}`, limit, after.get(name) ?? null);
}
