import { AmbitError } from "@ambit/core";

/**
 * What every MCP client transport has in common: those of `@modelcontextprotocol/sdk` 1, of `@modelcontextprotocol/client` 2 and of
 * `@ai-sdk/mcp`. Structural, because their classes differ between majors and between module formats.
 */
export interface McpTransport {
  start(): Promise<void>;
  send(message: never, options?: never): Promise<void>;
  close(options?: never): Promise<void>;
  onmessage?: ((message: never, extra?: never) => void) | undefined;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
}

/** What a client hangs into its transport. */
export interface Handlers {
  onmessage?: ((message: unknown, extra?: unknown) => void) | undefined;
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
}

/** The doors of a transport. */
export interface Doors {
  start(): Promise<void>;
  send(message: unknown, options?: unknown): Promise<void>;
  close(options?: unknown): Promise<void>;
}

/** Signals that give up one request: `requestSignal` of SDK 2, `signal` of `@ai-sdk/mcp`. SDK 1 sends `notifications/cancelled` instead. */
export function signalsOf(options: unknown): readonly AbortSignal[] {
  if (typeof options !== "object" || options === null) return [];
  const { signal, requestSignal } = options as { readonly signal?: unknown; readonly requestSignal?: unknown };
  return [signal, requestSignal].filter((value): value is AbortSignal => typeof value === "object" && value !== null && "aborted" in value);
}

/**
 * Options of `send` as they go on, read once. Throws `option_invalid` for those that resume a stream: an HTTP transport sends nothing then, and shows what comes in that stream as the answer to this
 * message, whatever it is the answer to. A stream that breaks is resumed by the transport itself, for the request that it is of.
 */
export function sendOptions(options: unknown): unknown {
  if (typeof options !== "object" || options === null) return options;
  const { resumptionToken, ...others } = options as { readonly resumptionToken?: unknown };
  if (resumptionToken !== undefined)
    throw new AmbitError("option_invalid", "`resumptionToken` cannot be sent: what comes then is the answer to another request");
  return others;
}

/** The transport, but with these doors and handlers instead of its own. */
export function behindDoors<T extends McpTransport>(transport: T, doors: Doors & Handlers): T {
  return new Proxy(transport, {
    get: (target, member) => {
      if (Object.hasOwn(doors, member)) return Reflect.get(doors, member);
      const value: unknown = Reflect.get(target, member);
      // Methods run on the transport itself: its own calls of `send` are parts of a call that is decided, and private members need it.
      return typeof value === "function" && member !== "constructor" ? (value.bind(target) as unknown) : value;
    },
    set: (target, member, value) => (Object.hasOwn(doors, member) ? Reflect.set(doors, member, value) : Reflect.set(target, member, value)),
  });
}

/** What hangs in a transport already sees what its user sees, not what comes in. */
export function handlersOf(transport: McpTransport): Handlers {
  return { onmessage: transport.onmessage as Handlers["onmessage"], onclose: transport.onclose, onerror: transport.onerror };
}

export function isTransport(value: unknown): value is McpTransport {
  const doors = value as Partial<McpTransport> | undefined;
  return [doors?.start, doors?.send, doors?.close].every((door) => typeof door === "function");
}
