import type { Harness, KitTool, Scene, Shown, Turn } from "@ambit/conformance";
import { createMCPClient, type MCPTransport } from "@ai-sdk/mcp";
import type { Pep } from "@ambit/core";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  LoggingMessageNotificationSchema,
  McpError,
  type CallToolResult,
  type ServerNotification,
  type Tool,
} from "@modelcontextprotocol/sdk/types.js";
import { protect, type McpTransport } from "../../src/index.ts";

const SERVER = "notes";

/** The forms that a result may have in MCP. */
function wrap(form: string, data: unknown): CallToolResult {
  const content: CallToolResult["content"] = [{ type: "text", text: typeof data === "string" ? data : JSON.stringify(data) }];
  const isObject = typeof data === "object" && data !== null && !Array.isArray(data);
  return form === "structured content" && isObject ? { content, structuredContent: data as Record<string, unknown> } : { content };
}

function definitionOf({ name, description }: KitTool): Tool {
  const inputSchema: Tool["inputSchema"] = { type: "object", properties: {}, additionalProperties: true };
  return { name, title: "Notes", description, inputSchema, annotations: { readOnlyHint: true }, _meta: { owner: "legal" } };
}

/** A server whose tools are those of the kit, one on each page of its list and none on the last. */
function serverOf(tools: readonly KitTool[]): Server {
  const server = new Server({ name: "another name", version: "1.0.0" }, { capabilities: { tools: {}, logging: {} } });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
    const at = Number(params?.cursor ?? 0);
    return { tools: tools.slice(at, at + 1).map(definitionOf), _meta: { page: at }, ...(at < tools.length ? { nextCursor: String(at + 1) } : {}) };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal, sendNotification }) => {
    const tool = tools.find(({ name }) => name === params.name);
    if (tool === undefined) throw new McpError(ErrorCode.InvalidParams, "there is no such tool");
    try {
      return wrap(tool.result, await resultOf(tool, params.arguments ?? {}, signal, params._meta?.progressToken, sendNotification));
    } catch (error) {
      if (tool.failure === "thrown") throw error;
      return { isError: true, content: [{ type: "text", text: String(error) }] };
    }
  });
  return server;
}

/** What a tool reports on its way goes out as progress, and as a log message. */
async function resultOf(
  { run, stream }: KitTool,
  args: unknown,
  signal: AbortSignal,
  progressToken: string | number | undefined,
  send: (notification: ServerNotification) => Promise<void>,
): Promise<unknown> {
  if (stream === undefined) return run(args, signal);
  const reports = stream(args, signal);
  for (let progress = 1; ; progress++) {
    const { done, value } = await reports.next();
    if (done === true) return value;
    if (progressToken !== undefined) await send({ method: "notifications/progress", params: { progressToken, progress, message: String(value) } });
    await send({ method: "notifications/message", params: { level: "info", data: value } });
  }
}

interface Page {
  readonly tools: readonly { readonly name: string }[];
  readonly nextCursor?: string | undefined;
}

/** What the kit needs of a client, of whichever package. */
interface AnyClient {
  list(params: { readonly cursor?: string }): Promise<Page>;
  call(params: { readonly name: string; readonly arguments: Record<string, unknown> }, signal: AbortSignal | undefined): Promise<unknown>;
  close(): Promise<void>;
}

const INFO = { name: "test", version: "1.0.0" };

/** Clients as an application has them; `note` gets whatever else they tell it. */
const CLIENTS = {
  "SDK 1": async (transport: McpTransport, note: (seen: unknown) => void): Promise<AnyClient> => {
    const client = new Client(INFO);
    client.onerror = note;
    client.setNotificationHandler(LoggingMessageNotificationSchema, note);
    await client.connect(transport as Parameters<Client["connect"]>[0]);
    return {
      list: (params) => client.listTools(params),
      call: (params, signal) => client.callTool(params, undefined, { onprogress: note, ...(signal === undefined ? {} : { signal }) }),
      close: () => client.close(),
    };
  },
  "SDK 2": async (transport: McpTransport, note: (seen: unknown) => void): Promise<AnyClient> => {
    const client = new ClientV2(INFO);
    client.onerror = note;
    client.setNotificationHandler("notifications/message", note);
    await client.connect(transport as Parameters<ClientV2["connect"]>[0]);
    return {
      list: (params) => client.listTools(params),
      call: (params, signal) => client.callTool(params, { onprogress: note, ...(signal === undefined ? {} : { signal }) }),
      close: () => client.close(),
    };
  },
  "@ai-sdk/mcp": async (transport: McpTransport, note: (seen: unknown) => void): Promise<AnyClient> => {
    const client = await createMCPClient({ transport: transport as MCPTransport, onUncaughtError: note });
    return {
      list: (params) => client.listTools({ params }),
      call: (params, signal) => client.callTool({ ...params, ...(signal === undefined ? {} : { options: { signal } }) }),
      close: () => client.close(),
    };
  },
};

