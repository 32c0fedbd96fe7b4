import { isUtf8 } from "node:buffer";

/**
 * The bytes of base64url text without padding (RFC 7515 section 2), or `undefined` for a second spelling of them: padding, white space, the
 * other alphabet, bits that hang over the last byte.
 */
export function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/** UTF-8 as base64url without padding. */
export function toBase64url(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}

/** The text of UTF-8 bytes, a byte order mark included, or `undefined` when they are not UTF-8. */
export function fromUtf8(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined;
}
