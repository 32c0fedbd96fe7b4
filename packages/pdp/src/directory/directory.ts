import { AmbitError, copyData, isIdentifier, isJsonObject, own, type DocumentStore, type Json, type JsonObject } from "@ambit/core";
import { createRecentUsers } from "./recent-users.ts";
import { attributesOf, rolesOf, type Attributes, type UserModel } from "./user-model.ts";

/** Who somebody is. */
export interface User {
  readonly id: string;
  /** Declared roles, sorted. */
  readonly roles: readonly string[];
  readonly attributes: Attributes;
  /** Who says so: the `iss` of the claims, or whatever else the caller calls it. */
  readonly source: string;
}

/** A user, or somebody who was one. */
export type KnownUser = { readonly status: "active"; readonly user: User } | { readonly status: "removed"; readonly id: string; readonly at: number };

export interface DirectoryOptions {
  readonly model: UserModel;
  readonly documents: DocumentStore;
  /** Told of every leaver, to revoke what was given out on their behalf. What it rejects with, the removal rejects with: whoever removed has to try again. */
  readonly onRemoved: (tenantId: string, id: string) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Who the users of each tenant are. INVARIANT I12: nothing is known or written without a tenant.
 *
 * Rejects with `option_invalid` for what is no user, and with what the store rejects with; whoever decides takes every rejection as a deny.
 */
export interface Directory {
  readonly model: UserModel;
  /**
   * Writes who a user is, in place of what was known. Refuses (`proof_invalid`) somebody who was removed: whoever has an account elsewhere gets tokens for as long as they have it.
   * `isReturning` takes them back. With `saidAt` it is what somebody said at that time (milliseconds since the epoch), and nothing where more is known from then or later.
   */
  upsertUser(tenantId: string, user: User, options?: { readonly isReturning?: boolean; readonly saidAt?: number }): Promise<void>;
  /** Removes a user, heard of or not, and tells `onRemoved`, every time. They stay known as removed. */
  removeUser(tenantId: string, id: string): Promise<void>;
  /** As it is, or was less than a second ago where another process wrote it. Rejects with `policy_error` where what was written is not of the types that are declared now. */
  user(tenantId: string, id: string): Promise<KnownUser | undefined>;
  /** The ids of active users after one, in order; at most `limit`, and fewer only at the end. */
  listUsers(tenantId: string, after: string, limit: number): Promise<readonly string[]>;
}

const COLLECTION = "users";
/** Users are not forgotten, and leavers neither. */
const FOREVER = Number.MAX_SAFE_INTEGER;
/** Times that others may write the same user meanwhile. */
const ATTEMPTS = 10;
const MOST_LISTED = 1000;

export function createDirectory({ model, documents, onRemoved, now }: DirectoryOptions): Directory {
  const recent = createRecentUsers<KnownUser>(now);
  /** Of two who write at the same time the second sees what the first one wrote. */
  const replace = async (tenantId: string, id: string, change: (before: JsonObject | undefined) => JsonObject | undefined): Promise<void> => {
    for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
      const before = await documents.get(tenantId, COLLECTION, id);
      const content = change(before?.content);
      if (content === undefined || (await documents.put(tenantId, COLLECTION, id, content, before?.version ?? 0, FOREVER))) return;
    }
    throw new AmbitError("state_unavailable", "others keep writing the same user");
  };

  const write: typeof replace = async (tenantId, id, change) => {
    recent.forget(tenantId, id);
    try {
      await replace(tenantId, id, change);
    } finally {
      recent.forget(tenantId, id);
    }
  };

