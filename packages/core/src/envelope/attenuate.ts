import { AmbitError } from "../errors.ts";
import { canonicalJson } from "../data/canonical.ts";
import { copyData, type Json } from "../data/json.ts";
import { sortedUnique } from "../data/sets.ts";
import { isUnlimited, limitsOf, meetBudgets, type Budgets } from "./budgets.ts";
import { rulesOf, type ConstraintValue } from "./constraint-kinds.ts";
import { reachOf, type Envelope, type ResourceConstraints } from "./envelope.ts";
import type { Order } from "./order.ts";
import { purposeLine, type PurposeTree } from "./purposes.ts";
import { canonicalEnvelope, isCanonicalBy, isoInstant, madeOfPlain, MEMBERS, plainEnvelope, type EnvelopeMembers } from "./wire.ts";

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
  const above = plainEnvelope(parent);
  const isKnown = isCanonicalBy(order.vocabulary, above);
  const asked = askedEnvelope(above, isKnown, narrowing, order);
  const envelope = madeOfPlain(meetOf(above, asked, isKnown, order), isKnown ? order.vocabulary : undefined);
  const narrowed = difference(asked, envelope);
  if (options.exact === true && narrowed.length > 0) {
    const reasons = narrowed.map(
      ({ dimension, asked: a, granted }) => `\`${dimension}\` asks for ${canonicalJson(a)}, the parent leaves ${canonicalJson(granted)}`,
    );
    throw new AmbitError("not_narrower", `the child would be wider than its parent: ${reasons.join("; ")}`);
  }
  return Object.freeze({ envelope, narrowed });
}

function askedEnvelope(parent: Envelope, isKnown: boolean, narrowing: Narrowing, order: Order): Envelope {
  for (const member of Object.keys(narrowing)) {
    if (!Object.hasOwn(parent, member)) throw new AmbitError("envelope_malformed", `an envelope has no member \`${member}\``);
    // Left out and `undefined` mean the parent's; `null` could be meant as anything.
    if (narrowing[member as keyof Narrowing] === null) throw new AmbitError("envelope_malformed", `\`${member}\` is null`);
  }
  const { resourceConstraints, allowedTools, mayDelegate, deniedTools } = narrowing;
  if (resourceConstraints !== undefined && (typeof resourceConstraints !== "object" || resourceConstraints === null || Array.isArray(resourceConstraints))) {
    throw new AmbitError("envelope_malformed", "`resourceConstraints` must be an object"); // anything else would spread to nothing, and keep the parent's
  }
  const named = {
    ...narrowing,
    ...(resourceConstraints === undefined ? {} : { resourceConstraints: { ...parent.resourceConstraints, ...resourceConstraints } }),
    ...(allowedTools === undefined && mayDelegate === undefined ? {} : { allowedTools: allowedTools ?? [], mayDelegate: mayDelegate ?? [] }),
  };
  const members = copyData(named, "envelope_malformed", "the narrowing") as Partial<EnvelopeMembers>;
  const like = isKnown ? parent : undefined;
  const asked = canonicalEnvelope({ ...(parent as EnvelopeMembers), deniedTools: undefined, ...members }, order.vocabulary, like);
  // Taken over only now: a tool that the parent denies must come out of the meet as asked for and not granted.
  return deniedTools === undefined && parent.deniedTools.length > 0 ? { ...asked, deniedTools: parent.deniedTools } : asked;
}

/**
 * The greatest lower bound of two envelopes; the holder is the second one's.
 * Refuses (`not_narrower`) where there is none: another tenant, delegator or session, incomparable tasks or purposes.
 */
export function meet(a: Envelope, b: Envelope, order: Order): Envelope {
  return meetOf(a, b, false, order);
}

/** `areCanonical` when both are, by the vocabulary of the order: then what both have, by identity, is what is within both. */
function meetOf(a: Envelope, b: Envelope, areCanonical: boolean, order: Order): Envelope {
  for (const member of SAME) if (a[member] !== b[member]) throw new AmbitError("not_narrower", `\`${member}\` cannot change within a lineage`);
  const reach = lookUp(reachOf(a));
  const denied = lookUp(b.deniedTools);
  const within = (tool: string): boolean => reach(tool) && !denied(tool);
  const allowedTools = sortedUnique(b.allowedTools.filter(within));
  return Object.freeze({
    delegatorId: b.delegatorId,
    tenantId: b.tenantId,
    sessionId: b.sessionId,
    taskId: lowerTask(a.taskId, b.taskId),
    purpose: lowerPurpose(a.purpose, b.purpose, order.purposes),
    agentId: b.agentId,
    allowedTools,
    mayDelegate: furtherTools(b.mayDelegate, within, allowedTools),
    deniedTools: union(a.deniedTools, b.deniedTools),
    resourceConstraints:
      areCanonical && a.resourceConstraints === b.resourceConstraints
        ? a.resourceConstraints
        : meetConstraints(a.resourceConstraints, b.resourceConstraints, order),
    budgets: meetBudgets(a.budgets, b.budgets),
    approvals: union(a.approvals, b.approvals),
    maxDepth: Math.min(a.maxDepth, b.maxDepth),
    expiresAt: Math.min(a.expiresAt, b.expiresAt),
  });
}

