import { AmbitError, isIdentifier, type EnvelopeSource, type Pep } from "@ambit/core";
import { createConnection } from "./connection.ts";
import type { Doors, Handlers, McpTransport } from "./transport.ts";

export interface ProtectOptions<T extends McpTransport> {
  /** Any client transport, not yet started. Do not use it beside the protected one. */
  readonly transport: T;
  /** The operator's name for the server, as in the manifest; never what the server says of itself. */
  readonly server: string;
  /** The task to act under; a function is asked at every call, and `undefined` is a deny. */
  readonly envelope: EnvelopeSource;
}

/**
 * The transport with the enforcement point in it, to give to an MCP client instead of the one that went in. Every `tools/call` is decided,
 * whichever method of the client sends it. Refuses every other request that reads or runs something, and what the server asks of the client.
 *
 * @remarks Whoever holds the transport that went in can step around this one; only a gateway in front of the server cannot be stepped around.
 */
export function protect<T extends McpTransport>(pep: Pep, options: ProtectOptions<T>): T {
  const { transport, server, envelope } = options;
  if (typeof pep?.admit !== "function") throw new AmbitError("option_invalid", "`pep` must come from `createPep`");
  if (![transport?.start, transport?.send, transport?.close].every((door) => typeof door === "function")) {
    throw new AmbitError("option_invalid", "`transport` must be a transport with `start`, `send` and `close`, not the configuration of one");
  }
  if (!isIdentifier(server)) throw new AmbitError("option_invalid", "`server` must be the operator's name for the server");

  // Handlers that hang in the transport already see what the client sees, not what comes in.
  const handlers: Handlers = { onmessage: transport.onmessage as Handlers["onmessage"], onclose: transport.onclose, onerror: transport.onerror };
  const doors: Handlers & Doors = Object.assign(handlers, createConnection(pep, { server, envelope }, transport as unknown as Doors & Handlers, handlers));

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
