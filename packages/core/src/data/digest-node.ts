// Hashes and random text of a Node process.
import { createHmac, hash, randomBytes } from "node:crypto";

/** SHA-256 of the text's UTF-8, base64url without padding. */
export function sha256(text: string): string {
  return hash("sha256", text, "base64url");
}

/** HMAC-SHA-256 of the text's UTF-8 under a key in base64url, base64url without padding. */
export function hmacSha256(key: string, text: string): string {
  return createHmac("sha256", Buffer.from(key, "base64url")).update(text).digest("base64url");
}

/** `bytes` random bytes, base64url without padding. */
export function randomText(bytes = 16): string {
  return randomBytes(bytes).toString("base64url");
}
