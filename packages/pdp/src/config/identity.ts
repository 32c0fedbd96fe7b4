import { AmbitError } from "@ambit/core";
import { createProofVerifier, type IdSource, type ProofIssuer, type ProofVerifier, type TenantSource } from "@ambit/core/identity";
import { readKeys } from "./keys.ts";
import type { Reader } from "./reader.ts";

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/**
 * Reads whose tokens are proof of a delegator: `{ "issuers": […] }`, each of kind `oidc` or `spiffe`. Refuses (`config_invalid`) what `createProofVerifier` refuses, too.
 */
export function parseIdentity(reader: Reader, now: () => number): ProofVerifier {
  reader.members(["issuers"]);
  const issuers = reader
    .at("issuers")
    .elements()
    .map((element) => readIssuer(element, now));
  try {
    return createProofVerifier({ issuers, now });
  } catch (error) {
    return reader.fail(AmbitError.isInstance(error) ? error.message : "cannot be read");
  }
}

function readIssuer(reader: Reader, now: () => number): ProofIssuer {
  const kind = reader.at("kind").oneOf("oidc", "spiffe");
  const own = kind === "oidc" ? ["issuer"] : ["trust_domain"];
  reader.members(
    ["kind", ...own, "audience", "keys", "tenant"],
    ["delegator", "agent", "algorithms", "max_age", ...(kind === "oidc" ? ["token", "clients"] : [])],
  );
  const common = {
    audience: reader.at("audience").text(),
    keys: readKeys(reader.at("keys"), kind === "oidc" ? "jwks" : "spiffe-bundle", now),
    tenant: readTenant(reader.at("tenant")),
    ...given("delegator", reader, readId),
    ...given("agent", reader, readId),
    ...given("algorithms", reader, (part) => part.texts(isText, "the name of an algorithm")),
    ...(reader.at("max_age").isAbsent ? {} : { maxAge: reader.at("max_age").count() }),
  };
  if (kind === "spiffe") return { kind, trustDomain: reader.at("trust_domain").text(), ...common };
  return {
    kind,
    issuer: reader.at("issuer").text(),
    ...common,
    ...given("token", reader, (part) => part.oneOf("id_token", "access_token")),
    ...given("clients", reader, (part) => part.texts(isText, "the id of a client")),
  };
}

function given<const N extends string, T>(member: N, reader: Reader, read: (part: Reader) => T): { readonly [name in N]?: T } {
  const part = reader.at(member);
  return (part.isAbsent ? {} : { [member]: read(part) }) as { readonly [name in N]?: T };
}

function readId(reader: Reader): IdSource {
  if (!reader.at("id").isAbsent) return { id: reader.members(["id"]).at("id").text() };
  reader.members(["claim"], ["prefix"]);
  return { claim: reader.at("claim").text(), ...given("prefix", reader, (part) => part.text()) };
}

function readTenant(reader: Reader): TenantSource {
  if (!reader.at("id").isAbsent) return { id: reader.members(["id"]).at("id").text() };
  const among = reader.members(["claim", "among"]).at("among");
  return { claim: reader.at("claim").text(), among: among.value === "any" ? "any" : among.texts(isText, "the id of a tenant") };
}
