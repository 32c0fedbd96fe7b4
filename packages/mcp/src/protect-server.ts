import { AmbitError, createReceiver, isIdentifier, type Pdp, type Receiver } from "@ambit/core";
import { MARK, type Mark } from "./mark.ts";
import { createServerConnection } from "./server-connection.ts";
import { behindDoors, handlersOf, isTransport, type Doors, type Handlers, type McpTransport } from "./transport.ts";

export interface ProtectServerOptions {
  /** The decision point of the server; it takes the envelopes of the agents that may come. */
  readonly pdp: Pdp;
  /** The operator's name for this server, as in the manifest of the decision point. */
  readonly server: string;
  /** The name of this server in `aud`, which every proof has to be for; one of the audiences of the decision point. */
  readonly audience: string;
  /** Milliseconds for one question to the decision point. Default 1000. */
  readonly deadline?: number | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

/** What every MCP server has in common: `Server` and `McpServer` of `@modelcontextprotocol/sdk` 1 and of `@modelcontextprotocol/server` 2. */
export interface McpServerLike {
  connect(transport: never, ...more: never[]): Promise<void>;
}

/**
 * The same server, or its transport, so that it sees a request only when the envelope that comes with it, proven for this very request and this server, allows it. Requests
 * that set up the connection or list what there is pass; the arguments that the server sees are the decided ones, before its own defaults. Refuses requests without an envelope.
 */
export function protectServer<T extends McpServerLike | McpTransport>(target: T, options: ProtectServerOptions): T {
  const { server, ...rest } = options;
  if (!isIdentifier(server)) throw new AmbitError("option_invalid", "`server` must be the operator's name for the server");
  const receiver = createReceiver(rest);
  if (isTransport(target)) return protectTransport(target, receiver, server);
  const lowest = lowestOf(target);
  if (lowest === undefined) throw new AmbitError("option_invalid", "what is protected must be an MCP server or its transport");
  // What is connected already has a door that stays open.
  if ((lowest as { readonly transport?: unknown }).transport !== undefined)
    throw new AmbitError("option_invalid", "the server must be protected before it is connected");
  // In place, and where every `connect` ends up: a server that is protected has no other door.
  const connect = lowest.connect.bind(lowest) as (transport: McpTransport, ...more: unknown[]) => Promise<void>;
  const connectProtected = (transport: McpTransport, ...more: unknown[]): Promise<void> => connect(protectTransport(transport, receiver, server), ...more);
  Object.defineProperty(lowest, "connect", { value: connectProtected, configurable: false, writable: false, enumerable: false });
  Object.defineProperty(lowest, MARK, { value: { server, point: "mcp server" } satisfies Mark });
  return target;
}

/** `McpServer` connects the `Server` in it, which can be connected by itself as well. */
export function lowestOf(target: McpServerLike): McpServerLike | undefined {
  const inner = (target as { readonly server?: unknown } | undefined)?.server;
  return [inner, target].find((value): value is McpServerLike => typeof (value as Partial<McpServerLike> | undefined)?.connect === "function");
}

function protectTransport<T extends McpTransport>(transport: T, receiver: Receiver, server: string): T {
  const handlers = handlersOf(transport);
  const connection = createServerConnection(receiver, server, transport as unknown as Doors & Handlers, handlers);
  const mark: Mark = { server, point: "mcp server" };
  return behindDoors(transport, Object.assign(handlers, connection, { [MARK]: mark }));
}
