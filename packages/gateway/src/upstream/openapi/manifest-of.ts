import { definitionDigest, isJsonObject, type Json, type JsonObject } from "@ambit/core";
import { readDocument } from "./document.ts";
import { readOperations } from "./operation.ts";
import { isMember, LISTED, NAMED, ONE } from "./schema.ts";

/** What schemas of the manifest must not have. */
const REFUSED: ReadonlySet<string> = new Set(["pattern", "patternProperties", "format", "uniqueItems"]);

/**
 * A manifest of the tools that `openApiUpstream` makes of a document, to begin with: pinned; what is no GET is `destructive`; what nobody can tell from a document (records, classes of data, money) is
 * left out, which the decision point takes in the strictest sense. `server` is the `name` of the upstream.
 */
export function manifestOf(document: unknown, server: string): JsonObject {
  const { operations } = readOperations(readDocument(document), "");
  const entries = operations.map(({ name, isSafe, definition }): [string, JsonObject] => [
    name,
    {
      names: [{ server, name, pin: definitionDigest(definition) ?? "" }],
      input_schema: allowed(definition["inputSchema"] ?? {}) as JsonObject,
      effect: isSafe ? "read" : "destructive",
    },
  ]);
  return { tools: Object.fromEntries(entries) };
}

/** A schema without the keywords that the manifest refuses. */
function allowed(schema: Json): Json {
  if (!isJsonObject(schema)) return schema;
  const kept = Object.entries(schema).filter(([keyword]) => !REFUSED.has(keyword));
  return Object.fromEntries(
    kept.map(([keyword, value]): [string, Json] => {
      if (ONE.includes(keyword)) return [keyword, allowed(value)];
      if (LISTED.includes(keyword) && Array.isArray(value)) return [keyword, (value as readonly Json[]).map(allowed)];
      if (NAMED.includes(keyword) && isJsonObject(value)) {
        return [
          keyword,
          Object.fromEntries(
            Object.entries(value)
              .filter(([name]) => isMember(name))
              .map(([name, each]) => [name, allowed(each)]),
          ),
        ];
      }
      return [keyword, value];
    }),
  );
}
