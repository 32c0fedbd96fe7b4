// Hashes and random text where there is no `node:crypto`. WebCrypto has no hash without a promise, and digests are asked for in plain functions.
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 as sha256Of } from "@noble/hashes/sha2.js";
import { bytesToBase64url, fromBase64url } from "./base64url-web.ts";

const encoder = new TextEncoder();

/** SHA-256 of the text's UTF-8, base64url without padding. */
export function sha256(text: string): string {
  return bytesToBase64url(sha256Of(encoder.encode(text)));
}

/** HMAC-SHA-256 of the text's UTF-8 under a key in base64url, base64url without padding. Throws for a key that is not base64url in its one spelling. */
export function hmacSha256(key: string, text: string): string {
  const bytes = fromBase64url(key);
  if (bytes === undefined) throw new TypeError("the key is not base64url");
  return bytesToBase64url(hmac(sha256Of, bytes, encoder.encode(text)));
}

/** `bytes` random bytes, base64url without padding. */
export function randomText(bytes = 16): string {
  return bytesToBase64url(crypto.getRandomValues(new Uint8Array(bytes)));
}
