import { AmbitError, isIdentifier, isMemberName } from "@ambit/core";
import { publicKey, type PublicKey } from "@ambit/core/token";
import type { Reader } from "../config/reader.ts";

/** A person who can answer, as far as it is configured here. */
export interface KnownApprover {
  /** INVARIANT I12: where they are who they are. */
  readonly tenants: ReadonlySet<string> | "any";
  readonly roles: ReadonlySet<string>;
  /** What they sign their answers with, by thumbprint. */
  readonly keys: ReadonlyMap<string, PublicKey>;
}

export type Approvers = ReadonlyMap<string, KnownApprover>;

/** Reads `{ "approvers": { "user_1": { "tenants": […], "roles": […], "keys": […] } } }`. Refuses (`config_invalid`) a key of two people. */
export function parseApprovers(reader: Reader): Approvers {
  const approvers = new Map<string, KnownApprover>();
  const owners = new Set<string>();
  for (const [id, entry] of reader.members(["approvers"]).at("approvers").entries()) {
    if (!isIdentifier(id)) entry.fail("is not an id: visible ASCII, at most 256");
    entry.members(["tenants"], ["roles", "keys"]);
    const [tenants, roles, keys] = [entry.at("tenants"), entry.at("roles"), entry.at("keys")];
    const known = keys.isAbsent ? [] : keys.elements().map(readKey);
    for (const { thumbprint } of known) {
      if (owners.has(thumbprint)) keys.fail("has a key that is listed twice");
      owners.add(thumbprint);
    }
    approvers.set(id, {
      tenants: tenants.value === "any" ? "any" : new Set(tenants.texts(isIdentifier, "the id of a tenant")),
      roles: new Set(roles.isAbsent ? [] : roles.texts(isMemberName, "a role in snake_case")),
      keys: new Map(known.map((key) => [key.thumbprint, key])),
    });
  }
  return approvers;
}

function readKey(reader: Reader): PublicKey {
  try {
    return publicKey(reader.value);
  } catch (error) {
    return reader.fail(`is not a public JWK: ${AmbitError.isInstance(error) ? error.message : "it cannot be read"}`);
  }
}
