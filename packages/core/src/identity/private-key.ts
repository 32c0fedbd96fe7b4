import { AmbitError } from "../errors.ts";
import { isJsonObject, own, type Json } from "../data/json.ts";
import { isIdentifier } from "../data/names.ts";
import type { PrivateJwk } from "../token/crypto.ts";
import { signingKey, type SigningKey } from "../token/key.ts";
import { parseJson } from "../token/strict-json.ts";

/** A key that signs, and what verifiers call it by. */
export interface NamedKey extends SigningKey {
  readonly kid: string;
}

/**
 * Reads a private key from the content of a file: a JWK (RFC 7517), Ed25519 or P-256. Its name is its `kid`, else its thumbprint (RFC 7638).
 *
 * Throws `option_invalid` for anything else; nothing of the content is in the error. What comes back signs and cannot be read.
 */
export async function readPrivateKey(text: string): Promise<NamedKey> {
  const parsed = parseJson(text, { depth: 4, nodes: 64, members: 32 });
  const jwk = typeof parsed === "string" ? undefined : parsed.value;
  if (!isJsonObject(jwk)) throw new AmbitError("option_invalid", "the private key is not a JWK");
  const [kid, operations] = [own(jwk, "kid"), own(jwk, "key_ops")];
  if (kid !== undefined && !isIdentifier(kid)) throw new AmbitError("option_invalid", "the `kid` of the private key is no name");
  const isToSign = operations === undefined || (Array.isArray(operations) && (operations as readonly Json[]).includes("sign"));
  if (!isToSign) throw new AmbitError("option_invalid", "the private key is not for signing");
  // `key_ops` of a private key says `sign`; read as a public one it would be for something else.
  const members = ["kty", "crv", "x", "y", "d", "use", "alg"].filter((member) => Object.hasOwn(jwk, member));
  const key = await signingKey(Object.fromEntries(members.map((member) => [member, jwk[member]])) as unknown as PrivateJwk);
  return Object.freeze({ kid: kid ?? key.public.thumbprint, public: key.public, sign: key.sign });
}
