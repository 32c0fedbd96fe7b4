/** What is left in what is protected, so that it can be found again; whoever forges it deceives a report, and passes nothing. */
export interface Mark {
  /** The operator's name for the server. */
  readonly server: string;
  readonly point: "mcp transport" | "mcp server";
  /** The names of the server's tools, whatever an envelope would show of them. */
  readonly tools?: () => Promise<readonly string[]>;
}

/** Registered, because there may be two copies of this package in one process. */
export const MARK: unique symbol = Symbol.for("ambit.mcp.protected") as never;

export function markOf(value: unknown): Mark | undefined {
  return typeof value === "object" && value !== null ? (value as { readonly [MARK]?: Mark })[MARK] : undefined;
}