/** Whether a tool is among them; of a few, looking at each is faster than making a set. */
function lookUp(tools: readonly string[]): (tool: string) => boolean {
  if (tools.length <= 8) return (tool) => tools.includes(tool);
  const set = new Set(tools);
  return (tool) => set.has(tool);
}

function furtherTools(tools: readonly string[], within: (tool: string) => boolean, allowedTools: readonly string[]): readonly string[] {
  if (tools.length === 0) return sortedUnique(tools);
  const allowed = lookUp(allowedTools);
  return sortedUnique(tools.filter((tool) => within(tool) && !allowed(tool)));
}

const SAME = ["tenantId", "delegatorId", "sessionId"] as const;

function union(a: readonly string[], b: readonly string[]): readonly string[] {
  return sortedUnique(a.length === 0 ? b : b.length === 0 ? a : [...a, ...b]);
}

function lowerTask(a: string, b: string): string {
  if (a === b || isPartOf(b, a)) return b;
  if (isPartOf(a, b)) return a;
  throw new AmbitError("not_narrower", `the task \`${b}\` is not a part of \`${a}\``);
}

/** Whether the first segments of a task are those of the whole other one. */
function isPartOf(part: string, whole: string): boolean {
  return part[whole.length] === "/" && part.slice(0, whole.length) === whole;
}

function lowerPurpose(a: string, b: string, tree: PurposeTree): string {
  if (purposeLine(tree, b)?.includes(a) === true) return b;
  if (purposeLine(tree, a)?.includes(b) === true) return a;
  throw new AmbitError("not_narrower", `the purpose \`${b}\` is not below \`${a}\` in the catalogue`);
}

function meetConstraints(a: ResourceConstraints, b: ResourceConstraints, order: Order): ResourceConstraints {
  const met: Record<string, ConstraintValue> = {};
  const keys = Object.keys(a).concat(Object.keys(b).filter((key) => !Object.hasOwn(a, key)));
  for (const key of sortedUnique(keys)) met[key] = meetConstraint(key, a, b, order);
  return Object.freeze(met);
}

function meetConstraint(key: string, a: ResourceConstraints, b: ResourceConstraints, order: Order): ConstraintValue {
  const kind = order.vocabulary.kinds.get(key);
  if (kind === undefined) throw new AmbitError("envelope_malformed", `\`resource_constraints.${key}\` is not in the vocabulary`);
  if (!Object.hasOwn(a, key)) return b[key] as ConstraintValue;
  if (!Object.hasOwn(b, key) || a[key] === b[key]) return a[key] as ConstraintValue;
  return rulesOf(kind).meet(a[key] as ConstraintValue, b[key] as ConstraintValue);
}

const DIMENSIONS = Object.entries(MEMBERS)
  .map(([dimension, member]) => ({ dimension, member }))
  .filter(({ dimension }) => dimension !== "resource_constraints" && dimension !== "budgets");

/** What was asked for and is not granted, a line per wire member: a wider grant, or a shorter list of what is denied or needs an approval. */
function difference(asked: Envelope, granted: Envelope): readonly Narrowed[] {
  const narrowed: Narrowed[] = [];
  for (const { dimension, member } of DIMENSIONS) {
    if (asked[member] === granted[member]) continue;
    if (dimension === "expires_at") compare(narrowed, dimension, isoInstant(asked.expiresAt), isoInstant(granted.expiresAt));
    else compare(narrowed, dimension, asked[member] as ConstraintValue, granted[member] as ConstraintValue);
  }
  if (asked.resourceConstraints !== granted.resourceConstraints) compareConstraints(narrowed, asked.resourceConstraints, granted.resourceConstraints);
  compareBudgets(narrowed, asked.budgets, granted.budgets);
  return Object.freeze(narrowed);
}

function compare(narrowed: Narrowed[], dimension: string, asked: ConstraintValue, granted: ConstraintValue | null): void {
  if (!isSame(asked, granted)) narrowed.push(Object.freeze({ dimension, asked, granted }));
}

function isSame(a: ConstraintValue, b: ConstraintValue | null): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a === b || (a.length === b.length && a.every((element, index) => element === b[index]));
}

function compareConstraints(narrowed: Narrowed[], asked: ResourceConstraints, granted: ResourceConstraints): void {
  for (const key of Object.keys(asked)) compare(narrowed, `resource_constraints.${key}`, asked[key] as ConstraintValue, granted[key] as ConstraintValue);
}

function compareBudgets(narrowed: Narrowed[], asked: Budgets, granted: Budgets): void {
  if (isUnlimited(asked)) return;
  const after = limitsOf(granted);
  for (const [name, limit] of limitsOf(asked)) compare(narrowed, `budgets.${name}`, limit, after.get(name) ?? null);
}
