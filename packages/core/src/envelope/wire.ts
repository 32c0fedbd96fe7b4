import { AmbitError } from "../errors.ts";
import { copyData, isJsonObject, isPrototypeName, own, type Json, type JsonObject } from "../data/json.ts";
import { isIdentifier, isToolId } from "../data/names.ts";
import { isSortedUnique, sortedUnique } from "../data/sets.ts";
import { parseBudgets, UNLIMITED, type Budgets } from "./budgets.ts";
import { rulesOf, type ConstraintValue } from "./constraint-kinds.ts";
import { DEFAULT_MAX_DEPTH, type Envelope, type ResourceConstraints } from "./envelope.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The only place that knows both spellings: snake_case on the wire, camelCase in code. */
export const MEMBERS: { readonly [member: string]: keyof Envelope } = {
  delegator_id: "delegatorId",
  tenant_id: "tenantId",
  session_id: "sessionId",
  task_id: "taskId",
  purpose: "purpose",
  agent_id: "agentId",
  allowed_tools: "allowedTools",
  may_delegate: "mayDelegate",
  denied_tools: "deniedTools",
  resource_constraints: "resourceConstraints",
  budgets: "budgets",
  approvals: "approvals",
  max_depth: "maxDepth",
  expires_at: "expiresAt",
};

const ISO_INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/;

/** The last millisecond that four digits of a year can say. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const NONE: ReadonlySet<string> = new Set();

const malformed = (reason: string): never => {
  throw new AmbitError("envelope_malformed", reason);
};

/**
 * Reads an envelope as it comes over a wire (the JSON of docs/architecture.md, parsed).
 * `holder` is who holds it when it does not name an `agent_id` itself.
 *
 * What comes back is canonical: a tool that is denied is neither allowed nor handed on, and one that is allowed is not named again in `mayDelegate`.
 *
 * Refuses (`envelope_malformed`): unknown members, missing members other than the optional ones, `null`, wrong types, wildcards, resource
 * constraints that the vocabulary does not have, a time that is not an ISO 8601 instant in UTC. Says nothing about whether it has expired.
 */
export function parseEnvelope(input: unknown, vocabulary: Vocabulary, holder?: string): Envelope {
  const data = copyData(input, "envelope_malformed", "the envelope");
  if (!isJsonObject(data)) return malformed("an envelope must be an object");
  return madeOfPlain(readEnvelope(holder === undefined || Object.hasOwn(data, "agent_id") ? data : { ...data, agent_id: holder }, vocabulary), vocabulary);
}

/**
 * `parseEnvelope` of data that is plain, frozen and within its limits already, as `parseJson` gives what is short enough. `besides` are members that are not the
 * envelope's, and not looked at. `like` is an envelope that came from here by the same vocabulary: what is the same in both was looked at there.
 */
export function readEnvelope(data: JsonObject, vocabulary: Vocabulary, besides: ReadonlySet<string> = NONE, like?: Envelope): Envelope {
  for (const member of Object.keys(data)) {
    if (!Object.hasOwn(MEMBERS, member) && !besides.has(member)) {
      malformed(`the envelope has the unknown member \`${member}\`; known are ${Object.keys(MEMBERS).join(", ")}`);
    }
  }
  return canonicalEnvelope(
    {
      delegatorId: own(data, "delegator_id"),
      tenantId: own(data, "tenant_id"),
      sessionId: own(data, "session_id"),
      taskId: own(data, "task_id"),
      purpose: own(data, "purpose"),
      agentId: own(data, "agent_id"),
      allowedTools: same(own(data, "allowed_tools"), like?.allowedTools),
      mayDelegate: same(own(data, "may_delegate"), like?.mayDelegate),
      deniedTools: same(own(data, "denied_tools"), like?.deniedTools),
      resourceConstraints: own(data, "resource_constraints"),
      budgets: own(data, "budgets"),
      approvals: same(own(data, "approvals"), like?.approvals),
      maxDepth: own(data, "max_depth"),
      expiresAt: instant(required(own(data, "expires_at"), "expires_at")),
    },
    vocabulary,
    like,
  );
}

/** The canonical list where the value is a list with the very same elements, else the value. */
function same(value: Json | undefined, list: readonly string[] | undefined): Json | undefined {
  return list !== undefined && isSame(value, list) ? list : value;
}

