import { isJsonObject, own, type Coverage, type CoverageItem, type Json, type JsonObject } from "@ambit/core";
import { namesIn } from "./lists.ts";
import { markOf, type Mark } from "./mark.ts";
import { lowestOf, type McpServerLike } from "./protect-server.ts";
import { isTransport, type McpTransport } from "./transport.ts";

/** What every MCP client has in common: `Client` of SDK 1 and of SDK 2, and what `createMCPClient` of `@ai-sdk/mcp` returns. */
export interface McpClientLike {
  callTool(...call: never[]): Promise<unknown>;
  listTools(...options: never[]): Promise<unknown>;
}

/** Clients, transports and servers, by the operator's name for the server. */
export type McpApp = Readonly<Record<string, McpClientLike | McpTransport | McpServerLike>>;

const NOTES = {
  "mcp transport": "this point is in the agent's process: whoever holds the transport that went in, or a credential of the server, can step around it",
  "mcp server": "whatever tools it has; requests for what there is pass without an envelope",
} as const;
const OPEN = {
  client: "connect it with `protect(pep, { transport, server, envelope })`",
  unconnected: "the client is not connected, so nobody can tell",
  transport: "pass it through `protect(pep, { transport, server, envelope })`, or `protectServer` where it is a server's",
  server: "pass it through `protectServer`",
} as const;

/**
 * What of MCP an application uses, and what of it is covered: each server, and its tools where they can be asked for, which is when the client is connected. A client that is connected with a transport
 * other than the protected one is open.
 */
export async function coverage(app: McpApp): Promise<Coverage> {
  const items = await Promise.all(Object.entries(app).map(([name, target]) => itemsOf(name, target)));
  return { adapter: "@ambit/mcp", items: items.flat() };
}

async function itemsOf(name: string, target: McpApp[string]): Promise<readonly CoverageItem[]> {
  const mark = findMark(target);
  const covered = mark === undefined ? {} : { coveredBy: mark.point };
  const tools = mark === undefined ? await listed(target) : ((await mark.tools?.()) ?? []);
  const note = mark === undefined ? openNote(target) : coveredNote(name, mark, tools.length);
  return [{ kind: "server", name, ...covered, note }, ...tools.map((tool): CoverageItem => ({ kind: "tool", name: `${name}/${tool}`, ...covered }))];
}

/** In the thing itself, in the transport that it is connected with, or in the `Server` inside an `McpServer`. */
function findMark(target: McpApp[string]): Mark | undefined {
  const lowest = isTransport(target) ? undefined : lowestOf(target as McpServerLike);
  for (const value of [target, lowest]) {
    const mark = markOf(value) ?? markOf((value as { readonly transport?: unknown } | undefined)?.transport);
    if (mark !== undefined) return mark;
  }
  return undefined;
}

function isClient(target: McpApp[string]): target is McpClientLike {
  return typeof (target as Partial<McpClientLike>).callTool === "function";
}

/** The first page is enough to say of an open server that there are open tools. */
async function listed(target: McpApp[string]): Promise<readonly string[]> {
  if (!isClient(target)) return [];
  const result: unknown = await target.listTools().catch(() => undefined);
  const tools = isJsonObject(result as Json) ? own(result as JsonObject, "tools") : undefined;
  return Array.isArray(tools) ? namesIn(tools as readonly Json[]) : [];
}

function coveredNote(name: string, { server, point, tools }: Mark, count: number): string {
  const other = server === name ? [] : [`it is protected under another name, \`${server}\``];
  const none = tools === undefined || count > 0 ? [] : ["it has no tools, or cannot be asked for them now"];
  return [...other, ...none, NOTES[point]].join("; ");
}

function openNote(target: McpApp[string]): string {
  if (isTransport(target)) return OPEN.transport;
  if (!isClient(target)) return OPEN.server;
  return (target as { readonly transport?: unknown }).transport === undefined ? OPEN.unconnected : OPEN.client;
}
