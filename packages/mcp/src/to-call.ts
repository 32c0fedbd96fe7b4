import { copyData, own, type Json, type JsonObject, type ToolCall } from "@ambit/core";
import { metaOf, paramsOf, type Notification, type Request, type Wire } from "./json-rpc.ts";
import { CALL, isNameOfMethod } from "./methods.ts";

/** What is asked about a request. */
export interface Question {
  readonly call: Omit<ToolCall, "envelope" | "server" | "definition" | "signal">;
  /** Why the request is refused whatever the answer is; it is asked about for the record alone, under a name that no tool and no method has. */
  readonly flaw?: string;
}

const MEMBERS: ReadonlySet<string> = new Set(["name", "arguments", "_meta"]);

/**
 * The call that a request asks for: of a `tools/call` the tool and its arguments, of any other of the `known` methods the method's own name and its parameters. Never to
 * run are what is neither, a call that says more (`task`, `inputResponses` and `requestState` reach the server beside the arguments, and a reader that folds
 * case takes `Name` for `name`), one with unbounded metadata, and a tool with the name of a method, because what is allowed of the one is not allowed of the other. Nor what has a `flaw` already.
 */
export function toQuestion(request: Request, known: ReadonlySet<string>, flaw?: string): Question {
  const { method } = request;
  const { _meta: meta, ...params } = paramsOf(request);
  // No turn: the id is the client's to choose, so it must not make one call count as the repetition of another.
  const callId = JSON.stringify(request.id);
  const never = (name: string, why: string): Question => ({ call: { tool: `${name} (${why})`, arguments: params, callId }, flaw: why });
  if (flaw !== undefined) return never(method, flaw);
  if (!known.has(method)) return never(method, "a method that is not known");
  if (!isBounded(meta)) return never(toolOf(request) ?? method, "with metadata that is too deep or too large");
  if (method !== CALL) return { call: { tool: method, arguments: params, callId } };
  const tool = own(params, "name");
  if (typeof tool !== "string") return never(method, "without the name of a tool");
  if (!Object.keys(params).every((member) => MEMBERS.has(member))) return never(tool, "with more than a name and arguments");
  if (isNameOfMethod(tool)) return never(tool, "a tool with the name of a method");
  return { call: { tool, arguments: own(params, "arguments"), callId } };
}

/** The call under which a notification that is not known is on the record; its name is that of no tool and no method. */
export function toAttempt(notification: Notification): Question["call"] {
  const { _meta: _, ...params } = paramsOf(notification);
  return { tool: `${notification.method} (a notification that is not known)`, arguments: params };
}

/** Metadata is not decided, and goes on to readers that may have no bounds of their own. */
function isBounded(meta: Json | undefined): boolean {
  try {
    return meta === undefined || copyData(meta, "argument_not_allowed", "the metadata") !== undefined;
  } catch {
    return false;
  }
}

/** The tool that a request calls. */
export function toolOf(request: Request): string | undefined {
  const tool = request.method === CALL ? own(paramsOf(request), "name") : undefined;
  return typeof tool === "string" ? tool : undefined;
}

/** Where the envelope travels in `_meta`: the object `{aat_chain, aat_pop}` of the draft, never a handle. */
export const PRESENTATION = "dev.ambit/presentation";

/**
 * INVARIANT I4: the request that goes on carries the decided arguments, not those that came in. The rest of `_meta` goes on as it is, with `presentation` in it, or without one.
 */
export function decidedRequest(request: Request, args: Record<string, unknown>, presentation: JsonObject | "keep" | "drop" = "keep"): Wire {
  const params = request.method === CALL ? { ...paramsOf(request), arguments: args } : { ...args, ...metaMember(request) };
  if (presentation !== "keep") return { ...request.wire, params: withPresentation(params, presentation === "drop" ? undefined : presentation) };
  // A request without parameters stays one.
  return Object.keys(params).length === 0 && request.params === undefined ? request.wire : { ...request.wire, params };
}

function metaMember(request: Request): object {
  const meta = own(paramsOf(request), "_meta");
  return meta === undefined ? {} : { _meta: meta };
}

function withPresentation({ _meta: meta, ...params }: Record<string, unknown>, presentation: JsonObject | undefined): object {
  const { [PRESENTATION]: _, ...others } = typeof meta === "object" && meta !== null && !Array.isArray(meta) ? (meta as JsonObject) : {};
  const members = presentation === undefined ? others : { ...others, [PRESENTATION]: presentation };
  return Object.keys(members).length === 0 ? params : { ...params, _meta: members };
}

/** What a request says of its protocol in `_meta`: every request of revision 2026-07-28 has to. */
export function protocolMeta(request: Request): JsonObject {
  const members = ["protocolVersion", "clientInfo", "clientCapabilities"].map((member) => `io.modelcontextprotocol/${member}`);
  return Object.fromEntries(members.flatMap((member) => [[member, metaOf(request, member)] as const]).filter(([, value]) => value !== undefined)) as JsonObject;
}
