import { createHash, createHmac, randomBytes } from "node:crypto";
import { canonicalJson } from "./canonical.ts";
import type { Json } from "./json.ts";

/** SHA-256 of the canonical text, as `sha-256:` and base64url without padding. */
export function digestOf(value: Json): string {
  return `sha-256:${createHash("sha256").update(canonicalJson(value)).digest("base64url")}`;
}

/** A digest that says nothing about a guessable value to someone without the salt. */
export function saltedDigestOf(value: Json, salt: string): string {
  return `hmac-sha-256:${createHmac("sha256", Buffer.from(salt, "base64url")).update(canonicalJson(value)).digest("base64url")}`;
}

/** `bytes` random bytes, base64url. */
export function randomText(bytes = 16): string {
  return randomBytes(bytes).toString("base64url");
}
