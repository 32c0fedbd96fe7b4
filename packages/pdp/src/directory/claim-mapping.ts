import { isIdentifier, isPointer, own, valuesAt, type Json, type JsonObject } from "@ambit/core";
import type { Reader } from "../config/reader.ts";

/** Where a value stands in the claims: a member, or what a JSON pointer names. Claims are often called like URLs, so the two are told apart by name. */
export type ClaimPlace = { readonly claim: string } | { readonly pointer: string };

export type IdPlace = (ClaimPlace & { readonly prefix: string }) | { readonly id: string };
export type TenantPlace = (ClaimPlace & { readonly among: ReadonlySet<string> | "any" }) | { readonly id: string };

/** What the claims of one issuer say about a user. */
export interface ClaimIssuer {
  readonly issuer: string;
  readonly id: IdPlace;
  readonly tenant: TenantPlace;
  readonly roles: (ClaimPlace & { readonly map: ReadonlyMap<string, string> | undefined; readonly isRequired: boolean }) | undefined;
  readonly attributes: ReadonlyMap<string, ClaimPlace & { readonly isRequired: boolean }>;
}

/** What is declared of users. */
interface Known {
  readonly roles: ReadonlySet<string>;
  readonly attributes: ReadonlyMap<string, unknown>;
}

export function parseIssuer(issuer: string, reader: Reader, known: Known): ClaimIssuer {
  if (issuer === "") reader.fail("is not the `iss` of an issuer");
  reader.members(["id", "tenant"], ["roles", "attributes", "description"]);
  const [roles, attributes] = [reader.at("roles"), reader.at("attributes")];
  return Object.freeze({
    issuer,
    id: parseId(reader.at("id")),
    tenant: parseTenant(reader.at("tenant")),
    roles: roles.isAbsent ? undefined : parseRoles(roles, known),
    attributes: new Map(
      (attributes.isAbsent ? [] : attributes.entries()).map(([name, place]) => {
        if (!known.attributes.has(name)) place.fail("is not declared in `attributes`");
        return [name, { ...parsePlace(place, ["required"]), isRequired: isRequired(place) }] as const;
      }),
    ),
  });
}

function parsePlace(reader: Reader, others: readonly string[]): ClaimPlace {
  const isPointing = Object.hasOwn(reader.object(), "pointer");
  reader.members([isPointing ? "pointer" : "claim"], others);
  if (!isPointing) return { claim: reader.at("claim").text() };
  return { pointer: reader.at("pointer").textThat(isOnePlace, "a JSON pointer to one value, as `/realm_access/roles`") };
}

function isOnePlace(value: unknown): value is string {
  return isPointer(value) && value !== "" && !value.split("/").includes("*");
}

function isRequired(reader: Reader): boolean {
  const required = reader.at("required");
  return !required.isAbsent && required.flag();
}

function parseId(reader: Reader): IdPlace {
  if (Object.hasOwn(reader.object(), "id")) return { id: reader.members(["id"]).at("id").textThat(isIdentifier, "an id") };
  const prefix = reader.at("prefix");
  return { ...parsePlace(reader, ["prefix"]), prefix: prefix.isAbsent ? "" : prefix.textThat(isIdentifier, "visible ASCII") };
}

/** INVARIANT I12: an issuer of a claim speaks for tenants that are listed, or for any, in so many words. */
function parseTenant(reader: Reader): TenantPlace {
  if (Object.hasOwn(reader.object(), "id")) return { id: reader.members(["id"]).at("id").textThat(isIdentifier, "an id") };
  const place = parsePlace(reader, ["among"]);
  const among = reader.at("among");
  if (among.value === "any") return { ...place, among: "any" };
  const listed = new Set(among.isAbsent ? among.fail("must list the tenants that the issuer speaks for, or be `any`") : among.texts(isIdentifier, "an id"));
  return listed.size > 0 ? { ...place, among: listed } : among.fail("must list at least one tenant");
}

function parseRoles(reader: Reader, known: Known): NonNullable<ClaimIssuer["roles"]> {
  const map = reader.at("map");
  const isRole = (value: unknown): value is string => typeof value === "string" && known.roles.has(value);
  return {
    ...parsePlace(reader, ["map", "required"]),
    isRequired: isRequired(reader),
    map: map.isAbsent ? undefined : new Map(map.entries().map(([name, role]) => [name, role.textThat(isRole, "a role that is declared in `roles`")])),
  };
}

export function valueAt(claims: JsonObject, place: ClaimPlace): Json | undefined {
  return "claim" in place ? own(claims, place.claim) : valuesAt(claims, place.pointer)?.[0];
}
