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
