import { AmbitError, copyData, isJsonObject, own, type Json, type JsonObject, type Narrowing } from "@ambit/core";

/** The members of an envelope that a child can ask for, as they are written, and what they are in code. */
const MEMBERS = {
  agent_id: "agentId",
  task_id: "taskId",
  purpose: "purpose",
  allowed_tools: "allowedTools",
  may_delegate: "mayDelegate",
  denied_tools: "deniedTools",
  resource_constraints: "resourceConstraints",
  budgets: "budgets",
  approvals: "approvals",
  max_depth: "maxDepth",
  expires_at: "expiresAt",
} as const satisfies Record<string, keyof Narrowing>;

/** What a narrowing in our profile may say; the values are checked where the child is made. Refuses any other member and a time that is none. */
export function envelopeNarrowing(data: JsonObject): Narrowing {
  checkMembers(data, Object.keys(MEMBERS));
  // Spread into the parent's, anything else would ask for nothing and be given everything.
  const constraints = own(data, "resource_constraints");
  if (constraints !== undefined && !isJsonObject(constraints)) malformed("`resource_constraints` must be an object");
  return Object.fromEntries(
    Object.entries(data).map(([member, value]) => [MEMBERS[member as keyof typeof MEMBERS], member === "expires_at" ? instant(value) : value]),
  );
}

/** What a narrowing of a chain of the draft alone may say: the tools and their constraints, as on the wire. */
export interface DraftNarrowing {
  readonly tools?: JsonObject;
  readonly maxDepth?: number;
  /** Seconds since the epoch. */
  readonly expiresAt?: number;
}

export function draftNarrowing(data: JsonObject): DraftNarrowing {
  checkMembers(data, ["tools", "max_depth", "expires_at"]);
  const [tools, maxDepth, expiresAt] = [own(data, "tools"), own(data, "max_depth"), own(data, "expires_at")];
  if (tools !== undefined && !isJsonObject(tools)) return malformed("`tools` must be an object of constraints by tool");
  if (maxDepth !== undefined && typeof maxDepth !== "number") return malformed("`max_depth` must be a number");
  return {
    ...(tools === undefined ? {} : { tools }),
    ...(maxDepth === undefined ? {} : { maxDepth }),
    ...(expiresAt === undefined ? {} : { expiresAt: Math.floor(instant(expiresAt) / 1000) }),
  };
}

/** The JSON of a narrowing as plain data. */
export function narrowingData(raw: unknown): JsonObject {
  const data = copyData(raw, "envelope_malformed", "the narrowing");
  return isJsonObject(data) ? data : malformed("the narrowing must be an object");
}

function checkMembers(data: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(data).find((member) => !known.includes(member));
  if (unknown !== undefined) malformed(`the narrowing has the member \`${unknown}\`; known here are ${known.join(", ")}`);
}

function instant(value: Json): number {
  const time = typeof value === "string" && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? malformed("`expires_at` must be an instant in UTC, as 2026-05-12T18:30:00Z") : time;
}

function malformed(reason: string): never {
  throw new AmbitError("envelope_malformed", reason);
}