function isSame(value: Json | undefined, canonical: ConstraintValue): boolean {
  if (!Array.isArray(value) || !Array.isArray(canonical)) return value === canonical;
  if (value.length !== canonical.length) return false;
  for (let index = 0; index < canonical.length; index++) if (value[index] !== canonical[index]) return false;
  return true;
}

/** What an envelope is made of before anybody has looked at it; plain data. */
export type EnvelopeMembers = { readonly [member in keyof Envelope]: Json | undefined };

/**
 * Envelopes that were made here or of such ones: nobody can have put anything into them that is not plain data. With each, the vocabulary that all of it is
 * canonical by, where it is by one.
 */
const made = new WeakMap<Envelope, Vocabulary | undefined>();

/** The envelope itself when it was made here, else a plain copy of its members. Refuses (`envelope_malformed`) one that is not plain data. */
export function plainEnvelope(envelope: Envelope): Envelope {
  if (made.has(envelope)) return envelope;
  const members = Object.values(MEMBERS).map((member) => [member, envelope[member]]);
  return copyData(Object.fromEntries(members), "envelope_malformed", "the envelope") as unknown as Envelope;
}

/** Notes that all of the envelope comes from plain ones, and is canonical by the vocabulary. */
export function madeOfPlain(envelope: Envelope, canonicalBy: Vocabulary | undefined): Envelope {
  made.set(envelope, canonicalBy);
  return envelope;
}

/** Whether the envelope was made here by this very vocabulary: nothing of it needs to be read again for a child. */
export function isCanonicalBy(vocabulary: Vocabulary, envelope: Envelope): boolean {
  return made.get(envelope) === vocabulary;
}

/**
 * The envelope with these members, canonical. Refuses (`envelope_malformed`) what `parseEnvelope` refuses.
 * `like` is an envelope that is canonical by the vocabulary already; what is the very same value in both is not looked at again.
 */
export function canonicalEnvelope(members: EnvelopeMembers, vocabulary: Vocabulary, like?: Envelope): Envelope {
  const deniedTools = tools(members.deniedTools, "denied_tools", like?.deniedTools);
  const allowedTools = without(tools(required(members.allowedTools, "allowed_tools"), "allowed_tools", like?.allowedTools), deniedTools);
  return Object.freeze({
    delegatorId: identifier(members.delegatorId, "delegator_id", like?.delegatorId),
    tenantId: identifier(members.tenantId, "tenant_id", like?.tenantId),
    sessionId: identifier(members.sessionId, "session_id", like?.sessionId),
    taskId: identifier(members.taskId, "task_id", like?.taskId),
    purpose: identifier(members.purpose, "purpose", like?.purpose),
    agentId: identifier(members.agentId, "agent_id", like?.agentId),
    allowedTools,
    mayDelegate: without(without(tools(members.mayDelegate, "may_delegate", like?.mayDelegate), deniedTools), allowedTools),
    deniedTools,
    resourceConstraints: constraints(required(members.resourceConstraints, "resource_constraints"), vocabulary, like?.resourceConstraints),
    budgets: like !== undefined && members.budgets === like.budgets ? like.budgets : budgets(members.budgets),
    approvals: tools(members.approvals, "approvals", like?.approvals),
    maxDepth: depth(members.maxDepth),
    expiresAt: time(members.expiresAt),
  });
}

/**
 * The wire form, its members in the order of JCS; `parseEnvelope` reads it back to the same envelope.
 * Refuses (`envelope_malformed`) an `expiresAt` that is no time.
 */
export function serializeEnvelope(envelope: Envelope): JsonObject {
  return {
    agent_id: envelope.agentId,
    allowed_tools: envelope.allowedTools,
    approvals: envelope.approvals,
    budgets: envelope.budgets as JsonObject,
    delegator_id: envelope.delegatorId,
    denied_tools: envelope.deniedTools,
    expires_at: isoInstant(envelope.expiresAt),
    max_depth: envelope.maxDepth,
    may_delegate: envelope.mayDelegate,
    purpose: envelope.purpose,
    resource_constraints: envelope.resourceConstraints,
    session_id: envelope.sessionId,
    task_id: envelope.taskId,
    tenant_id: envelope.tenantId,
  };
}

/** The last instant that was written: what is derived mostly expires with what it is derived from. */
let last = { time: 0, text: new Date(0).toISOString() };

