import { AmbitError } from "../errors.ts";
import { copyData, isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";
import { isIdentifier, isToolId } from "../data/names.ts";
import { sortedUnique } from "../data/sets.ts";
import { parseBudgets, type Budgets } from "./budgets.ts";
import { rulesOf, type ConstraintValue } from "./constraint-kinds.ts";
import { DEFAULT_MAX_DEPTH, type Envelope, type ResourceConstraints } from "./envelope.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The only place that knows both spellings: snake_case on the wire, camelCase in code. */
const MEMBERS = {
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
} as const satisfies Record<string, keyof Envelope>;

const ISO_INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/;

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
  for (const member of Object.keys(data)) {
    if (!Object.hasOwn(MEMBERS, member)) malformed(`the envelope has the unknown member \`${member}\`; known are ${Object.keys(MEMBERS).join(", ")}`);
  }
  const deniedTools = tools(data, "denied_tools");
  const allowedTools = without(tools(data, "allowed_tools", "required"), deniedTools);
  return Object.freeze({
    delegatorId: identifier(data, "delegator_id"),
    tenantId: identifier(data, "tenant_id"),
    sessionId: identifier(data, "session_id"),
    taskId: identifier(data, "task_id"),
    purpose: identifier(data, "purpose"),
    agentId: identifier(holder === undefined ? data : { agent_id: holder, ...data }, "agent_id"),
    allowedTools,
    mayDelegate: without(tools(data, "may_delegate"), [...deniedTools, ...allowedTools]),
    deniedTools,
    resourceConstraints: constraints(required(data, "resource_constraints"), vocabulary),
    budgets: budgets(own(data, "budgets")),
    approvals: tools(data, "approvals"),
    maxDepth: depth(own(data, "max_depth")),
    expiresAt: instant(required(data, "expires_at")),
  });
}

/** The wire form; `parseEnvelope` reads it back to the same envelope. Refuses (`envelope_malformed`) an `expiresAt` that is no time. */
export function serializeEnvelope(envelope: Envelope): JsonObject {
  const entries = Object.entries(MEMBERS).map(([wire, member]): [string, Json] => {
    const value = envelope[member] as Json;
    return [wire, member === "expiresAt" ? isoInstant(value) : value];
  });
  return Object.fromEntries(entries);
}

function isoInstant(time: Json): string {
  const date = new Date(typeof time === "number" && Number.isSafeInteger(time) ? time : Number.NaN);
  return Number.isNaN(date.getTime()) ? malformed("`expiresAt` must be whole milliseconds since the epoch") : date.toISOString();
}

function without(tools: readonly string[], others: readonly string[]): readonly string[] {
  const excluded = new Set(others);
  return Object.freeze(tools.filter((tool) => !excluded.has(tool)));
}

function required(data: JsonObject, member: string): Json {
  return own(data, member) ?? malformed(`the envelope needs \`${member}\``);
}

function identifier(data: JsonObject, member: string): string {
  const value = required(data, member);
  return isIdentifier(value) ? value : malformed(`\`${member}\` must be visible ASCII text of 1 to 256 characters`);
}

function tools(data: JsonObject, member: string, presence: "required" | "optional" = "optional"): readonly string[] {
  const value = presence === "required" ? required(data, member) : own(data, member);
  if (value === undefined) return Object.freeze([]);
  if (!Array.isArray(value)) return malformed(`\`${member}\` must be a list of tool ids`);
  const bad = value.find((tool: Json) => !isToolId(tool)) as Json | undefined;
  if (bad !== undefined) malformed(`\`${member}\` has ${JSON.stringify(bad)}, which is not a tool id (letters, digits, _ . -); there are no wildcards`);
  return sortedUnique(value as readonly string[]);
}

function constraints(value: Json, vocabulary: Vocabulary): ResourceConstraints {
  if (!isJsonObject(value)) return malformed("`resource_constraints` must be an object");
  const parsed: Record<string, ConstraintValue> = {};
  for (const key of Object.keys(value).sort()) {
    const kind = vocabulary.kinds.get(key);
    if (kind === undefined)
      return malformed(`\`resource_constraints.${key}\` is not in the vocabulary; add it to \`vocabulary\` of the configuration, with its kind`);
    const parsedValue = rulesOf(kind).parse(value[key] as Json);
    if (parsedValue === undefined) return malformed(`\`resource_constraints.${key}\` is not a value of kind \`${kind}\``);
    parsed[key] = parsedValue;
  }
  return Object.freeze(parsed);
}

function budgets(value: Json | undefined): Budgets {
  if (value === undefined) return Object.freeze({});
  const parsed = parseBudgets(value);
  return typeof parsed === "string" ? malformed(parsed) : parsed;
}

function depth(value: Json | undefined): number {
  if (value === undefined) return DEFAULT_MAX_DEPTH;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= 64
    ? value
    : malformed("`max_depth` must be a whole number from 0 to 64");
}

function instant(value: Json): number {
  const time = typeof value === "string" && ISO_INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  // Date.parse rolls 2026-02-31 over into March; the round trip does not let it.
  const isReal = Number.isSafeInteger(time) && time >= 0 && new Date(time).toISOString().slice(0, 19) === (value as string).slice(0, 19);
  return isReal ? time : malformed("`expires_at` must be an instant in UTC, as 2026-05-12T18:30:00Z");
}