export type Kind = keyof typeof CLIENTS;

async function connect(kind: Kind, { pep, envelope, tools }: Pick<Scene, "envelope" | "tools"> & { readonly pep: Pep | undefined }) {
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const seen: unknown[] = [];
  const send = clientSide.send.bind(clientSide);
  clientSide.send = async (message, options) => {
    seen.push(message, options);
    await send(message, options);
  };
  const transport = pep === undefined ? clientSide : protect(pep, { transport: clientSide, server: SERVER, envelope });
  const server = serverOf(tools);
  await server.connect(serverSide);
  return { client: await CLIENTS[kind](transport, (event) => void seen.push(event)), server, transport, seen };
}

/** Every page of the list. */
async function pagesOf({ list }: AnyClient): Promise<readonly Page[]> {
  const pages = [await list({})];
  for (let cursor = pages[0]?.nextCursor; cursor !== undefined; cursor = pages.at(-1)?.nextCursor) pages.push(await list({ cursor }));
  return pages;
}

/** What an application makes of a result for its model: the content, or the text of it where it is nothing else. */
function shownOf(id: string, { isError, content }: CallToolResult): Shown {
  const [block, second] = content;
  return { id, isError: isError === true, text: block?.type === "text" && second === undefined ? block.text : JSON.stringify(content) };
}

async function run(kind: Kind, { calls, signal, ...scene }: Scene): Promise<Turn> {
  const { client, seen } = await connect(kind, scene);
  let failure: unknown;
  const shown: Shown[] = [];
  try {
    // A list asks for the envelope, too, and the kit counts how often it is asked for.
    if (typeof scene.envelope !== "function") seen.push(await pagesOf(client));
    const answers = calls.map(async ({ id, name, args }): Promise<Shown> => {
      try {
        const result = (await client.call({ name, arguments: args }, signal)) as CallToolResult;
        seen.push(result);
        return shownOf(id, result);
      } catch (error) {
        signal?.throwIfAborted();
        seen.push(error);
        return { id, isError: true, text: String(error) };
      }
    });
    shown.push(...(await Promise.all(answers)));
  } catch (error) {
    failure = error ?? new Error("rejected with nothing");
  }
  // Not closed: that would give up what an abort must give up by itself.
  await new Promise(setImmediate); // what the server still says on its way
  return { shown, seen, failure };
}

export const harnessOf = (kind: Kind): Harness => ({
  server: SERVER,
  results: ["structured content", "text"],
  cannot: {
    validation: "an MCP client sends what it is given; validation, defaults and transforms are the server's, which decides again",
    parsing: "an MCP client is given arguments, not what a model wrote",
    streamedRuns: "an MCP client waits for the result of a call; what comes before it is progress, which is covered",
    handOffs: "MCP connects a client with a server; it has no agents that could hand off",
    ...(kind === "@ai-sdk/mcp" ? { streamingTools: "a client of @ai-sdk/mcp takes neither progress nor log messages" } : {}),
  },
  run: (scene) => run(kind, scene),
  call: async (scene, args) => {
    const { transport, client, server } = await connect(kind, scene);
    const result = new Promise((resolve) => {
      transport.onmessage = resolve;
    });
    await transport.send({ jsonrpc: "2.0", id: "call-1", method: "tools/call", params: { name: scene.tools[0]?.name ?? "", arguments: args } });
    await result;
    await Promise.all([client.close(), server.close()]);
  },
  list: async (scene) => {
    const { client } = await connect(kind, scene);
    return (await pagesOf(client)).flatMap(({ tools }) => tools.map(({ name }) => name));
  },
  describe: async (pep, envelope, tool) => {
    const scene = { envelope, tools: [tool] };
    const [bare, covered] = await Promise.all([connect(kind, { ...scene, pep: undefined }), connect(kind, { ...scene, pep })]);
    return { before: await pagesOf(bare.client), after: await pagesOf(covered.client) };
  },
});
