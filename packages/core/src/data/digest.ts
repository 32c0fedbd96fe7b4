import { hmacSha256, randomText, sha256 } from "#digest";
import { canonicalJson } from "./canonical.ts";
import type { Json } from "./json.ts";

export { randomText };

/** SHA-256 of the canonical text, as `sha-256:` and base64url without padding. */
export function digestOf(value: Json): string {
  return `sha-256:${sha256(canonicalJson(value))}`;
}

/** A digest that says nothing about a guessable value to someone without the salt. */
export function saltedDigestOf(value: Json, salt: string): string {
  return `hmac-sha-256:${hmacSha256(salt, canonicalJson(value))}`;
}
