import type { Json } from "../data/json.ts";
import { exactNumber } from "./decimal.ts";

/** What JSON text may be at most. */
export interface JsonLimits {
  readonly depth: number;
  /** Values in all. */
  readonly nodes: number;
  /** Members of one object. */
  readonly members: number;
}

/** Deep enough for the deepest constraint that `TokenLimits` can allow: two levels for each `all` or `any`, and what stands around it. */
const JSON_LIMITS: JsonLimits = { depth: 128, nodes: 10_000, members: 1024 };

export interface JsonText {
  /** Plain and frozen; a number that a double cannot hold exactly is NaN. */
  readonly value: Json;
  /** Members of the outermost object whose number is written with a fraction or an exponent: JSON integers have neither. */
  readonly fractions: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();
const PLAIN = /[^"\\\u0000-\u001f\ud800-\udfff]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORDS = { t: ["true", true], f: ["false", false], n: ["null", null] } as const;

class JsonProblem extends Error {}

/**
 * Reads JSON text (RFC 8259, I-JSON) without the freedoms that let two readers see two values.
 *
 * Refuses, with the reason as text: anything that is not JSON, a byte order mark, a member name that occurs twice in an object (also when spelled
 * with escapes), half of a surrogate pair, NUL, text over the limits. Names such as `__proto__` are members like any other, always own ones.
 */
export function parseJson(text: string, limits: JsonLimits = JSON_LIMITS): JsonText | string {
  const written = readWritten(text, limits);
  if (written !== undefined) return written;
  try {
    return read(text, limits);
  } catch (error) {
    if (error instanceof JsonProblem) return error.message;
    throw error;
  }
}

/**
 * The same for text that is, byte for byte, what `JSON.stringify` writes of the value, as nearly all tokens are; `undefined` for any other text.
 *
 * Such text names no member twice and has only numbers as ECMAScript writes them, which are exact. Without a backslash there is no NUL in it and no half of
 * a surrogate pair, which `JSON.stringify` would escape. What is over the limits is left to the reader that says where.
 */
function readWritten(text: string, limits: JsonLimits): JsonText | undefined {
  // Half as many values and levels fit into text, and neither of the two readers of the engine is asked for more than they can take.
  if (typeof text !== "string" || text.length > LONGEST_WRITTEN || text.includes("\\")) return undefined;
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
    if (JSON.stringify(value) !== text) return undefined;
  } catch {
    return undefined; // the other reader says why
  }
  let nodes = 1;
  const freeze = (node: object, depth: number): boolean => {
    const isList = Array.isArray(node);
    const members: readonly Json[] = isList ? (node as readonly Json[]) : Object.values(node);
    nodes += members.length;
    if (depth >= limits.depth || nodes > limits.nodes || (!isList && members.length > limits.members)) return false;
    for (const member of members) if (typeof member === "object" && member !== null && !freeze(member, depth + 1)) return false;
    Object.freeze(node);
    return true;
  };
  const isWithin = typeof value !== "object" || value === null ? nodes <= limits.nodes : freeze(value, 0);
  return isWithin ? { value, fractions: fractionsOf(value) } : undefined;
}

const LONGEST_WRITTEN = 16_384;

/** What `read` notes of the text of a number: it is written as `String` writes it. */
function fractionsOf(value: Json): ReadonlySet<string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return NONE;
  let fractions: Set<string> | undefined;
  for (const name of Object.keys(value)) {
    const member = (value as { readonly [member: string]: Json })[name];
    if (typeof member === "number" && !Number.isSafeInteger(member) && /[.e]/.test(String(member))) (fractions ??= new Set()).add(name);
  }
  return fractions ?? NONE;
}

/** Whether every number in it is one that its text denoted exactly. */
export function isExact(value: Json): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every((member) => isExact(member as Json));
}

function read(text: string, limits: JsonLimits): JsonText {
  let at = 0;
  let nodes = 0;
  let fractions: Set<string> | undefined;

  const fail = (reason: string): never => {
    throw new JsonProblem(`${reason} at character ${at}`);
  };

  const skipSpace = (): number => {
    let code = text.charCodeAt(at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++at);
    return code;
  };

  const readString = (): string => {
    PLAIN.lastIndex = at + 1;
    PLAIN.test(text);
    const end = PLAIN.lastIndex;
    if (text.charCodeAt(end) !== 0x22) return readEscaped(end);
    const value = text.slice(at + 1, end);
    at = end + 1;
    return value;
  };

  const readEscaped = (from: number): string => {
    let end = from;
    for (; text[end] !== '"'; end += text[end] === "\\" ? 2 : 1) if (end >= text.length) fail("text without an end");
    let value: string;
    try {
      value = JSON.parse(text.slice(at, end + 1)) as string;
    } catch {
      return fail("text with a bad escape or a control character");
    }
    if (value.includes("\0")) fail("a NUL character");
    if (!value.isWellFormed()) fail("half of a surrogate pair");
    at = end + 1;
    return value;
  };

  const readNumber = (): number => {
    NUMBER.lastIndex = at;
    if (!NUMBER.test(text)) fail("no JSON value");
    const number = text.slice(at, NUMBER.lastIndex);
    at = NUMBER.lastIndex;
    return exactNumber(number);
  };

  const readObject = (depth: number): Json => {
    const object: Record<string, Json> = {};
    let members = 0;
    at++;
    if (skipSpace() === 0x7d) {
      at++;
      return Object.freeze(object);
    }
    for (;;) {
      if (skipSpace() !== 0x22) fail("no member name");
      const name = readString();
      if (Object.hasOwn(object, name)) fail("a member name that occurs twice");
      if (++members > limits.members) fail(`an object with more than ${limits.members} members`);
      if (skipSpace() !== 0x3a) fail("no colon");
      at++;
      skipSpace();
      const start = at;
      const value = readValue(depth);
      if (depth === 1 && typeof value === "number" && /[.eE]/.test(text.slice(start, at))) (fractions ??= new Set()).add(name);
      // Assigned, `__proto__` would be a prototype and no member.
      if (name === "__proto__") Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
      else object[name] = value;
      const next = skipSpace();
      at++;
      if (next === 0x7d) return Object.freeze(object);
      if (next !== 0x2c) fail("no comma and no end of the object");
    }
  };

  const readArray = (depth: number): Json => {
    const array: Json[] = [];
    at++;
    if (skipSpace() === 0x5d) {
      at++;
      return Object.freeze(array);
    }
    for (;;) {
      skipSpace();
      array.push(readValue(depth));
      const next = skipSpace();
      at++;
      if (next === 0x5d) return Object.freeze(array);
      if (next !== 0x2c) fail("no comma and no end of the array");
    }
  };

  /** Stands on the first character of the value; `depth` counts the objects and arrays around it. */
  const readValue = (depth: number): Json => {
    if (++nodes > limits.nodes) fail(`more than ${limits.nodes} values`);
    const first = text[at];
    if (first === '"') return readString();
    if (first === "{" || first === "[") {
      if (depth >= limits.depth) fail(`nesting deeper than ${limits.depth} levels`);
      return first === "{" ? readObject(depth + 1) : readArray(depth + 1);
    }
    if (first !== "t" && first !== "f" && first !== "n") return readNumber();
    const [word, value] = WORDS[first];
    if (text.slice(at, at + word.length) !== word) fail("no JSON value");
    at += word.length;
    return value;
  };

  skipSpace();
  const value = readValue(0);
  skipSpace();
  if (at < text.length) fail("something after the value");
  return { value, fractions: fractions ?? NONE };
}
