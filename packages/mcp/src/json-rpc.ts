import { isJsonObject, own, type Json, type JsonObject } from "@ambit/core";

/** INVARIANT I14: `1` and `"1"` are two ids, although clients take either for the other. */
export type RequestId = string | number;

/** A message as it goes over the wire, with no members but those of JSON-RPC 2.0. */
export type Wire = Readonly<Record<string, unknown>>;

export type Request = { readonly kind: "request"; readonly id: RequestId; readonly method: string; readonly params: unknown; readonly wire: Wire };
export type Notification = { readonly kind: "notification"; readonly method: string; readonly params: unknown; readonly wire: Wire };
export type Answer = { readonly kind: "result" | "error"; readonly id: RequestId; readonly value: unknown; readonly wire: Wire };

export type Message = Request | Notification | Answer;

const MEMBERS: ReadonlySet<string> = new Set(["jsonrpc", "id", "method", "params", "result", "error"]);

/**
 * Reads one message. `undefined` for whatever two readers could take for two things: a batch, a request that is a response as well, an
 * id that is neither text nor a whole number, a member that JSON-RPC 2.0 does not have (a reader that folds case takes `Method` for `method`).
 */
export function readMessage(raw: unknown): Message | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  // A member whose value is `undefined` is absent, as in JSON. The copy is what goes on, so that nobody reads something else in it.
  const wire: Wire = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined));
  const has = (member: string): boolean => Object.hasOwn(wire, member);
  const { jsonrpc, id, method, params } = wire;
  if (jsonrpc !== "2.0" || !Object.keys(wire).every((member) => MEMBERS.has(member))) return undefined;
  if (has("id") && !isRequestId(id)) return undefined;

  if (has("method")) {
    if (typeof method !== "string" || has("result") || has("error")) return undefined;
    return isRequestId(id) ? { kind: "request", id, method, params, wire } : { kind: "notification", method, params, wire };
  }
  if (!isRequestId(id) || has("params") || has("result") === has("error")) return undefined;
  const kind = has("result") ? "result" : "error";
  return { kind, id, value: wire[kind], wire };
}

/** The message as the wire would have it: what a getter or `toJSON` says, it says here once. `undefined` when it has no wire form. */
export function snapshot(raw: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(raw));
  } catch {
    return undefined; // no wire form, which the caller refuses
  }
}

/** The parameters, and none when they are not an object. */
export function paramsOf({ params }: Request | Notification): JsonObject {
  return isJsonObject(params as Json | undefined) ? (params as JsonObject) : {};
}

/** A member of `_meta`. */
export function metaOf(message: Request | Notification, member: string): Json | undefined {
  const meta = own(paramsOf(message), "_meta");
  return isJsonObject(meta) ? own(meta, member) : undefined;
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === "string" || Number.isSafeInteger(value);
}
