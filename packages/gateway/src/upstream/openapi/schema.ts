import type { Json, JsonObject } from "@ambit/core";
import { asPart, listOf, member, type Document, type Part } from "./document.ts";

/** Keywords whose value is data. Others than those listed here say nothing of which arguments there are. */
const DATA =
  "type enum const default required title description format pattern multipleOf minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems uniqueItems minProperties maxProperties".split(
    " ",
  );
/** Whose value is a schema, … */
export const ONE: readonly string[] = ["items", "additionalProperties", "not", "contains", "propertyNames"];
/** … a list of schemas, … */
export const LISTED: readonly string[] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/** … or schemas by name. */
export const NAMED: readonly string[] = ["properties", "patternProperties"];

/** Of JSON; the manifest and the pin of a definition have limits of their own beyond. */
const MOST_DEPTH = 20;
const MOST_PARTS = 4000;
const MOST_CHARACTERS = 120_000;
const LONGEST_DESCRIPTION = 1000;

/** What a tool's schemas may still take up, all together. */
export interface Room {
  parts: number;
  characters: number;
}

export const createRoom = (): Room => ({ parts: MOST_PARTS, characters: MOST_CHARACTERS });

/**
 * A schema of a request in JSON Schema 2020-12, with what its references stand for in their place. What contains itself, is nested deeper than 20 levels or has no room left allows
 * anything there: it describes arguments to models, and which of them are allowed is not for it to say. Members that only answers have (`readOnly`) are left out. Throws `Unsuitable`
 * for references to outside.
 */
export function readSchema(document: Document, given: unknown, room: Room): Json {
  const read = (value: unknown, depth: number, within: readonly unknown[]): Json => {
    if (typeof value === "boolean") return value;
    const part = asPart(value);
    if (part === undefined || depth > MOST_DEPTH || --room.parts < 0) return {};
    if (!Object.hasOwn(part, "$ref")) return keywords(part, depth, within);
    const { $ref: reference, ...beside } = part;
    if (within.includes(reference)) return {};
    const target = read(document.at(reference), depth, [...within, reference]);
    // OpenAPI 3.0 ignores what stands beside a reference.
    return document.is30 || Object.keys(beside).length === 0 ? target : { allOf: [target, keywords(beside, depth + 2, within)] };
  };

  const keywords = (part: Part, depth: number, within: readonly unknown[]): JsonObject => {
    const schema: Record<string, Json> = {};
    const set = (keyword: string, value: Json | undefined): void => void (value === undefined || (schema[keyword] = value));
    for (const keyword of DATA) if (Object.hasOwn(part, keyword)) set(keyword, data(part[keyword], depth + 1, room));
    for (const keyword of ONE) if (Object.hasOwn(part, keyword)) set(keyword, read(part[keyword], depth + 1, within));
    for (const keyword of LISTED)
      if (Array.isArray(part[keyword]))
        set(
          keyword,
          listOf(part[keyword]).map((each) => read(each, depth + 2, within)),
        );
    for (const keyword of NAMED) {
      const named = Object.entries(asPart(part[keyword]) ?? {}).filter(([name, each]) => isMember(name) && !isReadOnly(document, each));
      if (Object.hasOwn(part, keyword)) set(keyword, Object.fromEntries(named.map(([name, each]) => [taking(name, room), read(each, depth + 2, within)])));
    }
    const required = listOf(schema["required"]).filter((name) => typeof name === "string" && !isReadOnly(document, member(part["properties"], name)));
    if (Object.hasOwn(schema, "required")) set("required", required as Json);
    return document.is30 ? from30(schema, part) : schema;
  };

  return read(given, 2, []);
}

/** What 3.0 says otherwise: `nullable`, and whether a bound belongs to the range. */
function from30(given: JsonObject, part: Part): JsonObject {
  const schema: Record<string, Json> = { ...given };
  for (const [bound, exclusive] of [
    ["minimum", "exclusiveMinimum"],
    ["maximum", "exclusiveMaximum"],
  ] as const) {
    if (typeof schema[exclusive] !== "boolean") continue;
    const limit = schema[exclusive] ? schema[bound] : undefined;
    delete schema[exclusive];
    if (limit === undefined) continue;
    schema[exclusive] = limit;
    delete schema[bound];
  }
  if (part["nullable"] !== true || typeof schema["type"] !== "string") return schema;
  const values = schema["enum"];
  return { ...schema, type: [schema["type"], "null"], ...(Array.isArray(values) && !values.includes(null) ? { enum: [...(values as Json[]), null] } : {}) };
}

function isReadOnly(document: Document, value: unknown): boolean {
  const part = asPart(value);
  if (part === undefined) return false;
  return part["readOnly"] === true || (Object.hasOwn(part, "$ref") && document.object(part)["readOnly"] === true);
}

/** Names that begin with two underscores are reserved in manifests, and one of them is the prototype. */
export function isMember(name: string): boolean {
  return name.slice(0, 2) !== "__" && name.length <= 128;
}

function taking<T extends string>(text: T, room: Room): T {
  room.characters -= text.length;
  return text;
}

/** A copy as plain data; `undefined` where it is none, as integers that no number holds, or has no room. */
function data(value: unknown, depth: number, room: Room): Json | undefined {
  if (depth > MOST_DEPTH || --room.parts < 0) return undefined;
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : undefined;
  if (typeof value === "string") {
    const text = taking(value.slice(0, LONGEST_DESCRIPTION).toWellFormed(), room);
    return room.characters < 0 ? undefined : text;
  }
  if (Array.isArray(value)) {
    const elements = value.map((element) => data(element, depth + 1, room));
    return elements.includes(undefined) ? undefined : (elements as Json[]);
  }
  const members = Object.entries(asPart(value) ?? {}).map(([name, each]) => [taking(name, room), data(each, depth + 1, room)] as const);
  return members.some(([name, each]) => !isMember(name) || each === undefined) ? undefined : (Object.fromEntries(members) as JsonObject);
}
