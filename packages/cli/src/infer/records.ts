import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { closeSchema } from "./close-schema.ts";
import type { ToolFacts } from "./tool-facts.ts";

/** The `records` of a manifest entry. */
export interface InferredRecords {
  readonly result: string;
  readonly limit?: string;
  readonly most: number;
}

const LIMITS = new Set("limit max_results maxResults page_size pageSize per_page perPage top_k topK max_items maxItems".split(" "));
const SCALARS = new Set("string number integer boolean null".split(" "));
const DEFAULT_MOST = 100;

/**
 * How many records a tool returns, when its output schema leaves no doubt: exactly one list and nothing else that could hold more, or one thing
 * with an id. `undefined` otherwise; text can hold any number of records.
 */
export function inferRecords({ inputSchema, outputSchema, document }: ToolFacts): InferredRecords | undefined {
  if (!isJsonObject(outputSchema)) return undefined;
  if (own(outputSchema, "type") === "array") return listOf("", outputSchema, inputSchema);
  const { schema } = closeSchema(outputSchema, document);
  const properties = Object.entries(own(schema, "properties") as JsonObject);
  const lists = properties.filter(([, property]) => isJsonObject(property) && own(property, "type") === "array");
  if (properties.some(([name, property]) => !isScalar(property) && !lists.some(([list]) => list === name))) return undefined;
  const [first, second] = lists;
  if (first !== undefined) return second === undefined ? listOf(`/${escape(first[0])}`, first[1], inputSchema) : undefined;
  const required = own(schema, "required");
  const hasId = Array.isArray(required) && required.some((name: Json) => typeof name === "string" && /^id$|_id$|Id$/.test(name));
  return hasId ? { result: "", most: 1 } : undefined;
}

function listOf(result: string, schema: Json, inputSchema: Json | undefined): InferredRecords {
  const parameters = isJsonObject(inputSchema) ? own(inputSchema, "properties") : undefined;
  const limit = Object.entries(isJsonObject(parameters) ? parameters : {}).find(
    ([name, parameter]) => LIMITS.has(name) && isJsonObject(parameter) && own(parameter, "type") === "integer",
  );
  const most = countOf(schema, "maxItems") ?? (limit === undefined ? undefined : countOf(limit[1], "maximum")) ?? DEFAULT_MOST;
  return { result, ...(limit === undefined ? {} : { limit: `/${escape(limit[0])}` }), most };
}

function countOf(schema: Json, keyword: string): number | undefined {
  const value = isJsonObject(schema) ? own(schema, keyword) : undefined;
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function isScalar(schema: Json): boolean {
  const type = isJsonObject(schema) ? own(schema, "type") : undefined;
  return Array.isArray(type) ? type.every((one: Json) => SCALARS.has(one as string)) : SCALARS.has(type as string);
}

function escape(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
