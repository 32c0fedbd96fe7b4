import { AmbitError, isIdentifier, type EnvelopeSource, type Pep } from "@ambit/core";
import { createConnection } from "./connection.ts";
import { MARK, type Mark } from "./mark.ts";
import { behindDoors, handlersOf, isTransport, type Doors, type Handlers, type McpTransport } from "./transport.ts";

export interface ProtectOptions<T extends McpTransport> {
  /** Any client transport, not yet started. Do not use it beside the protected one. */
  readonly transport: T;
  /** The operator's name for the server, as in the manifest; never what the server says of itself. */
  readonly server: string;
  /** The task to act under; a function is asked at every call, and `undefined` is a deny. */
  readonly envelope: EnvelopeSource;
  /**
   * Whether signed envelopes go along in `_meta`, with a proof over the tool's id and the arguments, for a server behind `protectServer`: the name of the server in
   * `aud`, or `true` for that of the decision point. A handle never goes along.
   *
   * @defaultValue nothing goes along
   */
  readonly carry?: true | string | undefined;
  /**
   * Milliseconds after which the definitions of the server's tools are read again before a call. A change that the server does not announce is noticed within it.
   *
   * @defaultValue 60,000
   */
  readonly definitionsLifetime?: number | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

/**
 * The transport with the enforcement point in it, to give to an MCP client instead of the one that went in. Every request that reads or runs something is decided, in
 * either direction, whichever method of the client sends it; of lists that is shown which the envelope could use. Refuses methods that are not known.
 *
 * @remarks Whoever holds the transport that went in can step around this one; only a gateway in front of the server cannot be stepped around.
 */
export function protect<T extends McpTransport>(pep: Pep, options: ProtectOptions<T>): T {
  const { transport, server, envelope, carry, definitionsLifetime = 60_000, now = Date.now } = options;
  if (typeof pep?.admit !== "function") throw new AmbitError("option_invalid", "`pep` must come from `createPep`");
  if (!isTransport(transport)) {
    throw new AmbitError("option_invalid", "`transport` must be a transport with `start`, `send` and `close`, not the configuration of one");
  }
  if (!isIdentifier(server)) throw new AmbitError("option_invalid", "`server` must be the operator's name for the server");
  if (carry !== undefined && carry !== true && (typeof carry !== "string" || carry === ""))
    throw new AmbitError("option_invalid", "`carry` must be `true` or the name of the server in `aud`");
  if (!Number.isSafeInteger(definitionsLifetime) || definitionsLifetime < 0)
    throw new AmbitError("option_invalid", "`definitionsLifetime` must be a whole number of milliseconds");

  const handlers = handlersOf(transport);
  const setting = { server, envelope, carry, definitionsLifetime, now };
  const { doors, tools } = createConnection(pep, setting, transport as unknown as Doors & Handlers, handlers);
  const mark: Mark = { server, point: "mcp transport", tools };
  return behindDoors(transport, Object.assign(handlers, doors, { [MARK]: mark }));
}
