import { Validator } from "@cfworker/json-schema";
import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { Reader } from "../config/reader.ts";

/** Keywords that would run somebody else's expression, fetch or repeat without end, or compare each element with every other. */
const REFUSED = ["pattern", "patternProperties", "$ref", "$dynamicRef", "$recursiveRef", "format", "uniqueItems"] as const;
/** Keywords whose value is data, not a schema. */
const DATA = new Set(["enum", "const", "default", "examples", "required", "title", "description"]);
/** Keywords whose value is an object of schemas by name. */
const NAMED = new Set(["properties", "$defs", "definitions", "dependentSchemas"]);

/**
 * The input schema of a tool as the manifest may have it: an object schema of known members. Refuses keywords that run expressions from
 * outside or follow references (CVE class: ReDoS, fetched `$ref`; MCP SEP-2106) or take quadratic time, and member names that Cedar reads as something else.
 */
export function checkInputSchema(reader: Reader): JsonObject {
  const schema = reader.object();
  if (own(schema, "type") !== "object") reader.fail('must be a schema of `"type": "object"`');
  const flaw = findFlaw(schema, "", 0);
  if (flaw !== undefined) reader.fail(flaw);
  return schema;
}

function findFlaw(schema: Json, path: string, depth: number): string | undefined {
  if (depth > 24) return `is nested too deeply at \`${path}\``;
  if (Array.isArray(schema))
    return firstFlaw(
      schema.map((element: Json, index) => [`${path}/${index}`, element] as const),
      depth,
    );
  if (!isJsonObject(schema)) return undefined;
  for (const keyword of REFUSED)
    if (Object.hasOwn(schema, keyword)) return `must not have \`${keyword}\` (at \`${path}/${keyword}\`); leave it out, the tool checks it itself`;
  const nested: (readonly [string, Json])[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (DATA.has(keyword)) continue;
    if (NAMED.has(keyword) && isJsonObject(value)) {
      for (const [name, member] of Object.entries(value)) {
        if (name.slice(0, 2) === "__") return `has the member \`${name}\`; names that begin with two underscores are reserved`;
        nested.push([`${path}/${keyword}/${name}`, member]);
      }
    } else {
      nested.push([`${path}/${keyword}`, value]);
    }
  }
  return firstFlaw(nested, depth);
}

function firstFlaw(schemas: readonly (readonly [string, Json])[], depth: number): string | undefined {
  for (const [path, schema] of schemas) {
    const flaw = findFlaw(schema, path, depth + 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

/** Tells what is wrong with arguments, or `undefined`. */
export type ArgumentCheck = (args: JsonObject) => string | undefined;

/**
 * Checks arguments against the schema, which is closed at the top whatever it says itself: an argument that nobody knows is
 * an argument that no rule looks at (I9).
 */
export function createArgumentCheck(schema: JsonObject): ArgumentCheck {
  const properties = own(schema, "properties");
  const known = new Set(isJsonObject(properties) ? Object.keys(properties) : []);
  const validator = new Validator(structuredClone(schema) as ConstructorParameters<typeof Validator>[0], "2020-12", true);
  return (args) => {
    const unknown = Object.keys(args).find((name) => !known.has(name));
    if (unknown !== undefined) return `the argument \`${unknown.slice(0, 64)}\` is not one of this tool`;
    const { valid, errors } = validator.validate(args);
    if (valid) return undefined;
    const deepest = errors.at(-1);
    return `the arguments do not fit the tool's schema at \`${deepest?.instanceLocation ?? "#"}\``;
  };
}
