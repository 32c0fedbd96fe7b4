/** Who runs a tool: its own `execute`, the provider of the model, the client that answers the call, or a function that the SDK puts in the place of `execute`. */
export type ToolKind = "own" | "provider" | "client" | "replaced";

/** What ai 5, 6 and 7 would do with a tool. */
export function kindOf(tool: object): ToolKind {
  const { type, isProviderExecuted, execute } = tool as Readonly<Record<string, unknown>>;
  // A tool search and a tool caller are marked so, by members that are not enumerable.
  if (Reflect.ownKeys(tool).length !== Object.keys(tool).length || "experimental_toolCaller" in tool) return "replaced";
  const isOfProvider = type !== undefined && type !== "function" && type !== "dynamic";
  if (isProviderExecuted === true || (isOfProvider && isProviderExecuted !== false)) return "provider";
  return typeof execute === "function" ? "own" : "client";
}