  return Object.freeze<Directory>({
    model,
    upsertUser: async (tenantId, given, { isReturning = false, saidAt } = {}) => {
      const user = readUser(model, given);
      checkIds(tenantId, user.id);
      const at = timeOf(saidAt ?? now());
      await write(tenantId, user.id, (before) => {
        if (before !== undefined && own(before, "status") !== "active" && !isReturning) throw new AmbitError("proof_invalid", "the user was removed");
        const known = before === undefined ? undefined : own(before, "at");
        const knownAt = typeof known === "number" ? known : -Infinity;
        if (saidAt !== undefined && knownAt >= saidAt) return undefined;
        return { status: "active", user: { ...user, attributes: { ...user.attributes } }, at: Math.max(at, knownAt) };
      });
    },
    removeUser: async (tenantId, id) => {
      checkIds(tenantId, id);
      const at = timeOf(now());
      // First of all nothing new is begun; then what was begun before is revoked.
      await write(tenantId, id, (before) => (before !== undefined && own(before, "status") === "removed" ? undefined : { status: "removed", at }));
      await onRemoved(tenantId, id);
    },
    user: async (tenantId, id) => {
      checkIds(tenantId, id);
      return recent.of(tenantId, id, async () => {
        const found = await documents.get(tenantId, COLLECTION, id);
        return found === undefined ? undefined : knownUser(model, id, found.content);
      });
    },
    listUsers: async (tenantId, after, limit) => {
      if (!isIdentifier(tenantId) || typeof after !== "string" || !Number.isSafeInteger(limit) || limit < 1 || limit > MOST_LISTED)
        throw new AmbitError("option_invalid", `a list of users has a tenant, the id that it begins after, and a length of 1 to ${MOST_LISTED}`);
      const ids: string[] = [];
      for (let last = after; ids.length < limit;) {
        const page = await documents.list(tenantId, COLLECTION, last, MOST_LISTED);
        for (const { id, content } of page) if (ids.length < limit && own(content, "status") === "active") ids.push(id);
        const end = page.at(-1);
        if (end === undefined || page.length < MOST_LISTED) break;
        last = end.id;
      }
      return ids;
    },
  });
}

function timeOf(at: number): number {
  if (!Number.isSafeInteger(at)) throw new AmbitError("state_unavailable", "what time it is cannot be told");
  return at;
}

function checkIds(tenantId: unknown, id: unknown): void {
  if (!isIdentifier(tenantId) || !isIdentifier(id)) throw new AmbitError("option_invalid", "a user has a tenant and an id: visible ASCII, at most 256");
}

function readUser(model: UserModel, given: unknown): User {
  const fail = (reason: string): never => {
    throw new AmbitError("option_invalid", reason);
  };
  const copy = copyData(given, "option_invalid", "the user");
  const user = isJsonObject(copy) ? copy : fail("a user is an object");
  for (const member of Object.keys(user))
    if (!["id", "roles", "attributes", "source"].includes(member)) fail(`the unknown member \`${member.slice(0, 64)}\` of a user`);
  const [id, source, described] = [own(user, "id"), own(user, "source"), own(user, "attributes")];
  const roles = rolesOf(model, own(user, "roles")) ?? fail("`roles` of a user must be a list of declared roles");
  const attributes = isJsonObject(described) ? attributesOf(model, described) : fail("`attributes` of a user must be an object");
  if (typeof attributes === "string") return fail(`the attribute \`${attributes.slice(0, 64)}\` is not declared, or not of its type`);
  if (!isIdentifier(id) || typeof source !== "string" || source === "") return fail("a user has an `id` and a `source`");
  return Object.freeze({ id, roles, attributes, source });
}

/** What was written under another model is read under this one: roles and attributes that are not declared any more are nothing, others must fit. */
function knownUser(model: UserModel, id: string, content: JsonObject): KnownUser {
  const [status, at, stored] = [own(content, "status"), own(content, "at"), own(content, "user")];
  if (status === "removed" && typeof at === "number") return Object.freeze({ status, id, at });
  const fail = (): never => {
    throw new AmbitError("policy_error", "what is known of the user does not fit what is declared of users");
  };
  if (status !== "active" || !isJsonObject(stored)) return fail();
  const [roles, given, source] = [own(stored, "roles"), own(stored, "attributes"), own(stored, "source")];
  if (!Array.isArray(roles) || !isJsonObject(given) || typeof source !== "string" || own(stored, "id") !== id) return fail();
  const declared = Object.fromEntries(Object.entries(given).filter(([name]) => model.attributes.has(name)));
  const attributes = attributesOf(model, declared);
  const known = rolesOf(
    model,
    (roles as readonly Json[]).filter((role) => typeof role === "string" && model.roles.has(role)),
  );
  if (typeof attributes === "string" || known === undefined) return fail();
  return Object.freeze({ status, user: Object.freeze({ id, roles: known, attributes, source }) });
}
