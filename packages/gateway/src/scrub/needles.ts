import { AmbitError } from "@ambit/core";

/** Shorter ones stand in ordinary text by chance. */
const SHORTEST_SECRET = 8;

/** Bytes to look for. */
export interface Needle {
  readonly bytes: Uint8Array;
  /** Base64: the characters before and after carry some bits of the secret beside foreign ones. */
  readonly before: 0 | 1;
  readonly after: 0 | 1;
}

const encoder = new TextEncoder();
const STANDARD = encoder.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const URL_SAFE = encoder.encode("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
const LOWER = encoder.encode("0123456789abcdef");
const UPPER = encoder.encode("0123456789ABCDEF");

/**
 * The forms in which a secret stands in text: itself, hex in both cases, base64 in both alphabets at each of the three places where it can begin within a group (RFC 4648). They are arrays of our
 * own, so that they can be wiped; no form is ever a string. Throws `credential_unavailable` for a secret of less than 8 bytes, which is not leased.
 */
export function needlesOf(secrets: readonly Uint8Array[]): readonly Needle[] {
  return secrets.flatMap((secret) => {
    if (secret.length < SHORTEST_SECRET) {
      throw new AmbitError("credential_unavailable", `a credential of less than ${SHORTEST_SECRET} bytes cannot be told from other text, and is not leased`);
    }
    const plain = [Uint8Array.from(secret), hex(secret, LOWER), hex(secret, UPPER)].map((bytes): Needle => ({ bytes, before: 0, after: 0 }));
    return [...plain, ...[0, 2, 4].flatMap((skipped) => [STANDARD, URL_SAFE].map((alphabet) => base64(secret, skipped, alphabet)))];
  });
}

function hex(secret: Uint8Array, digits: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: secret.length * 2 }, (_, index) => digits[((secret[index >> 1] ?? 0) >> (index % 2 === 0 ? 4 : 0)) & 15] ?? 0);
}

/** The characters that are the secret's alone, when its first bits, `skipped` of them, end a character that others began. */
function base64(secret: Uint8Array, skipped: number, alphabet: Uint8Array): Needle {
  const bits = secret.length * 8 - skipped;
  const bytes = Uint8Array.from({ length: Math.floor(bits / 6) }, (_, index) => {
    const first = skipped + index * 6;
    const pair = ((secret[first >> 3] ?? 0) << 8) | (secret[(first >> 3) + 1] ?? 0);
    return alphabet[(pair >> (10 - (first & 7))) & 63] ?? 0;
  });
  return { bytes, before: skipped === 0 ? 0 : 1, after: bits % 6 === 0 ? 0 : 1 };
}
