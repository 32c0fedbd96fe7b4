import { own, type EnvelopeSource, type ToolCall } from "@ambit/core";
import type { Definitions } from "./definitions.ts";
import { paramsOf, type Request, type Wire } from "./json-rpc.ts";

/** What a connection adds to each of its calls. */
export interface CallSetting {
  readonly server: string;
  readonly envelope: EnvelopeSource;
}

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
  return { ...setting, tool, definition: definitions.of(tool), arguments: own(params, "arguments"), callId, signal };
}

/** INVARIANT I4: the request that goes on carries the decided arguments, not those that came in. */
export function decidedRequest(request: Request, args: Record<string, unknown>): Wire {
  return { ...request.wire, params: { ...paramsOf(request), arguments: args } };
}
