import { copyData, isJsonObject, own, type Json, type JsonObject } from "../../data/json.ts";

/** How a part of a message is written as JSON and read from it. Reading takes nothing that writing cannot have written. */
export interface Shape<T> {
  readonly write: (value: T) => Json;
  /** `at` names the place for a refusal; throws `Misshapen`. */
  readonly read: (json: Json, at: string) => T;
}

/** Words for whoever wrote the message; never leaves this folder as an exception. */
class Misshapen extends Error {}

const refuse = (at: string, reason: string): never => {
  throw new Misshapen(`${at === "" ? "the message" : `\`${at.slice(1)}\``} ${reason}`);
};

/** The message, or what is wrong with it. Takes what a strict JSON reader has read. */
export function readShape<T>(shape: Shape<T>, json: Json): { readonly message: T } | { readonly problem: string } {
  try {
    return { message: shape.read(json, "") };
  } catch (error) {
    if (error instanceof Misshapen) return { problem: error.message };
    throw error;
  }
}

/** A member by its name on the wire. */
export interface Member<T, Optional extends boolean> {
  readonly name: string;
  readonly shape: Shape<T>;
  readonly isOptional: Optional;
}

export function required<T>(name: string, shape: Shape<T>): Member<T, false> {
  return { name, shape, isOptional: false };
}

export function optional<T>(name: string, shape: Shape<T>): Member<T, true> {
  return { name, shape, isOptional: true };
}

type MemberOf<T, K extends keyof T> = undefined extends T[K] ? Member<Exclude<T[K], undefined>, true> : Member<T[K], false>;

/** An object with these members and no others. */
export function object<T extends object>(members: { readonly [K in keyof T]-?: MemberOf<T, K> }): Shape<T> {
  const entries = Object.entries(members) as [string, Member<unknown, boolean>][];
  const names = new Set(entries.map(([, { name }]) => name));
  return {
    write: (value) => {
      const written: Record<string, Json> = {};
      for (const [key, { name, shape }] of entries) {
        const member = (value as Record<string, unknown>)[key];
        if (member !== undefined) written[name] = shape.write(member);
      }
      return written;
    },
    read: (json, at) => {
      if (!isJsonObject(json)) return refuse(at, "is not an object");
      for (const name of Object.keys(json)) if (!names.has(name)) refuse(at, "has a member that is not known");
      const value: Record<string, unknown> = {};
      for (const [key, { name, shape, isOptional }] of entries) {
        const member = own(json, name);
        if (member !== undefined) value[key] = shape.read(member, `${at}.${name}`);
        else if (!isOptional) refuse(`${at}.${name}`, "is missing");
      }
      return value as T;
    },
  };
}

/** Text of 1 to `most` characters. */
export function text(most: number = 256): Shape<string> {
  return {
    write: (value) => value,
    read: (json, at) => (typeof json === "string" && json !== "" && json.length <= most ? json : refuse(at, `must be text of 1 to ${most} characters`)),
  };
}

/** Text for people, cut where it is too long to be sent. */
export function words(most: number): Shape<string> {
  return { write: (value) => value.slice(0, most).toWellFormed(), read: text(most).read };
}

export function oneOf<const T extends string | boolean>(...values: readonly T[]): Shape<T> {
  return { write: (value) => value, read: (json, at) => (values.includes(json as T) ? (json as T) : refuse(at, `must be ${values.join(" or ")}`)) };
}

export const flag: Shape<boolean> = oneOf<boolean>(true, false);

export const count: Shape<number> = {
  write: (value) => value,
  read: (json, at) => (Number.isSafeInteger(json) && (json as number) >= 0 ? (json as number) : refuse(at, "must be a whole number of at least 0")),
};

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Milliseconds since the epoch, as ISO 8601 in UTC with milliseconds: one spelling for each. */
export const instant: Shape<number> = {
  write: (value) => new Date(value).toISOString(),
  read: (json, at) => {
    const time = typeof json === "string" && INSTANT.test(json) ? Date.parse(json) : Number.NaN;
    return Number.isFinite(time) && new Date(time).toISOString() === json ? time : refuse(at, "must be an instant in UTC, as 2026-05-12T18:30:00.000Z");
  },
};

export function list<T>(element: Shape<T>, most: number, least: number = 0): Shape<readonly T[]> {
  return {
    write: (values) => values.map((value) => element.write(value)),
    read: (json, at) => {
      if (!Array.isArray(json) || json.length > most || json.length < least) return refuse(at, `must be a list of ${least} to ${most} elements`);
      return Object.freeze((json as readonly Json[]).map((value, index) => element.read(value, `${at}.${index}`)));
    },
  };
}

/** An object whose members are not ours to name: plain data, untouched. */
export const data: Shape<JsonObject> = {
  write: (value) => value,
  read: (json, at) => {
    if (!isJsonObject(json)) return refuse(at, "is not an object");
    try {
      return copyData(json, "envelope_malformed", "it") as JsonObject;
    } catch (error) {
      return refuse(at, `is not taken: ${(error as Error).message}`);
    }
  },
};

/** The same message under other names. */
export function as<T, W>(shape: Shape<W>, to: (value: T) => W, from: (written: W) => T): Shape<T> {
  return { write: (value) => shape.write(to(value)), read: (json, at) => from(shape.read(json, at)) };
}
