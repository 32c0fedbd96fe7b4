import { createMCPClient, type MCPClient } from "@ai-sdk/mcp";
import { Client as ClientV2 } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { ResultSchema } from "@modelcontextprotocol/sdk/types.js";
import type { McpTransport } from "../../src/index.ts";

/** What a public method of a client does with the server. */
export type Door<C> =
  /** Sends what is decided, or refuses it. */
  | { readonly sends: (client: C) => unknown }
  /** Sends only what passes: what sets up the connection, or lists what there is. */
  | { readonly passes: (client: C) => unknown }
  /** Sends nothing. */
  | "nothing";

export type Doors<C> = Readonly<Record<string, Door<C>>>;

export const INFO = { name: "test", version: "1.0.0" };
const CALL = { name: "contracts_read", arguments: { customer_id: "c1" } };
const URI = { uri: "crm://secret" };
const COMPLETION = { ref: { type: "ref/prompt" as const, name: "summary" }, argument: { name: "of", value: "o" } };
const REQUEST = { method: "tools/call", params: CALL } as const;

/** Every name that an object answers to, in whichever of its prototypes, besides those that begin with `_`. */
export function namesOf(object: object): readonly string[] {
  const names = new Set<string>();
  for (let at = object; at !== Object.prototype && at !== null; at = Object.getPrototypeOf(at) as object)
    for (const name of Object.getOwnPropertyNames(at)) if (!name.startsWith("_") && name !== "constructor") names.add(name);
  return [...names].toSorted();
}

function nothing<C>(...names: readonly string[]): Doors<C> {
  return Object.fromEntries(names.map((name) => [name, "nothing"]));
}

