import { AmbitError, type ErrorCode } from "../errors.ts";

/** Plain data, as it goes into a digest, a record or over a wire. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [member: string]: Json;
}

/** Limits on data that somebody else wrote. */
export interface DataLimits {
  /** Nesting of objects and arrays. */
  readonly depth: number;
  /** Members and elements in all. */
  readonly nodes: number;
  /** Characters of all strings and member names together. */
  readonly characters: number;
}

export const DATA_LIMITS: DataLimits = { depth: 32, nodes: 10_000, characters: 262_144 };

/**
 * Copies untrusted data and freezes the copy. What comes back is plain: own members only, numbers finite and
 * exact (integers within ±(2^53−1), −0 as 0), text without NUL or lone surrogates.
 *
 * Refuses with `code`: anything else (functions, dates, maps, symbols, cycles, `__proto__`, data over the limits).
 * A member whose value is `undefined` counts as absent, as in JSON. `clean` is what becomes of each text before it is looked at; of names nothing does.
 */
export function copyData(
  value: unknown,
  code: ErrorCode,
  what: string,
  limits: DataLimits = DATA_LIMITS,
  clean: (text: string) => string = (text) => text,
): Json {
  let nodes = 0;
  let characters = 0;

  /** The members around what is being copied: names are only joined for a refusal. */
  const names: (string | number)[] = [];

  const refuse = (reason: string): never => {
    const path = names.map((name) => `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
    // Member names are somebody else's words, of any length; the message goes into answers and records.
    const place = path.length > 200 ? `${path.slice(0, 200)}…`.toWellFormed() : path;
    throw new AmbitError(code, `${what}${path === "" ? "" : ` at \`${place}\``} ${reason}`);
  };

  const text = (raw: string): string => {
    characters += raw.length;
    if (characters > limits.characters) refuse(`is larger than ${limits.characters} characters`);
    if (raw.includes("\0")) refuse("contains a NUL character");
    if (!raw.isWellFormed()) refuse("contains half of a surrogate pair");
    return raw;
  };

  const copy = (raw: unknown, depth: number): Json => {
    if (++nodes > limits.nodes) refuse(`has more than ${limits.nodes} members`);
    if (raw === null || typeof raw === "boolean") return raw;
    if (typeof raw === "string") return text(clean(raw));
    if (typeof raw === "number") {
      if (!Number.isFinite(raw)) refuse("is not a finite number");
      if (Number.isInteger(raw) && !Number.isSafeInteger(raw)) refuse("is an integer beyond ±(2^53 − 1); pass it as text");
      return raw === 0 ? 0 : raw;
    }
    if (typeof raw !== "object") return refuse(`is a ${typeof raw}, not plain data`);
    if (depth >= limits.depth) refuse(`is nested deeper than ${limits.depth} levels`);
    if (Array.isArray(raw)) {
      if (raw.length > limits.nodes) refuse(`has more than ${limits.nodes} members`);
      const elements: Json[] = [];
      for (let index = 0; index < raw.length; index++) {
        names.push(index);
        elements.push(copy(raw[index], depth + 1));
        names.pop();
      }
      return Object.freeze(elements);
    }
    const prototype: unknown = Object.getPrototypeOf(raw);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) refuse("is an instance of a class, not plain data");
    const result: Record<string, Json> = {};
    for (const key of Object.keys(raw)) {
      const member: unknown = (raw as Record<string, unknown>)[key];
      if (member === undefined) continue;
      text(key);
      names.push(key);
      if (isPrototypeName(key, member)) refuse("is a name that data must not have");
      result[key] = copy(member, depth + 1);
      names.pop();
    }
    return Object.freeze(result);
  };

  try {
    return copy(value, 0);
  } catch (cause) {
    if (AmbitError.isInstance(cause) && cause.code === code) throw cause;
    throw new AmbitError(code, `${what} cannot be read`, { cause }); // a getter or a proxy threw
  }
}

/** Whether data must not have a member of this name: a tool that merges its arguments into an object would take it for its prototype. */
export function isPrototypeName(key: string, member: unknown): boolean {
  return key === "__proto__" || (key === "constructor" && typeof member === "object");
}

/** True for an object of our own data: not null, not an array. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own member, or `undefined`; never an inherited one. */
export function own(object: JsonObject, member: string): Json | undefined {
  return Object.hasOwn(object, member) ? object[member] : undefined;
}
