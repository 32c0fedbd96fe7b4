import { isJsonObject, modelRefusal, own, type Admission, type Json, type JsonObject, type Refused, type RefusalCode } from "@ambit/core";
import { metaOf, type Answer, type Request, type Wire } from "./json-rpc.ts";
import { CALL, READ } from "./methods.ts";

/** JSON-RPC 2.0 and MCP both leave −32000 to −32019 to implementations. */
const REFUSED = -32010;
const INTERNAL_ERROR = -32603;

/**
 * What whoever asked is shown for the answer to an admitted request. An error answer is a failure of the tool.
 * Refuses a result that is not the end of the call, such as `input_required`.
 */
export async function toOutcome(request: Request, admission: Admission, answer: Answer): Promise<Wire> {
  if (answer.kind === "error") {
    await admission.fail(answer.value);
    return admission.holdsResult ? withoutText(answer) : answer.wire;
  }
  const type = isJsonObject(answer.value as Json) ? own(answer.value as JsonObject, "resultType") : undefined;
  if (type !== undefined && type !== "complete") {
    // A request to the client in another shape; what has happened at the server by now nobody knows.
    await admission.abandon();
    return refused(
      request,
      denial("tool_unmapped", "the server asks for more before it answers, which is not decided, so it is refused", admission.decisionId),
    );
  }
  const completion = await admission.complete(answer.value);
  return completion.released ? { ...answer.wire, result: forOnce(request, completion.result) } : refused(request, completion.refused);
}

/**
 * INVARIANT I3: what a client's cache shows again nobody decides, so a result is that of one request: no cache may take it for another's, nor for a later one's. Of what was
 * read it is said even where the server says nothing, because clients of SDK 2 can have a lifetime of their own for that.
 */
export function forOnce({ method }: Request, result: unknown): unknown {
  if (!isJsonObject(result as Json)) return result;
  const data = result as JsonObject;
  const isKept = method === READ || ["ttlMs", "cacheScope"].some((member) => own(data, member) !== undefined);
  return isKept ? { ...data, ttlMs: 0, cacheScope: "private" } : result;
}

/** Text and data of an error cannot be checked, and would show what must be held back in a result. */
function withoutText({ id, value }: Answer): Wire {
  const code = isJsonObject(value as Json) ? own(value as JsonObject, "code") : undefined;
  const message = "the tool failed; what it says of that is withheld, because it cannot be checked";
  return { jsonrpc: "2.0", id, error: { code: Number.isSafeInteger(code) ? code : INTERNAL_ERROR, message } };
}

/**
 * A refusal in the form that the method has for it. That of a call is its result, so that the model sees it and the run goes on. Without `structuredContent`: SDK 1 holds
 * even that of an error against the tool's output schema.
 */
export function refused(request: Request, why: Refused): Wire {
  if (request.method !== CALL) return refusedRequest(request, why);
  const content = [{ type: "text", text: JSON.stringify(modelRefusal(why)) }];
  // Revision 2026-07-28, which every request of it names, wants every result to say that it is complete.
  const isStateless = metaOf(request, "io.modelcontextprotocol/protocolVersion") !== undefined;
  return { jsonrpc: "2.0", id: request.id, result: { ...(isStateless ? { resultType: "complete" } : {}), isError: true, content } };
}

/** A refusal of a request that is no plain call: what its result would be nobody can tell. */
export function refusedRequest({ id }: Request, why: Refused): Wire {
  const { error } = modelRefusal(why);
  return { jsonrpc: "2.0", id, error: { code: REFUSED, message: error.message, data: error } };
}

/** A refusal of the adapter itself. */
export function denial(code: RefusalCode, message: string, decisionId = "undecided"): Refused {
  return { kind: "deny", decisionId, refusal: { code, message, retryable: false } };
}
