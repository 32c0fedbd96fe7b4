import { AmbitError, copyData, isIdentifier, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { valueAt, type ClaimIssuer, type TenantPlace } from "./claim-mapping.ts";
import type { User } from "./directory.ts";
import { attributeOf, type AttributeType, type Attributes, type AttributeValue, type UserModel } from "./user-model.ts";

const refuse = (reason: string): never => {
  throw new AmbitError("proof_invalid", reason);
};

/**
 * Who the claims of a token speak of. Whoever calls has verified its signature, its audience and its times: all that is read here is believed.
 *
 * Refuses (`proof_invalid`, `tenant_mismatch`) an issuer that is not configured, a tenant that it does not speak for, no id, and a claim that is there but not
 * of its type. Roles that are not declared, or not in the map, are left out: no policy can speak of them. An attribute that is absent is absent, unless required.
 */
export function readClaims(model: UserModel, claims: unknown): { readonly tenantId: string; readonly user: User } {
  const copy = copyData(claims, "proof_invalid", "the claims");
  const members = isJsonObject(copy) ? copy : refuse("the claims are no object");
  const name = own(members, "iss");
  const issuer = typeof name === "string" ? model.issuers.get(name) : undefined;
  if (issuer === undefined) return refuse("the claims are of an issuer that is not configured");
  const tenantId = tenantOf(members, issuer.tenant);
  if (tenantId === undefined) throw new AmbitError("tenant_mismatch", "the claims do not name a tenant that their issuer speaks for");
  const id = "id" in issuer.id ? issuer.id.id : userIdOf(issuer, valueAt(members, issuer.id));
  if (id === undefined) return refuse("the claims do not say who the user is");
  return {
    tenantId,
    user: Object.freeze({ id, roles: claimedRoles(model, issuer, members), attributes: claimedAttributes(model, issuer, members), source: issuer.issuer }),
  };
}

function tenantOf(claims: JsonObject, place: TenantPlace): string | undefined {
  if ("id" in place) return place.id;
  const tenant = valueAt(claims, place);
  return isIdentifier(tenant) && (place.among === "any" || place.among.has(tenant)) ? tenant : undefined;
}

/** The id of the user that an issuer calls so. */
export function userIdOf({ id: place }: ClaimIssuer, value: Json | undefined): string | undefined {
  if ("id" in place || typeof value !== "string" || value === "") return undefined;
  const id = `${place.prefix}${value}`;
  return isIdentifier(id) ? id : undefined;
}

function claimedRoles(model: UserModel, { roles: place }: ClaimIssuer, claims: JsonObject): readonly string[] {
  if (place === undefined) return Object.freeze([]);
  const value = valueAt(claims, place);
  if (value === undefined) return place.isRequired ? refuse("the claims do not say which roles the user has") : Object.freeze([]);
  const names: Json = typeof value === "string" ? [value] : value;
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) return refuse("the roles of the claims are no list of text");
  const roles = (names as readonly string[]).map((name) => (place.map === undefined ? name : place.map.get(name)));
  return Object.freeze([...new Set(roles.filter((role) => role !== undefined && model.roles.has(role)) as string[])].sort());
}

function claimedAttributes(model: UserModel, { attributes }: ClaimIssuer, claims: JsonObject): Attributes {
  const read: [string, AttributeValue][] = [];
  for (const [name, place] of attributes) {
    const value = valueAt(claims, place);
    if (value === undefined) {
      if (place.isRequired) refuse(`the claims do not have the attribute \`${name}\``);
      continue;
    }
    read.push([name, attributeOf(model.attributes.get(name) as AttributeType, value) ?? refuse(`the attribute \`${name}\` of the claims is not of its type`)]);
  }
  return Object.freeze(Object.fromEntries(read));
}
