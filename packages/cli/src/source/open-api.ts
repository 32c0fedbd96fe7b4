import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { CliError } from "../cli-error.ts";
import type { ToolFacts } from "../infer/tool-facts.ts";
import type { ToolsRead } from "./tools-read.ts";

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"] as const;

/**
 * The operations of an OpenAPI 3 document as tools: parameters in path and query and the members of a JSON body become arguments. Header and
 * cookie parameters are left out; a credential is no argument.
 */
export function toolsOfOpenApi(document: JsonObject): ToolsRead {
  const version = own(document, "openapi");
  if (typeof version !== "string" || !version.startsWith("3.")) throw new CliError("tools_malformed", "only OpenAPI 3 documents are understood");
  const tools: ToolFacts[] = [];
  const flaws: string[] = [];
  for (const [path, item] of Object.entries(objectAt(document, "paths"))) {
    if (!isJsonObject(item)) continue;
    for (const method of METHODS) {
      const operation = own(item, method);
      if (!isJsonObject(operation)) continue;
      const parameters = [...listAt(item, "parameters"), ...listAt(operation, "parameters")].map((parameter) => dereference(document, parameter));
      const inputSchema = inputOf(document, operation, parameters);
      const name = own(operation, "operationId") ?? nameOf(method, path);
      if (typeof name !== "string") flaws.push(`${method.toUpperCase()} ${path} has an \`operationId\` that is not text`);
      else if (inputSchema === undefined) flaws.push(`\`${name}\` has two arguments of one name, or a body that is not JSON`);
      else tools.push({ name, method, document, inputSchema, description: descriptionOf(operation), outputSchema: outputOf(document, operation) });
    }
  }
  return { tools, flaws };
}

/** `GET /customers/{id}/orders` is `get_customers_id_orders`. */
function nameOf(method: string, path: string): string {
  return [method, ...path.split(/[^A-Za-z0-9]+/).filter((part) => part !== "")].join("_");
}

function descriptionOf(operation: JsonObject): string {
  return [own(operation, "summary"), own(operation, "description")]
    .filter((text) => typeof text === "string" && text !== "")
    .map((text) => (/[.!?]\s*$/.test(text as string) ? text : `${text as string}.`))
    .join(" ");
}

function inputOf(document: JsonObject, operation: JsonObject, parameters: readonly Json[]): JsonObject | undefined {
  const members: [string, Json][] = [];
  const required: Json[] = [];
  for (const parameter of parameters) {
    const place = isJsonObject(parameter) ? own(parameter, "in") : undefined;
    const name = isJsonObject(parameter) ? own(parameter, "name") : undefined;
    if (!isJsonObject(parameter) || typeof name !== "string" || (place !== "path" && place !== "query")) continue;
    members.push([name, own(parameter, "schema") ?? {}]);
    if (place === "path" || own(parameter, "required") === true) required.push(name);
  }
  const requestBody = dereference(document, own(operation, "requestBody") ?? null);
  if (isJsonObject(requestBody)) {
    const schema = jsonContentOf(requestBody);
    if (schema === undefined) return undefined;
    const body = dereference(document, schema);
    const properties = isJsonObject(body) ? own(body, "properties") : undefined;
    if (isJsonObject(body) && isJsonObject(properties)) {
      members.push(...Object.entries(properties));
      if (own(requestBody, "required") === true) required.push(...listAt(body, "required"));
    } else {
      members.push(["body", schema]);
      if (own(requestBody, "required") === true) required.push("body");
    }
  }
  const names = members.map(([name]) => name);
  if (new Set(names).size !== names.length) return undefined;
  return { type: "object", properties: Object.fromEntries(members), required };
}

function outputOf(document: JsonObject, operation: JsonObject): Json | undefined {
  const responses = objectAt(operation, "responses");
  const response = dereference(document, own(responses, "200") ?? own(responses, "201") ?? own(responses, "2XX") ?? null);
  const schema = isJsonObject(response) ? jsonContentOf(response) : undefined;
  return schema === undefined ? undefined : dereference(document, schema);
}

function jsonContentOf(carrier: JsonObject): Json | undefined {
  const content = objectAt(carrier, "content");
  const media = Object.keys(content).find((type) => /^application\/(?:[^;]+\+)?json\b/i.test(type));
  const body = media === undefined ? undefined : own(content, media);
  return isJsonObject(body) ? (own(body, "schema") ?? {}) : undefined;
}

/** Follows references to components of the document, a few times at most. */
function dereference(document: JsonObject, value: Json): Json {
  let current = value;
  for (let times = 0; times < 8; times += 1) {
    const reference = isJsonObject(current) ? own(current, "$ref") : undefined;
    if (typeof reference !== "string" || !reference.startsWith("#/")) return current;
    let target: Json | undefined = document;
    for (const segment of reference.slice(2).split("/")) {
      target = isJsonObject(target) ? own(target, segment.replaceAll("~1", "/").replaceAll("~0", "~")) : undefined;
    }
    current = target ?? null;
  }
  return null;
}

function objectAt(object: JsonObject, member: string): JsonObject {
  const value = own(object, member);
  return isJsonObject(value) ? value : {};
}

function listAt(object: JsonObject, member: string): readonly Json[] {
  const value = own(object, member);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
