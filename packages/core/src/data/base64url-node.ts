// base64url of a Node process: `Buffer` has it in native code.
import { isUtf8 } from "node:buffer";

/**
 * The bytes of base64url text without padding (RFC 7515 section 2), or `undefined` for a second spelling of them: padding, white space, the
 * other alphabet, bits that hang over the last byte.
 */
export function fromBase64url(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/** UTF-8 as base64url without padding. */
export function toBase64url(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}

/** Bytes as base64url without padding. */
export function bytesToBase64url(bytes: Uint8Array): string {
  return bufferOf(bytes).toString("base64url");
}

/** The text of UTF-8 bytes, a byte order mark included, or `undefined` when they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? bufferOf(bytes).toString("utf8") : undefined;
}

/** The same bytes, not a copy. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
