import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";

/** Headers that stand for credentials or for us; whoever mirrors an argument into one of this name wants to be taken for it. */
const OURS: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie", "host", "dpop", "x-api-key", "forwarded"]);
const MOST_DEPTH = 32;

/** Whether a tool's schema has an argument copied into a header (`x-mcp-header`, SEP-2243) that has the name of a credential. */
export function mirrorsSecret(tool: JsonObject): boolean {
  return mirrors(own(tool, "inputSchema"), 0);
}

function mirrors(schema: Json | undefined, depth: number): boolean {
  if (Array.isArray(schema)) return schema.some((part) => mirrors(part as Json, depth + 1));
  if (!isJsonObject(schema as Json) || schema === undefined) return false;
  if (depth > MOST_DEPTH) return true;
  const header = own(schema as JsonObject, "x-mcp-header");
  // Names of headers fold case (RFC 9110 section 5.1).
  // oxlint-disable-next-line ambit/no-name-folding
  if (typeof header === "string" && OURS.has(header.toLowerCase())) return true;
  return Object.values(schema as JsonObject).some((part) => mirrors(part, depth + 1));
}
