import type { JsonObject } from "@ambit/core";
import { DECIDED_REQUESTS, LISTS } from "@ambit/mcp/messages";
import { fromJsonSchema, Server, type ServerContext } from "@modelcontextprotocol/server";
import type { Asker } from "./asker.ts";
import { METHOD_NOT_FOUND, RequestFailure } from "./failure.ts";
import type { Incoming, Relay } from "./relay.ts";
import { unaskedFor } from "./unasked.ts";

export interface ServerSetting {
  readonly relay: Relay;
  /** What all upstreams have together. */
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** Whose connections it uses. */
  readonly of: string;
  /** Whether the client keeps a connection by which it can be asked, and told of changes. */
  readonly isSession: boolean;
}

const ANYTHING = fromJsonSchema<JsonObject>({ type: "object" });

/** The SDK's half of the gateway towards one client: it speaks the protocol, and knows nothing of what it serves. */
export function createServer({ relay, capabilities, instructions, of, isSession }: ServerSetting, whoAsks: (context: ServerContext) => Asker): Server {
  const server = new Server({ name: "ambit-gateway", version: "0" }, { capabilities, ...(instructions === undefined ? {} : { instructions }) });
  const unasked = unaskedFor(server, isSession);

  const relayed = async (method: string, params: JsonObject, context: ServerContext): Promise<JsonObject> => {
    const asker = whoAsks(context);
    if (LISTS.has(method)) return relay.list({ method, params, asker });
    const { id, signal, inputResponses, _meta: meta } = context.mcpReq;
    const state: unknown = context.mcpReq.requestState();
    const during = unasked.during(asker, context);
    // Where every request says for itself what its client can do, no two connections may be one.
    const owner = isSession ? of : JSON.stringify([of, during.client.capabilities]);
    const progressToken = meta?.progressToken;
    const incoming: Incoming = {
      id,
      method,
      params,
      signal,
      asker,
      owner,
      inputResponses: inputResponses as JsonObject | undefined,
      requestState: typeof state === "string" ? state : undefined,
      client: during.client,
      hold: during.hold,
      onProgress:
        progressToken === undefined
          ? undefined
          : (progress) =>
              void context.mcpReq.notify({ method: "notifications/progress", params: { ...progress, progressToken } } as never).catch(() => undefined),
    };
    try {
      return await relay.request(incoming);
    } finally {
      during.end();
    }
  };

  for (const method of [...DECIDED_REQUESTS, ...LISTS.keys()]) {
    if (!isServed(method, capabilities)) continue;
    server.setRequestHandler(method, { params: ANYTHING, result: ANYTHING }, (params, context) => relayed(method, params, context));
  }
  server.fallbackRequestHandler = async ({ method, params }, context) => {
    // Refused, and on the record.
    await relayed(method, (params ?? {}) as JsonObject, context).catch(() => undefined);
    throw new RequestFailure(METHOD_NOT_FOUND, "Method not found");
  };
  return server;
}

/** The capability that a method belongs to. */
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
