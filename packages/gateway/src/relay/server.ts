import type { JsonObject } from "@ambit/core";
import { DECIDED_REQUESTS, LISTS } from "@ambit/mcp/messages";
import { fromJsonSchema, Server, type ServerContext } from "@modelcontextprotocol/server";
import type { Asker } from "./asker.ts";
import type { Incoming } from "./incoming.ts";
import type { Relay } from "./relay.ts";
import { underWay } from "./unasked.ts";

export interface ServerSetting {
  readonly relay: Relay;
  /** What all upstreams have together. */
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** Whose connections it uses. */
  readonly owner: string;
  /** Whether the client keeps a connection by which it can be asked, and told of changes. */
  readonly isSession: boolean;
}

const ANYTHING = fromJsonSchema<JsonObject>({ type: "object" });

/** The SDK's half of the gateway towards one client: it speaks the protocol, and knows nothing of what it serves. */
export function createServer({ relay, capabilities, instructions, owner, isSession }: ServerSetting, whoAsks: (context: ServerContext) => Asker): Server {
  const server = new Server({ name: "ambit-gateway", version: "0" }, { capabilities, ...(instructions === undefined ? {} : { instructions }) });

  const relayed = async (method: string, params: JsonObject, context: ServerContext): Promise<JsonObject> => {
    const asker = whoAsks(context);
    if (LISTS.has(method)) return relay.list({ method, params, asker });
    const { id, signal, inputResponses, _meta: meta } = context.mcpReq;
    const state: unknown = context.mcpReq.requestState();
    const asking = underWay(server, isSession, asker, context);
    const incoming: Incoming = {
      id,
      method,
      params,
      signal,
      asker,
      asking,
      // Where every request says for itself what its client can do, no two such connections may be one.
      owner: isSession ? owner : JSON.stringify([owner, asking.capabilities]),
      inputResponses: inputResponses as JsonObject | undefined,
      requestState: typeof state === "string" ? state : undefined,
      onProgress: progressTo(context, meta?.progressToken),
    };
    try {
      return await relay.request(incoming);
    } finally {
      asking.end();
    }
  };

  for (const method of [...DECIDED_REQUESTS, ...LISTS.keys()]) {
    if (!isServed(method, capabilities)) continue;
    server.setRequestHandler(method, { params: ANYTHING, result: ANYTHING }, (params, context) => relayed(method, params, context));
  }
  return server;
}

function progressTo({ mcpReq }: ServerContext, progressToken: string | number | undefined): Incoming["onProgress"] {
  if (progressToken === undefined) return undefined;
  return (progress) => {
    const notification = { method: "notifications/progress", params: { ...progress, progressToken } };
    void mcpReq.notify(notification as never).catch(() => undefined); // nobody listens any more
  };
}

/** The capability that a method belongs to, by what stands before its slash. */
const CAPABILITIES: ReadonlyMap<string, string> = new Map([
  ["tools", "tools"],
  ["resources", "resources"],
  ["prompts", "prompts"],
  ["completion", "completions"],
  ["logging", "logging"],
]);

function isServed(method: string, capabilities: JsonObject): boolean {
  const capability = CAPABILITIES.get(method.split("/", 1)[0] ?? "");
  return capability !== undefined && Object.hasOwn(capabilities, capability);
}