async function all(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** Of both SDKs. */
const COMMON = nothing<never>(
  ...["registerCapabilities", "assertCapability", "assertCapabilityForMethod", "assertNotificationCapability", "assertRequestHandlerCapability"],
  ...["getServerCapabilities", "getServerVersion", "getInstructions", "transport", "close"],
  ...["setRequestHandler", "removeRequestHandler", "assertCanSetRequestHandler", "setNotificationHandler", "removeNotificationHandler"],
);

export const SDK_1: Doors<Client> = {
  ...COMMON,
  ...nothing("assertTaskCapability", "assertTaskHandlerCapability", "isToolTask", "isToolTaskRequired", "cacheToolMetadata", "getToolOutputValidator"),
  ...nothing("requestTaskStore"),
  connect: { passes: (client) => client.ping() },
  ping: { passes: (client) => client.ping() },
  listTools: { passes: (client) => client.listTools() },
  listPrompts: { passes: (client) => client.listPrompts() },
  listResources: { passes: (client) => client.listResources() },
  listResourceTemplates: { passes: (client) => client.listResourceTemplates() },
  sendRootsListChanged: { passes: (client) => client.sendRootsListChanged() },
  callTool: { sends: (client) => client.callTool(CALL) },
  request: { sends: (client) => client.request(REQUEST, ResultSchema) },
  requestStream: { sends: (client) => all((client as unknown as StreamingClient).requestStream(REQUEST, ResultSchema)) },
  notification: { sends: (client) => client.notification({ method: "acme/run" } as never) },
  complete: { sends: (client) => client.complete(COMPLETION) },
  setLoggingLevel: { sends: (client) => client.setLoggingLevel("debug") },
  getPrompt: { sends: (client) => client.getPrompt({ name: "summary" }) },
  readResource: { sends: (client) => client.readResource(URI) },
  subscribeResource: { sends: (client) => client.subscribeResource(URI) },
  unsubscribeResource: { sends: (client) => client.unsubscribeResource(URI) },
  getTask: { sends: (client) => tasksOf(client).getTask("task_1") },
  getTaskResult: { sends: (client) => tasksOf(client).getTaskResult("task_1", ResultSchema) },
  listTasks: { sends: (client) => tasksOf(client).listTasks() },
  cancelTask: { sends: (client) => tasksOf(client).cancelTask("task_1") },
  experimental: { sends: (client) => all(tasksOf(client).callToolStream(CALL)) },
  "experimental.tasks.requestStream": { sends: (client) => all(tasksOf(client).requestStream(REQUEST, ResultSchema)) },
  "callTool as a task": { sends: (client) => client.callTool(CALL, undefined, { task: { ttl: 1000 } }) },
  "callTool that resumes": { sends: (client) => client.callTool(CALL, undefined, { resumptionToken: "event_1" }) },
  "transport.send": { sends: (client) => client.transport?.send({ jsonrpc: "2.0", id: "raw", ...REQUEST }) },
};

interface StreamingClient {
  requestStream(request: unknown, schema: unknown): AsyncIterable<unknown>;
}

const tasksOf = (client: Client): Client["experimental"]["tasks"] => client.experimental.tasks;

export const SDK_2: Doors<ClientV2> = {
  ...COMMON,
  ...nothing("onclose", "onerror", "fallbackRequestHandler", "fallbackNotificationHandler", "buildContext", "setVersionNegotiation"),
  ...nothing("getNegotiatedProtocolVersion", "getProtocolEra", "getDiscoverResult", "autoOpenedSubscription"),
  connect: { passes: (client) => client.ping() },
  ping: { passes: (client) => client.ping() },
  discover: { passes: (client) => client.discover() },
  listTools: { passes: (client) => client.listTools() },
  listPrompts: { passes: (client) => client.listPrompts() },
  listResources: { passes: (client) => client.listResources() },
  listResourceTemplates: { passes: (client) => client.listResourceTemplates() },
  sendRootsListChanged: { passes: (client) => client.sendRootsListChanged() },
  callTool: { sends: (client) => client.callTool(CALL) },
  request: { sends: (client) => client.request(REQUEST) },
  notification: { sends: (client) => client.notification({ method: "acme/run" } as never) },
  complete: { sends: (client) => client.complete(COMPLETION) },
  setLoggingLevel: { sends: (client) => client.setLoggingLevel("debug") },
  getPrompt: { sends: (client) => client.getPrompt({ name: "summary" }) },
  readResource: { sends: (client) => client.readResource(URI) },
  subscribeResource: { sends: (client) => client.subscribeResource(URI) },
  unsubscribeResource: { sends: (client) => client.unsubscribeResource(URI) },
  // Without sessions alone; that it is decided is tested there.
  listen: { passes: (client) => client.listen({ toolsListChanged: true }) },
  "callTool that resumes": { sends: (client) => client.callTool(CALL, { resumptionToken: "event_1" }) },
  "transport.send": { sends: (client) => client.transport?.send({ jsonrpc: "2.0", id: "raw", ...REQUEST }) },
};

/** Methods that TypeScript hides, but JavaScript does not. */
type OpenMcpClient = MCPClient & {
  send(message: unknown): Promise<void>;
  request(request: unknown): Promise<unknown>;
  requestOnce(request: unknown): Promise<unknown>;
  notification(notification: unknown): Promise<void>;
  readResourceInternal(resource: unknown): Promise<unknown>;
  getPromptInternal(prompt: unknown): Promise<unknown>;
  completeInternal(completion: unknown): Promise<unknown>;
};

const DEFINITIONS = { tools: [{ name: CALL.name, inputSchema: { type: "object" } }] };
const EXECUTION = { toolCallId: "call_1", messages: [], context: {} };
const resultSchema = { safeParse: (data: unknown) => ({ success: true, data }), parse: (data: unknown) => data };

export const AI_SDK: Doors<OpenMcpClient> = {
  ...nothing("requestMessageId", "responseHandlers", "serverCapabilities", "protocolEra", "protocolVersion", "toolHeaderBindings", "isClosed"),
  ...nothing("closeController", "onUncaughtError", "maxRetries", "clientCapabilities", "initialInitializeResult", "initializationOptions"),
  ...nothing("protocolVersionDiscovery", "transport", "clientInfo", "serverInfo", "initializeResult", "instructions", "applyDiscoverResult"),
  ...nothing("setTransportProtocolVersion", "applyInitializeResult", "close", "assertCapability", "prepareToolDefinitions", "getToolRequestHeaders"),
  ...nothing("extractStructuredContent", "onElicitationRequest", "onRequestMessage", "onClose", "onError", "onResponse"),
  ...nothing("callToolWithRetry"), // runs what it is given
  init: { passes: (client) => client.listTools() },
  tryProtocolDiscovery: { passes: (client) => client.listTools() },
  listTools: { passes: (client) => client.listTools() },
  listResources: { passes: (client) => client.listResources() },
  listResourceTemplates: { passes: (client) => client.listResourceTemplates() },
  listPrompts: { passes: (client) => client.listPrompts() },
  listResourcesInternal: { passes: (client) => client.listResources() },
  listResourceTemplatesInternal: { passes: (client) => client.listResourceTemplates() },
  listPromptsInternal: { passes: (client) => client.listPrompts() },
  experimental_listPrompts: { passes: (client) => client.experimental_listPrompts() },
  send: { sends: (client) => client.send({ jsonrpc: "2.0", id: "raw", ...REQUEST }) },
  request: { sends: (client) => client.request({ request: REQUEST, resultSchema }) },
  requestOnce: { sends: (client) => client.requestOnce({ request: REQUEST, resultSchema }) },
  notification: { sends: (client) => client.notification({ method: "acme/run" }) },
  callTool: { sends: (client) => client.callTool(CALL) },
  tools: { sends: async (client) => (await client.tools())[CALL.name]?.execute(CALL.arguments, EXECUTION) },
  toolsFromDefinitions: { sends: async (client) => client.toolsFromDefinitions(DEFINITIONS as never)[CALL.name]?.execute(CALL.arguments, EXECUTION) },
  readResource: { sends: (client) => client.readResource(URI) },
  getPrompt: { sends: (client) => client.getPrompt({ name: "summary" }) },
  experimental_getPrompt: { sends: (client) => client.experimental_getPrompt({ name: "summary" }) },
  complete: { sends: (client) => client.complete(COMPLETION) },
  readResourceInternal: { sends: (client) => client.readResourceInternal(URI) },
  getPromptInternal: { sends: (client) => client.getPromptInternal({ name: "summary" }) },
  completeInternal: { sends: (client) => client.completeInternal({ ...COMPLETION, params: COMPLETION }) },
  experimental_events: { sends: (client) => client.request({ request: { method: "events/subscribe", params: {} }, resultSchema }) },
};

/** Connects a client of each package. */
export const CLIENTS = {
  "SDK 1": async (transport: McpTransport) => {
    const client = new Client(INFO, { capabilities: { roots: { listChanged: true } } });
    await client.connect(transport as Parameters<Client["connect"]>[0]);
    return { client, doors: SDK_1 as Doors<unknown> };
  },
  "SDK 2": async (transport: McpTransport) => {
    const client = new ClientV2(INFO, { capabilities: { roots: { listChanged: true } } });
    await client.connect(transport as Parameters<ClientV2["connect"]>[0]);
    return { client, doors: SDK_2 as Doors<unknown> };
  },
  "@ai-sdk/mcp": async (transport: McpTransport) => {
    const client = await createMCPClient({ transport: transport as never, onUncaughtError: () => undefined });
    return { client, doors: AI_SDK as Doors<unknown> };
  },
};
