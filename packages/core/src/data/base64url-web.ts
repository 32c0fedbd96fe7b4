// base64url where there is no `Buffer`. Like `base64url-node.ts`, it takes one spelling of bytes and no other.
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Not one of the 64 values that a character can stand for. */
const NONE = 64;
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = ALPHABET.indexOf(String.fromCharCode(code));
  return value === -1 ? NONE : value;
});

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The bytes of base64url text without padding (RFC 7515 section 2), or `undefined` for a second spelling of them: padding, white space, the
 * other alphabet, bits that hang over the last byte.
 */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let position = 0;
  let bits = 0;
  let width = 0;
  for (let index = 0; index < text.length; index++) {
    const value = VALUES[text.charCodeAt(index)] ?? NONE;
    if (value === NONE) return undefined;
    bits = (bits << 6) | value;
    width += 6;
    if (width < 8) continue;
    width -= 8;
    bytes[position++] = bits >> width;
    bits &= (1 << width) - 1;
  }
  return bits === 0 ? bytes : undefined;
}

/** UTF-8 as base64url without padding. */
export function toBase64url(text: string): string {
  return bytesToBase64url(encoder.encode(text));
}

/** Bytes as base64url without padding. */
export function bytesToBase64url(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index += 3) {
    const [first, second, third] = [bytes[index] as number, bytes[index + 1], bytes[index + 2]];
    const bits = (first << 16) | ((second ?? 0) << 8) | (third ?? 0);
    text += character(bits >> 18) + character(bits >> 12);
    if (second !== undefined) text += character(bits >> 6);
    if (third !== undefined) text += character(bits);
  }
  return text;
}

/** The text of UTF-8 bytes, a byte order mark included, or `undefined` when they are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function character(bits: number): string {
  return ALPHABET.charAt(bits & 63);
}
