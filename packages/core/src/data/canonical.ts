import { isJsonObject, type Json } from "./json.ts";

/**
 * The one text of a value: RFC 8785 (JCS). Takes data that `copyData` has admitted; for it ECMAScript's own
 * number and string serialisation is the one that RFC 8785 asks for, so only the order of members is left to do.
 */
export function canonicalJson(value: Json): string {
  const inOrder = ordered(value);
  return inOrder === undefined ? textOf(value) : JSON.stringify(inOrder);
}

function textOf(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (isJsonObject(value)) {
    const members = Object.keys(value)
      .sort() // by UTF-16 code units, as RFC 8785 section 3.2.3 wants
      .map((key) => `${JSON.stringify(key)}:${textOf(value[key] as Json)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}

/**
 * The value with its members in order, which it mostly is already; `undefined` where `JSON.stringify` would not write it so: names that are whole
 * numbers always come first in an object, and an object with `toJSON` is asked for another value.
 */
function ordered(value: Json): Json | undefined {
  if (typeof value !== "object") return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
  if (value === null) return value;
  if ((value as { readonly toJSON?: unknown }).toJSON !== undefined) return undefined;
  return Array.isArray(value) ? orderedElements(value as readonly Json[]) : orderedMembers(value as { readonly [member: string]: Json });
}

function orderedElements(list: readonly Json[]): Json | undefined {
  let copy: Json[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const element = ordered(list[index] as Json);
    if (element === undefined) return undefined;
    if (element !== list[index]) (copy ??= [...list])[index] = element;
  }
  return copy ?? list;
}

function orderedMembers(object: { readonly [member: string]: Json }): Json | undefined {
  const keys = Object.keys(object);
  let isOrdered = true;
  let copies: Map<string, Json> | undefined;
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    if (index > 0 && (keys[index - 1] as string) >= key) isOrdered = false;
    const member = ordered(object[key] as Json);
    if (member === undefined) return undefined;
    if (member !== object[key]) (copies ??= new Map()).set(key, member);
  }
  if (isOrdered && copies === undefined) return object;
  if (keys.some((key) => key >= "0" && key < ":")) return undefined;
  // `Object.fromEntries` defines members, so that one called `__proto__` stays one.
  return Object.fromEntries((isOrdered ? keys : keys.sort()).map((key) => [key, copies?.get(key) ?? (object[key] as Json)]));
}
