import { definitionDigest, isJsonObject, own, type EnvelopeSource, type Json, type JsonObject, type ToolCall } from "@ambit/core";
import { paramsOf, type Request, type Wire } from "./json-rpc.ts";

/** What a connection adds to each of its calls. */
export interface CallSetting {
  readonly server: string;
  readonly envelope: EnvelopeSource;
}

/** Digests of the tool definitions that the server sent last, by exact name. `undefined`: two at once under one name. */
export type Definitions = Map<string, string | undefined>;

const MEMBERS: ReadonlySet<string> = new Set(["name", "arguments", "_meta"]);

/**
 * The call that a `tools/call` request asks for. `undefined` for a request that says more than is decided: `task`, `inputResponses` and
 * `requestState` reach the server beside the arguments, and a reader that folds case takes `Name` for `name`.
 */
export function toCall(request: Request, setting: CallSetting, definitions: Definitions, signal: AbortSignal): ToolCall | undefined {
  const params = paramsOf(request);
  const tool = own(params, "name");
  if (typeof tool !== "string" || !Object.keys(params).every((member) => MEMBERS.has(member))) return undefined;
  // No turn: the id is the client's to choose, so it must not make one call count as the repetition of another.
  const callId = JSON.stringify(request.id);
  return { ...setting, tool, definition: definitions.get(tool), arguments: own(params, "arguments"), callId, signal };
}

/** INVARIANT I4: the request that goes on carries the decided arguments, not those that came in. */
export function decidedRequest(request: Request, args: Record<string, unknown>): Wire {
  return { ...request.wire, params: { ...paramsOf(request), arguments: args } };
}

/** Keeps the digests of a `tools/list` result. */
export function rememberDefinitions(definitions: Definitions, result: unknown): void {
  const tools = isJsonObject(result as Json) ? own(result as JsonObject, "tools") : undefined;
  const digests: Definitions = new Map();
  for (const tool of Array.isArray(tools) ? (tools as readonly Json[]) : []) {
    const name = isJsonObject(tool) ? own(tool, "name") : undefined;
    if (typeof name !== "string") continue;
    const digest = definitionDigest(tool as JsonObject & { readonly name: string });
    // Of two tools with one name, one would match the pin and the other be shown to the model.
    digests.set(name, digests.has(name) && digests.get(name) !== digest ? undefined : digest);
  }
  for (const [name, digest] of digests) definitions.set(name, digest);
}
