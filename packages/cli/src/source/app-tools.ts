import { CliError, reasonOf } from "../cli-error.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { toolsOfList } from "./tool-list.ts";
import type { ToolsRead } from "./tools-read.ts";

/**
 * The tools that a module of an application exports as `tools` or by default, or a function or promise of them: a list of LangChain's tools, the tools of the AI SDK by
 * name, or what a list in a file may be. Nothing of them is run but what their schemas need to be written as JSON. Throws `tools_malformed` for anything else.
 */
export async function toolsOfModule(exported: Readonly<Record<string, unknown>>): Promise<ToolsRead> {
  const tools = await valueOf(exported["tools"] ?? exported["default"]);
  const named = namedTools(tools);
  if (named === undefined) throw new CliError("tools_malformed", "the module must export `tools`: a list of tools, or tools by name");
  const [list, flaws]: [unknown[], string[]] = [[], []];
  for (const [name, tool] of named) {
    try {
      list.push(await describe(name, tool));
    } catch (error) {
      flaws.push(`\`${name}\`: ${reasonOf(error)}`);
    }
  }
  const read = toolsOfList(list);
  return { tools: read.tools, flaws: [...flaws, ...read.flaws] };
}

async function valueOf(exported: unknown): Promise<unknown> {
  try {
    return await (typeof exported === "function" ? (exported as () => unknown)() : exported);
  } catch (cause) {
    throw new CliError("tools_malformed", `the \`tools\` of the module cannot be had: ${reasonOf(cause)}`, { cause });
  }
}

function namedTools(tools: unknown): readonly (readonly [name: string, tool: Readonly<Record<string, unknown>>])[] | undefined {
  if (typeof tools !== "object" || tools === null) return undefined;
  const entries = Array.isArray(tools)
    ? tools.map((tool: unknown) => [isObject(tool) ? tool["name"] : undefined, tool] as const)
    : Object.entries(tools as Readonly<Record<string, unknown>>);
  const named: (readonly [string, Readonly<Record<string, unknown>>])[] = [];
  for (const [name, tool] of entries) {
    if (typeof name !== "string" || !isObject(tool)) return undefined;
    named.push([name, tool]);
  }
  return named;
}

/** LangChain calls the schema of the arguments `schema`; the AI SDK `inputSchema`, and before version 5 `parameters`. */
async function describe(name: string, tool: Readonly<Record<string, unknown>>): Promise<object> {
  if (isObject(tool["function"])) return tool;
  const { description, annotations } = tool;
  const input = tool["inputSchema"] ?? tool["schema"] ?? tool["input_schema"] ?? tool["parameters"];
  const output = tool["outputSchema"] ?? tool["output_schema"];
  return {
    name,
    ...(typeof description === "string" ? { description } : {}),
    ...(input === undefined ? {} : { inputSchema: await jsonSchemaOf(input) }),
    ...(output === undefined ? {} : { outputSchema: await jsonSchemaOf(output) }),
    ...(isObject(annotations) ? { annotations } : {}),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
