import { copyData, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import { CliError, reasonOf } from "../cli-error.ts";
import type { ToolFacts } from "../infer/tool-facts.ts";
import { toolsOfOpenApi } from "./open-api.ts";
import type { ToolsRead } from "./tools-read.ts";

const DOCUMENT_LIMITS = { depth: 64, nodes: 500_000, characters: 16_777_216 };

/**
 * Tools in the forms that people have them in: `[{ name, description, inputSchema }]` or `{ tools: […] }` with `inputSchema`, `input_schema` or
 * `parameters`, wrapped as `{ type: "function", function }` or not, and OpenAPI 3 documents. Refuses everything else; a single tool that
 * is no tool is left out and reported.
 */
export function toolsOfList(raw: unknown): ToolsRead {
  const isObject = typeof raw === "object" && raw !== null && !Array.isArray(raw);
  if (isObject && Object.hasOwn(raw, "openapi")) return toolsOfOpenApi(readDocument(raw));
  const list: unknown = isObject && Object.hasOwn(raw, "tools") ? (raw as { readonly tools: unknown }).tools : raw;
  if (!Array.isArray(list)) throw new CliError("tools_malformed", 'the tools must be a list, `{"tools": […]}` or an OpenAPI 3 document');
  const tools: ToolFacts[] = [];
  const flaws: string[] = [];
  (list as readonly unknown[]).forEach((entry, index) => {
    const tool = readTool(entry);
    if (typeof tool === "string") flaws.push(`tool ${index + 1} ${tool}`);
    else tools.push(tool);
  });
  return { tools, flaws };
}

function readDocument(raw: object): JsonObject {
  try {
    return copyData(raw, "option_invalid", "the OpenAPI document", DOCUMENT_LIMITS) as JsonObject;
  } catch (cause) {
    throw new CliError("tools_malformed", reasonOf(cause), { cause });
  }
}

/** One tool that cannot be read must not cost the others. */
function readTool(raw: unknown): ToolFacts | string {
  try {
    return toolOf(copyData(raw, "option_invalid", "as it is described"));
  } catch (error) {
    return `cannot be read: ${reasonOf(error)}`;
  }
}

function toolOf(entry: Json): ToolFacts | string {
  if (!isJsonObject(entry)) return "is not an object";
  const wrapped = own(entry, "function");
  const tool: JsonObject = isJsonObject(wrapped) ? wrapped : entry;
  const [name, description] = [own(tool, "name"), own(tool, "description")];
  if (typeof name !== "string") return "has no name";
  if (description !== undefined && typeof description !== "string") return `(\`${name}\`) has a description that is not text`;
  return {
    name,
    description,
    inputSchema: own(tool, "inputSchema") ?? own(tool, "input_schema") ?? own(tool, "parameters"),
    outputSchema: own(tool, "outputSchema") ?? own(tool, "output_schema"),
    annotations: own(tool, "annotations"),
  };
}
