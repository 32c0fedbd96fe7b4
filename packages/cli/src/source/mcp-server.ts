import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { CliError, reasonOf } from "../cli-error.ts";
import { printable } from "../infer/printable.ts";
import type { Source } from "../init/options.ts";
import type { Terminal } from "../terminal.ts";

type McpSource = Extract<Source, { readonly kind: "mcp-command" | "mcp-url" }>;

const MAX_PAGES = 100;
const MAX_STDERR_LINES = 5;

/**
 * The tools that a live server lists, as it sent them: pins are made of exactly that, so nothing may be parsed away. A server
 * that is started here ends here, and gets no more of the environment than it needs to run and what `--env` names.
 */
export async function listTools(source: McpSource, terminal: Terminal): Promise<readonly unknown[]> {
  const complaints: string[] = [];
  const transport = transportOf(source, terminal, complaints);
  const client = new Client({ name: "ambit-init", version: "0.0.0" });
  try {
    await client.connect(transport);
    return await collectPages((cursor) => client.request({ method: "tools/list", ...(cursor === undefined ? {} : { params: { cursor } }) }, ResultSchema));
  } catch (cause) {
    if (CliError.isInstance(cause)) throw cause;
    const said = complaints.slice(-MAX_STDERR_LINES).map((line) => `\nit said: ${printable(line)}`);
    throw new CliError("mcp_failed", `the MCP server did not list its tools: ${reasonOf(cause)}${said.join("")}`, { cause });
  } finally {
    await client.close().catch(() => undefined); // it is gone already
  }
}

async function collectPages(page: (cursor: string | undefined) => Promise<Readonly<Record<string, unknown>>>): Promise<readonly unknown[]> {
  const tools: unknown[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    const { tools: some, nextCursor } = await page(cursor);
    if (!Array.isArray(some)) throw new CliError("mcp_failed", "the MCP server answered with no list of tools");
    tools.push(...(some as readonly unknown[]));
    if (typeof nextCursor !== "string") return tools;
    cursor = nextCursor;
  }
  throw new CliError("mcp_failed", `the MCP server lists more than ${MAX_PAGES} pages of tools`);
}

function transportOf(source: McpSource, terminal: Terminal, complaints: string[]): Transport {
  // The SDK's own transports do not fit its type under `exactOptionalPropertyTypes`.
  if (source.kind === "mcp-url") return new StreamableHTTPClientTransport(source.url) as Transport;
  const [command, ...args] = source.command;
  const env = Object.fromEntries(
    source.passedEnv.map((name) => {
      const value = terminal.env[name];
      if (value === undefined) throw new CliError("env_missing", `\`--env ${name}\` names a variable that is not set`);
      return [name, value];
    }),
  );
  const transport = new StdioClientTransport({ command, args, env, cwd: terminal.cwd, stderr: "pipe" });
  transport.stderr?.on("data", (chunk: Buffer) => {
    complaints.push(
      ...chunk
        .toString("utf8")
        .split("\n")
        .filter((line) => line.trim() !== ""),
    );
    complaints.splice(0, complaints.length - MAX_STDERR_LINES);
  });
  return transport;
}
