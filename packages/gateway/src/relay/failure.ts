import { modelRefusal, own, type JsonObject, type Refused } from "@ambit/core";

/** An error to answer a request with, in JSON-RPC's form; the SDK sends what it has of these members. */
export class RequestFailure extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.name = "RequestFailure";
    this.code = code;
    this.data = data;
  }
}

export const INVALID_PARAMS = -32602;
export const INTERNAL_ERROR = -32603;
const REFUSED = -32010;

/** A refusal in the form that the method has for it. What the result of a flawed request would look like nobody can tell. */
export function refuse(method: string, why: Refused, flaw?: string): JsonObject {
  if (method === "tools/call" && flaw === undefined) return refusedResult(why);
  throw refusing(why);
}

/** A refusal as the error of a request. */
export function refusing(why: Refused): RequestFailure {
  const { error } = modelRefusal(why);
  return new RequestFailure(REFUSED, error.message, error);
}

/** A refusal as the result of a call, so that the model sees it and the run goes on. */
function refusedResult(why: Refused): JsonObject {
  return { isError: true, content: [{ type: "text", text: JSON.stringify(modelRefusal(why)) }] };
}

/** What the SDK rejects with where the upstream itself answered with an error; anything else (no connection, no answer) is none. */
export function errorOf(thrown: unknown): { readonly code: number; readonly message: string; readonly data: unknown } | undefined {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  const { code, message, data } = thrown as { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown };
  return Number.isSafeInteger(code) ? { code: code as number, message: String(message), data } : undefined;
}

/** Whether a result is not the end of its call, but a question. */
export function asksForMore(result: JsonObject): boolean {
  return own(result, "resultType") === "input_required";
}
