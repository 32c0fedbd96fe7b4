// Hashes and random text of a Node process.
import { createHmac, hash, randomFillSync } from "node:crypto";

/** SHA-256 of the text's UTF-8, base64url without padding. */
export function sha256(text: string): string {
  return hash("sha256", text, "base64url");
}

/** What SHA-256 works through at a time. */
const BLOCK = 64;

/**
 * HMAC-SHA-256 of the text's UTF-8 under a key in base64url, base64url without padding. Written out (RFC 2104 section 2) where the key is short, as ours are: making a
 * key object for each digest costs more than both of its hashes.
 */
export function hmacSha256(key: string, text: string): string {
  const bytes = Buffer.from(key, "base64url");
  if (bytes.length > BLOCK) return createHmac("sha256", bytes).update(text).digest("base64url");
  const padded = (value: number, length: number): Buffer => {
    const pad = Buffer.alloc(BLOCK + length, 0);
    bytes.copy(pad);
    for (let index = 0; index < BLOCK; index++) pad[index] = (pad[index] as number) ^ value;
    return pad;
  };
  const inner = padded(0x36, Buffer.byteLength(text));
  inner.write(text, BLOCK, "utf8");
  const outer = padded(0x5c, 32);
  hash("sha256", inner, "buffer").copy(outer, BLOCK);
  return hash("sha256", outer, "base64url");
}

/** Random bytes that nobody has been given yet; asking the system for each few of them costs more than they do. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/** `bytes` random bytes, base64url without padding. */
export function randomText(bytes = 16): string {
  if (bytes > pool.length) return randomFillSync(Buffer.alloc(bytes)).toString("base64url");
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const own = pool.subarray(used, (used += bytes));
  const text = own.toString("base64url");
  // INVARIANT I10: what was given out is nowhere here.
  own.fill(0);
  return text;
}
