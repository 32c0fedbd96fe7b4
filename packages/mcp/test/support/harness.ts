import type { Harness, KitTool, Scene, Shown, Turn } from "@ambit/conformance";
import type { EnvelopeSource, Pep } from "@ambit/core";
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
import { protect } from "../../src/index.ts";

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

/** A server whose tools are those of the kit. */
function serverOf(tools: readonly KitTool[]): Server {
  const server = new Server({ name: "another name", version: "1.0.0" }, { capabilities: { tools: {}, logging: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: tools.map(definitionOf) }));
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

/** The scripted decision point of the kit knows no names; what lists show is tested beside the kit. */
function listingAll(pep: Pep): Pep {
  return { ...pep, offers: async (_, names) => new Set(names) };
}

type Sdk = "SDK 1" | "SDK 2";
type Options = { readonly onprogress: (progress: unknown) => void; readonly signal?: AbortSignal };

/** What the kit needs of a client, in whichever version. */
interface AnyClient {
  onerror?: ((error: Error) => void) | undefined;
  connect(transport: unknown): Promise<void>;
  listTools(): Promise<unknown>;
  call(params: { readonly name: string; readonly arguments: Record<string, unknown> }, options: Options): Promise<unknown>;
  onLog(note: (notification: unknown) => void): void;
  close(): Promise<void>;
}

function clientOf(sdk: Sdk): AnyClient {
  const info = { name: "test", version: "1.0.0" };
  if (sdk === "SDK 1") {
    const client = new Client(info);
    return Object.assign(client as unknown as AnyClient, {
      call: (params: Parameters<AnyClient["call"]>[0], options: Options) => client.callTool(params, undefined, options),
      onLog: (note: (notification: unknown) => void) => client.setNotificationHandler(LoggingMessageNotificationSchema, note),
    });
  }
  const client = new ClientV2(info);
  return Object.assign(client as unknown as AnyClient, {
    call: (params: Parameters<AnyClient["call"]>[0], options: Options) => client.callTool(params, options),
    onLog: (note: (notification: unknown) => void) => client.setNotificationHandler("notifications/message", note),
  });
}

async function connect(sdk: Sdk, pep: Pep | undefined, envelope: EnvelopeSource, tools: readonly KitTool[]) {
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const sent: unknown[] = [];
  const send = clientSide.send.bind(clientSide);
  clientSide.send = async (message, options) => {
    sent.push(message, options);
    await send(message, options);
  };
  const transport = pep === undefined ? clientSide : protect(listingAll(pep), { transport: clientSide, server: SERVER, envelope });
  const client = clientOf(sdk);
  const server = serverOf(tools);
  await Promise.all([server.connect(serverSide), client.connect(transport)]);
  return { client, server, transport, sent };
}

/** What an application makes of a result for its model: the content, or the text of it where it is nothing else. */
function shownOf(id: string, { isError, content }: CallToolResult): Shown {
  const [block, second] = content;
  return { id, isError: isError === true, text: block?.type === "text" && second === undefined ? block.text : JSON.stringify(content) };
}

async function run(sdk: Sdk, { pep, envelope, tools, calls, signal }: Scene): Promise<Turn> {
  const seen: unknown[] = [];
  const { client, sent } = await connect(sdk, pep, envelope, tools);
  client.onerror = (error) => void seen.push(error);
  client.onLog((notification) => void seen.push(notification));
  let failure: unknown;
  const shown: Shown[] = [];
  try {
    seen.push(await client.listTools());
    const options = { onprogress: (progress: unknown) => void seen.push(progress), ...(signal === undefined ? {} : { signal }) };
    const answers = calls.map(async ({ id, name, args }): Promise<Shown> => {
      try {
        const result = (await client.call({ name, arguments: args }, options)) as CallToolResult;
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
  return { shown, seen: [seen, sent], failure };
}

export const harnessOf = (sdk: Sdk): Harness => ({
  server: SERVER,
  results: ["structured content", "text"],
  cannot: {
    validation: "an MCP client sends what it is given; validation, defaults and transforms are the server's, which decides again",
    parsing: "an MCP client is given arguments, not what a model wrote",
    streamedRuns: "an MCP client waits for the result of a call; what comes before it is progress, which is covered",
    handOffs: "MCP connects a client with a server; it has no agents that could hand off",
  },
  run: (scene) => run(sdk, scene),
  call: async ({ pep, envelope, tools }, args) => {
    const { transport, client, server } = await connect(sdk, pep, envelope, tools);
    const result = new Promise((resolve) => {
      transport.onmessage = resolve;
    });
    await transport.send({ jsonrpc: "2.0", id: "call-1", method: "tools/call", params: { name: tools[0]?.name ?? "", arguments: args } });
    await result;
    await Promise.all([client.close(), server.close()]);
  },
  describe: async (pep, envelope, tool) => {
    const [bare, covered] = await Promise.all([connect(sdk, undefined, envelope, [tool]), connect(sdk, pep, envelope, [tool])]);
    return { before: await bare.client.listTools(), after: await covered.client.listTools() };
  },
});
