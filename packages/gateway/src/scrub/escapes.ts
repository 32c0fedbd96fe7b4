import { isBase64 } from "./search.ts";

/** What an escape sequence stands for, and where it ends. */
export interface Unit {
  readonly bytes: readonly number[];
  readonly end: number;
}

/** One way to write bytes as other ones. */
export interface Escape {
  /** The byte that a sequence begins with. */
  readonly lead: number;
  /** The sequence at `at`; `"open"` when more text is needed to tell; `undefined` when there is none. */
  readonly read: (text: Uint8Array, at: number) => Unit | "open" | undefined;
}

const code = (character: string): number => character.charCodeAt(0);
const [LINE_FEED, CARRIAGE_RETURN, SPACE, LETTER_U, LETTER_X] = [0x0a, 0x0d, 0x20, code("u"), code("x")] as const;
/** What letters behind a backslash stand for. */
const SHORT = new Map([
  [code("b"), 8],
  [code("t"), 9],
  [code("n"), 10],
  [code("v"), 11],
  [code("f"), 12],
  [code("r"), 13],
  [code("0"), 0],
]);
const NAMED = [
  [0x3c, "lt;"],
  [0x3e, "gt;"],
  [0x26, "amp;"],
  [0x22, "quot;"],
  [0x27, "apos;"],
] as const;
/** Longest number of an HTML reference, with zeros in front. */
const MOST_DIGITS = 8;

/** `%2F` (RFC 3986). */
export const percent: Escape = { lead: code("%"), read: (text, at) => hexUnit(text, at + 1, 2, toByte) };

/** `+` for a space (`application/x-www-form-urlencoded`). */
export const plus: Escape = { lead: code("+"), read: (_text, at) => ({ bytes: [SPACE], end: at + 1 }) };

/** `\n`, `\/`, `\u002f` (RFC 8259), `\x2f`, and any other character behind a backslash that is no letter. */
export const backslash: Escape = {
  lead: code("\\"),
  read: (text, at) => {
    const next = text[at + 1];
    if (next === undefined) return "open";
    if (next === LETTER_U) return utf16Unit(text, at);
    if (next === LETTER_X) return hexUnit(text, at + 2, 2, toByte);
    const byte = SHORT.get(next) ?? (next < 0x80 && !isLetterOrDigit(next) ? next : undefined);
    return byte === undefined ? undefined : { bytes: toByte(byte), end: at + 2 };
  },
};

/** `&#47;`, `&#x2f;` and the names of HTML's own characters. */
export const reference: Escape = {
  lead: code("&"),
  read: (text, at) => {
    if (text[at + 1] === code("#")) return numbered(text, at + 2);
    for (const [byte, name] of NAMED) {
      const length = matching(text, at + 1, name);
      if (length === name.length) return { bytes: toByte(byte), end: at + 1 + length };
      if (at + 1 + length === text.length) return "open";
    }
    return undefined;
  },
};

/** A line break in the middle of base64 or hex, which stands for nothing (RFC 2045 section 6.8). */
export const wrap: Escape = { lead: LINE_FEED, read: (text, at) => wrapUnit(text, at, at + 1) };
export const wrapWithReturn: Escape = {
  lead: CARRIAGE_RETURN,
  read: (text, at) => (text[at + 1] === LINE_FEED || at + 1 === text.length ? wrapUnit(text, at, at + 2) : undefined),
};

function wrapUnit(text: Uint8Array, at: number, end: number): Unit | "open" | undefined {
  if (!isBase64(text[at - 1])) return undefined;
  if (end >= text.length) return "open";
  return isBase64(text[end]) ? { bytes: [], end } : undefined;
}

function utf16Unit(text: Uint8Array, at: number): Unit | "open" | undefined {
  const first = hexUnit(text, at + 2, 4, (value) => [value]);
  if (first === undefined || first === "open") return first;
  const [high = 0] = first.bytes;
  if (high < 0xd800 || high > 0xdbff) return { bytes: toUtf8(high), end: first.end };
  const length = matching(text, first.end, "\\u");
  if (first.end + length === text.length) return "open";
  const second = length === 2 ? hexUnit(text, first.end + 2, 4, (value) => [value]) : undefined;
  if (second === "open") return second;
  const low = second?.bytes[0] ?? 0;
  return second === undefined || low < 0xdc00 || low > 0xdfff
    ? { bytes: toUtf8(high), end: first.end }
    : { bytes: toUtf8(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), end: second.end };
}

function numbered(text: Uint8Array, at: number): Unit | "open" | undefined {
  const isHex = ((text[at] ?? 0) | 0x20) === LETTER_X;
  const base = isHex ? 16 : 10;
  let [index, value] = [isHex ? at + 1 : at, 0];
  const first = index;
  for (; index < text.length && index - first <= MOST_DIGITS; index++) {
    const byte = text[index] ?? 0;
    if (byte === code(";")) return index === first ? undefined : { bytes: toUtf8(value), end: index + 1 };
    const digit = digitOf(byte);
    if (digit >= base) return undefined;
    value = value * base + digit;
  }
  return index === text.length && index - first <= MOST_DIGITS ? "open" : undefined;
}

function hexUnit(text: Uint8Array, at: number, digits: number, toBytes: (value: number) => readonly number[]): Unit | "open" | undefined {
  let value = 0;
  for (let index = at; index < at + digits; index++) {
    const byte = text[index];
    if (byte === undefined) return "open";
    const digit = digitOf(byte);
    if (digit > 15) return undefined;
    value = value * 16 + digit;
  }
  return { bytes: toBytes(value), end: at + digits };
}

/** How many characters of `wanted` stand at `at`. */
function matching(text: Uint8Array, at: number, wanted: string): number {
  let length = 0;
  while (length < wanted.length && text[at + length] === wanted.charCodeAt(length)) length++;
  return length;
}

/** 255 for what is no digit. */
function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 255;
}

const isLetterOrDigit = (byte: number): boolean => digitOf(byte) < 10 || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);

const SINGLE: readonly (readonly number[])[] = Array.from({ length: 256 }, (_, byte) => [byte]);
const toByte = (byte: number): readonly number[] => SINGLE[byte] ?? [];

const toUtf8 = (point: number): readonly number[] => (point < 0x80 ? toByte(point) : [...Buffer.from(String.fromCodePoint(Math.min(point, 0x10ffff)))]);
