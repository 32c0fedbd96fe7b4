import { isJsonObject, own, type Json } from "@ambit/core";
import { connectorHeaders } from "../../egress/headers.ts";
import { foldHeader, isCredential, type Credentials } from "./credentials.ts";
import { asPart, member, Unsuitable, type Document, type Part } from "./document.ts";
import { readSchema, type Room } from "./schema.ts";

export type Place = "path" | "query" | "header";
export type Style = "simple" | "form" | "deepObject" | "spaceDelimited" | "pipeDelimited" | "json";

/** How what stands in each place may be written; the first, where the document does not say. */
const STYLES: { readonly [place in Place]: readonly Style[] } = {
  path: ["simple"],
  query: ["form", "deepObject", "spaceDelimited", "pipeDelimited", "json"],
  header: ["simple"],
};

/** What of an operation's arguments goes into the address or a header. */
export interface Parameter {
  readonly place: Place;
  readonly name: string;
  readonly isRequired: boolean;
  readonly style: Style;
  readonly explode: boolean;
  /** The schema of the argument. */
  readonly schema: Json;
}

/**
 * A parameter (OpenAPI 3.1 section 4.8.12). `undefined` for what is never an argument: cookies, headers that HTTP or the gateway sets, and whatever carries a credential, which the connector alone
 * gives; and for an optional one that is written in a way that is not supported here. Throws `Unsuitable` for a required one.
 */
export function readParameter(document: Document, given: unknown, credentials: Credentials, room: Room): Parameter | undefined {
  const part = document.object(given);
  const { in: place, name } = part;
  if (typeof name !== "string" || name === "" || typeof place !== "string") throw new Unsuitable("a parameter has no name or no place");
  if (place === "cookie" || isCredential(credentials, place, name)) return undefined;
  if (!Object.hasOwn(STYLES, place)) throw new Unsuitable("a parameter has a place that is none");
  const at = place as Place;
  if (at === "header" && !isSettable(name)) return undefined;
  const isRequired = part["required"] === true;
  const read = { place: at, name, isRequired, ...written(part, at), schema: readSchema(document, schemaOf(document, part), room) };
  if (isSupported(read)) return { ...read, style: read.style as Style };
  if (isRequired) throw new Unsuitable("a required parameter is written in a way that is not supported");
  return undefined;
}

/** Section 4.8.12.2: `style`, and whether each element stands for itself; or text of JSON, where it has a `content` in place of a `schema`. */
function written(part: Part, place: Place): { readonly style: string; readonly explode: boolean } {
  if (asPart(part["content"]) !== undefined) return { style: Object.hasOwn(asPart(part["content"]) ?? {}, "application/json") ? "json" : "", explode: false };
  const { style = STYLES[place][0], explode = style === "form" } = part;
  return { style: String(style), explode: explode === true };
}

function schemaOf(document: Document, part: Part): unknown {
  const media = member(part["content"], "application/json");
  return media === undefined ? (part["schema"] ?? {}) : (document.object(media)["schema"] ?? {});
}

function isSupported({
  place,
  style,
  explode,
  schema,
}: {
  readonly place: Place;
  readonly style: string;
  readonly explode: boolean;
  readonly schema: Json;
}): boolean {
  if (!(STYLES[place] as readonly string[]).includes(style)) return false;
  const isObject = isJsonObject(schema) && own(schema, "type") === "object";
  return !isObject || style === "json" || style === "deepObject" || (style === "form" && explode);
}

/** Section 4.8.12.1: these three are said by other parts of the document. The others change what a request is. */
const NOT_ARGUMENTS: ReadonlySet<string> = new Set(["accept", "content-type", "authorization", "x-http-method-override", "x-http-method", "x-method-override"]);
const REWRITES = /^x-(?:original|rewrite)-/;

function isSettable(name: string): boolean {
  const folded = foldHeader(name);
  if (NOT_ARGUMENTS.has(folded) || REWRITES.test(folded)) return false;
  try {
    connectorHeaders({ [name]: "x" });
    return true;
  } catch {
    return false; // one of the connection, or of the gateway
  }
}