/** Milliseconds since the epoch as the wire has them. */
export function isoInstant(time: unknown): string {
  if (time === last.time) return last.text;
  const date = new Date(typeof time === "number" && Number.isSafeInteger(time) ? time : Number.NaN);
  if (Number.isNaN(date.getTime())) return malformed("`expiresAt` must be whole milliseconds since the epoch");
  last = { time: time as number, text: date.toISOString() };
  return last.text;
}

function without(tools: readonly string[], others: readonly string[]): readonly string[] {
  if (tools.length === 0 || others.length === 0) return tools;
  const excluded = new Set(others);
  return Object.freeze(tools.filter((tool) => !excluded.has(tool)));
}

function required(value: Json | undefined, member: string): Json {
  return value ?? malformed(`the envelope needs \`${member}\``);
}

function identifier(value: Json | undefined, member: string, like: string | undefined): string {
  if (like !== undefined && value === like) return like;
  return isIdentifier(required(value, member)) ? (value as string) : malformed(`\`${member}\` must be visible ASCII text of 1 to 256 characters`);
}

const NO_TOOLS: readonly string[] = Object.freeze([]);

function tools(value: Json | undefined, member: string, like: readonly string[] | undefined): readonly string[] {
  if (value === undefined) return NO_TOOLS;
  if (value === like) return like;
  if (!Array.isArray(value)) return malformed(`\`${member}\` must be a list of tool ids`);
  for (const tool of value as readonly Json[]) {
    if (!isToolId(tool)) malformed(`\`${member}\` has ${JSON.stringify(tool)}, which is not a tool id (letters, digits, _ . -); there are no wildcards`);
  }
  return sortedUnique(value as readonly string[]);
}

function constraints(value: Json, vocabulary: Vocabulary, like: ResourceConstraints | undefined): ResourceConstraints {
  if (like !== undefined && value === like) return like;
  if (!isJsonObject(value)) return malformed("`resource_constraints` must be an object");
  const parsed: Record<string, ConstraintValue> = {};
  const keys = Object.keys(value);
  for (const key of isSortedUnique(keys) ? keys : keys.sort()) {
    if (like !== undefined && Object.hasOwn(like, key) && isSame(value[key], like[key] as ConstraintValue)) {
      parsed[key] = like[key] as ConstraintValue;
      continue;
    }
    const kind = isPrototypeName(key, value[key]) ? undefined : vocabulary.kinds.get(key);
    if (kind === undefined)
      return malformed(`\`resource_constraints.${key}\` is not in the vocabulary; add it to \`vocabulary\` of the configuration, with its kind`);
    const parsedValue = rulesOf(kind).parse(value[key] as Json);
    if (parsedValue === undefined) return malformed(`\`resource_constraints.${key}\` is not a value of kind \`${kind}\``);
    parsed[key] = parsedValue;
  }
  return Object.freeze(parsed);
}

function budgets(value: Json | undefined): Budgets {
  if (value === undefined) return UNLIMITED;
  const parsed = parseBudgets(value);
  return typeof parsed === "string" ? malformed(parsed) : parsed;
}

function depth(value: Json | undefined): number {
  if (value === undefined) return DEFAULT_MAX_DEPTH;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= 64
    ? value
    : malformed("`max_depth` must be a whole number from 0 to 64");
}

/** The last instant that was read: what is derived mostly expires with what it is derived from. */
let read = { text: "", time: Number.NaN };

function instant(value: Json): number {
  if (value === read.text && value !== "") return read.time;
  const time = typeof value === "string" && ISO_INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  // Date.parse rolls 2026-02-31 over into March, and 24:00 into the next day.
  const isReal = Number.isSafeInteger(time) && time >= 0 && new Date(time).getUTCDate() === Number((value as string).slice(8, 10));
  if (!isReal) return malformed("`expires_at` must be an instant in UTC, as 2026-05-12T18:30:00Z");
  read = { text: value as string, time };
  return time;
}

function time(value: Json | undefined): number {
  const isTime = typeof required(value, "expires_at") === "number" && Number.isSafeInteger(value);
  if (!isTime) return malformed("`expiresAt` must be whole milliseconds since the epoch");
  return (value as number) >= 0 && (value as number) <= LAST_INSTANT
    ? (value as number)
    : malformed("`expires_at` must be an instant in UTC, as 2026-05-12T18:30:00Z");
}
