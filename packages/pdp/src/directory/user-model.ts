import { digestOf, isMemberName, type Json, type JsonObject } from "@ambit/core";
import { Reader } from "../config/reader.ts";
import { parseIssuer, type ClaimIssuer } from "./claim-mapping.ts";

/** What an attribute can be, so that policies can be checked against it. */
export const ATTRIBUTE_TYPES = ["string", "long", "boolean", "strings"] as const;
export type AttributeType = (typeof ATTRIBUTE_TYPES)[number];
export type AttributeValue = string | number | boolean | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** What is known of users and agents at all: anything else is nothing that a policy could speak of. */
export interface UserModel {
  /** Roles, sorted. */
  readonly roles: ReadonlySet<string>;
  /** Attributes by name. Every one may be absent. */
  readonly attributes: ReadonlyMap<string, AttributeType>;
  /** By `iss`. */
  readonly issuers: ReadonlyMap<string, ClaimIssuer>;
  /** Of what was written. Belongs into the digest of the policies. */
  readonly digest: string;
}

const ROLE = /^[A-Za-z0-9_.:-]{1,128}$/;
/** Elements of a set. */
const MOST_ELEMENTS = 1000;
const LONGEST = 4096;
/** Attributes that entities have of themselves. */
const OWN: ReadonlySet<string> = new Set(["id", "tenant", "trust_zone", "roles"]);

function isRole(value: unknown): value is string {
  return typeof value === "string" && ROLE.test(value);
}

/**
 * Reads what users are described by:
 *
 *     { "roles": ["support", "approver"], "attributes": { "department": "string", "level": "long", "on_call": "boolean", "regions": "strings" },
 *       "issuers": { "https://idp.example.com": { "id": { "claim": "sub" }, "tenant": { "id": "tenant_acme" },
 *         "roles": { "pointer": "/realm_access/roles", "map": { "crm-support": "support" } }, "attributes": { "department": { "claim": "dept" } } } } }
 *
 * Refuses (`config_invalid`, with the place) roles and attributes that are mapped but not declared, names that entities have of themselves, and unknown members.
 */
export function parseUserModel(data: unknown, file = "the users"): UserModel {
  const reader = new Reader("config_invalid", file, data).members([], ["description", "roles", "attributes", "issuers"]);
  const [roles, declared, issuers] = [reader.at("roles"), reader.at("attributes"), reader.at("issuers")];
  const attributes = new Map<string, AttributeType>();
  for (const [name, place] of declared.isAbsent ? [] : declared.entries()) {
    if (!isMemberName(name) || OWN.has(name)) place.fail(`is not the name of an attribute: snake_case, at most 64, and none of ${[...OWN].join(", ")}`);
    attributes.set(name, place.oneOf(...ATTRIBUTE_TYPES));
  }
  const known = { roles: new Set(roles.isAbsent ? [] : roles.texts(isRole, "a role: letters, digits, `_`, `.`, `:`, `-`")), attributes };
  return Object.freeze({
    ...known,
    issuers: new Map((issuers.isAbsent ? [] : issuers.entries()).map(([issuer, place]) => [issuer, parseIssuer(issuer, place, known)])),
    digest: digestOf(reader.value),
  });
}

/** Roles that are declared, each once, sorted; `undefined` for a list that is none, or has others in it. */
export function rolesOf(model: Pick<UserModel, "roles">, value: Json | undefined): readonly string[] | undefined {
  if (!Array.isArray(value) || !value.every((role) => typeof role === "string" && model.roles.has(role))) return undefined;
  return Object.freeze([...new Set(value as readonly string[])].sort());
}

/** Attributes that are declared, of their types; otherwise the name of one that is not. */
export function attributesOf(model: Pick<UserModel, "attributes">, value: JsonObject): Attributes | string {
  const read: [string, AttributeValue][] = [];
  for (const [name, given] of Object.entries(value)) {
    const type = model.attributes.get(name);
    const converted = type === undefined ? undefined : attributeOf(type, given);
    if (converted === undefined) return name;
    read.push([name, converted]);
  }
  return Object.freeze(Object.fromEntries(read));
}

/** INVARIANT I9: a value that is not of its type is none; nothing is converted, cut off or rounded. */
export function attributeOf(type: AttributeType, value: Json): AttributeValue | undefined {
  switch (type) {
    case "string":
      return isText(value) ? value : undefined;
    case "long":
      return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "strings":
      return Array.isArray(value) && value.length <= MOST_ELEMENTS && value.every(isText)
        ? Object.freeze([...new Set(value as readonly string[])].sort())
        : undefined;
  }
}

function isText(value: Json): value is string {
  return typeof value === "string" && value.length <= LONGEST;
}
