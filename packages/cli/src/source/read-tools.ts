import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { CliError, reasonOf } from "../cli-error.ts";
import type { Source } from "../init/options.ts";
import type { Terminal } from "../terminal.ts";
import { toolsOfModule } from "./app-tools.ts";
import { loadModule } from "./load-module.ts";
import { toolsOfList } from "./tool-list.ts";
import type { ToolsRead } from "./tools-read.ts";

export async function readTools(source: Source, terminal: Terminal): Promise<ToolsRead> {
  if (source.kind === "file") return toolsOfList(await readJson(resolve(terminal.cwd, source.path), source.path));
  if (source.kind === "app") return toolsOfModule(await loadModule(terminal.cwd, source.path));
  // Loaded only here: it takes longer to load than all the rest.
  const { listTools } = await import("./mcp-server.ts");
  return toolsOfList(await listTools(source, terminal));
}

async function readJson(path: string, name: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new CliError("tools_unreadable", `\`${name}\` cannot be read`, { cause });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CliError("tools_malformed", `\`${name}\` is not JSON: ${reasonOf(cause)}`, { cause });
  }
}
