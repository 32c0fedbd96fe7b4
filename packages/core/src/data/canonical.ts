import { isJsonObject, type Json } from "./json.ts";

/**
 * The one text of a value: RFC 8785 (JCS). Takes data that `copyData` has admitted; for it ECMAScript's own
 * number and string serialisation is the one that RFC 8785 asks for, so only the order of members is left to do.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (isJsonObject(value)) {
    const members = Object.keys(value)
      .sort() // by UTF-16 code units, as RFC 8785 section 3.2.3 wants
      .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}
