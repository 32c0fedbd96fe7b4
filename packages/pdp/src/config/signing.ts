import { AmbitError, isIdentifier, type JsonObject } from "@ambit/core";
import type { NamedKey } from "@ambit/core/identity";
import { trustAnchor } from "@ambit/core/token";
import { readPrivate } from "./keys.ts";
import type { Reader } from "./reader.ts";

/** What roots are signed with, as it is configured. */
export interface LoadedSigning {
  readonly issuer: string;
  readonly key: NamedKey;
  readonly tenants: ReadonlySet<string>;
}

/** Reads what roots are signed with: `{ "issuer", "key", "tenants" }`. The key is a private JWK; nothing that is said about it quotes it. */
export async function parseSigning(reader: Reader, key: Reader): Promise<LoadedSigning> {
  reader.members(["issuer", "key", "tenants"]);
  const current = await readPrivate(key);
  const tenants = reader.at("tenants").texts(isIdentifier, "the id of a tenant");
  if (tenants.length === 0) reader.at("tenants").fail("must name the tenants that roots are signed for");
  const issuer = reader.at("issuer");
  try {
    trustAnchor({ issuer: issuer.text(), jwk: current.public.jwk as unknown as JsonObject });
  } catch (error) {
    issuer.fail(AmbitError.isInstance(error) ? error.message : "cannot be read");
  }
  return Object.freeze({ issuer: issuer.text(), key: current, tenants: new Set(tenants) });
}
