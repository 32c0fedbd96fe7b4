import { AmbitError, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { Parameter } from "./parameter.ts";

/** An argument that is not sent: what the API would read is not what was decided. */
export function unfit(reason: string): AmbitError {
  return new AmbitError("argument_not_allowed", reason);
}

/** What leaves a segment of a path or is read twice: separators, control characters, and escapes, which a proxy in between would decode once more. */
const LEAVES = /[/\\\u0000-\u001f\u007f]|%[0-9A-Fa-f]{2}/;
/** Dot segments (RFC 3986 section 5.2.4), also before the parameters that some servers cut off. */
const DOTS = /^\.{1,2}(?:;|$)/;

/** An argument as (part of) one segment of a path. */
export function writeSegment(parameter: Parameter, value: Json): string {
  const texts = textsOf(parameter, value, ",");
  for (const text of texts) {
    if (text === "" || LEAVES.test(text) || DOTS.test(text)) throw unfit(`\`${parameter.name}\` is not one segment of a path`);
  }
  if (texts.length === 0) throw unfit(`\`${parameter.name}\` is empty`);
  return texts.map(encodeURIComponent).join(",");
}

/** An argument as the value of a header. */
export function writeHeader(parameter: Parameter, value: Json): string {
  return textsOf(parameter, value, ",").join(",");
}

const DELIMITERS = { spaceDelimited: ["%20", " "], pipeDelimited: ["%7C", "|"], form: [",", ","] } as const;

/** An argument as parts of a query (OpenAPI 3.1 section 4.8.12.6), each encoded. */
export function writeQuery(parameter: Parameter, value: Json): readonly string[] {
  const { name, style, explode, schema } = parameter;
  const pair = (key: string, text: string): string => `${encodeURIComponent(key)}=${text}`;
  if (style === "json") return [pair(name, encodeURIComponent(JSON.stringify(value)))];
  if (isJsonObject(value)) {
    checkType(parameter, value);
    if (style !== "deepObject" && !(style === "form" && explode)) throw unfit(`\`${name}\` cannot be an object`);
    const named = own(isJsonObject(schema) ? schema : {}, "properties");
    return Object.entries(value).map(([key, each]) => {
      // Another name would be another parameter, and a bracket another level.
      if (!isJsonObject(named) || own(named, key) === undefined) throw unfit(`\`${name}\` has a member that the document does not have`);
      return pair(style === "deepObject" ? `${name}[${key}]` : key, encodeURIComponent(textOf(name, each)));
    });
  }
  if (style === "deepObject") throw unfit(`\`${name}\` must be an object`);
  const [delimiter, read] = DELIMITERS[style as keyof typeof DELIMITERS];
  const texts = textsOf(parameter, value, explode ? "" : read).map(encodeURIComponent);
  return explode ? texts.map((text) => pair(name, text)) : [pair(name, texts.join(delimiter))];
}

/** A value, or the elements of a list. An element with the delimiter in it would be read as two. */
function textsOf(parameter: Parameter, value: Json, delimiter: string): readonly string[] {
  checkType(parameter, value);
  const { name } = parameter;
  if (!Array.isArray(value)) return [textOf(name, value)];
  const texts = (value as readonly Json[]).map((each) => textOf(name, each));
  if (delimiter !== "" && texts.some((text) => text === "" || text.includes(delimiter))) throw unfit(`an element of \`${name}\` cannot be told from two`);
  return texts;
}

function textOf(name: string, value: Json): string {
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return String(value);
  if (typeof value !== "string" || !value.isWellFormed() || value.includes("\0")) throw unfit(`\`${name}\` cannot be written as text`);
  return value;
}

const IS: { readonly [type: string]: (value: Json) => boolean } = {
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isSafeInteger(value),
  boolean: (value) => typeof value === "boolean",
  array: (value) => Array.isArray(value),
  object: isJsonObject,
};

/** In an address the number 10 and the text `10` are one. What was decided on is the one that the document has. */
function checkType({ name, schema }: Parameter, value: Json): void {
  const type = own(schema as JsonObject, "type");
  if (!isJsonObject(schema) || type === undefined) return;
  const types = Array.isArray(type) ? (type as readonly Json[]) : [type];
  if (!types.some((each) => typeof each === "string" && Object.hasOwn(IS, each) && IS[each]?.(value) === true)) throw unfit(`\`${name}\` has another type`);
}
