import { canonicalJson } from "../data/canonical.ts";
import type { JsonObject } from "../data/json.ts";
import { bytesToBase64url, toBase64url } from "#base64url";
import { readCompact, readPayload, type Payload } from "./compact.ts";
import { verifySignature, type PublicKey } from "./crypto.ts";
import type { SigningKey } from "./key.ts";

/** Bytes of a statement. */
const MOST_BYTES = 65_536;

/** Signs what somebody says, as a compact JWS (RFC 7515) whose `typ` says what kind of statement it is and whose `kid` is the thumbprint of the key. */
export async function signStatement(claims: JsonObject, type: string, key: SigningKey): Promise<string> {
  const header = canonicalJson({ alg: key.public.algorithm, kid: key.public.thumbprint, typ: type });
  const signingInput = `${toBase64url(header)}.${toBase64url(canonicalJson(claims))}`;
  return `${signingInput}.${bytesToBase64url(await key.sign(signingInput))}`;
}

/**
 * What somebody whose key is known has said; a reason as text when it is not a statement of this type, or of no such key. Nothing of it is read before its signature
 * has verified. `keyOf` only chooses among keys that are trusted already, and is asked with the `kid`, which anybody may write.
 */
export async function verifyStatement(
  text: string,
  type: string,
  keyOf: (kid: string) => PublicKey | undefined,
): Promise<string | { readonly payload: Payload; readonly key: PublicKey }> {
  const jws = readCompact(text, type, MOST_BYTES);
  if (typeof jws === "string") return jws;
  const key = jws.header.kid === undefined ? undefined : keyOf(jws.header.kid);
  if (key?.algorithm !== jws.header.alg) return "no key that is known signed it";
  if (!(await verifySignature(key, jws.signingInput, jws.signature))) return "its signature does not verify";
  const payload = readPayload(jws.payload);
  return typeof payload === "string" ? payload : { payload, key };
}
