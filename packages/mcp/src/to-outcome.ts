import { isJsonObject, modelRefusal, own, type Admission, type Json, type JsonObject, type Refused } from "@ambit/core";
import { metaOf, type Answer, type Request, type Wire } from "./json-rpc.ts";

/** JSON-RPC 2.0 and MCP both leave −32000 to −32019 to implementations. */
const REFUSED = -32010;
const INTERNAL_ERROR = -32603;

/**
 * What the client is shown for the server's answer to an admitted call. An error answer is a failure of the tool.
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
    return refusedCall(request, undecided("the server asks for more before it answers, which is not decided yet", admission.decisionId));
  }
  const completion = await admission.complete(answer.value);
  return completion.released ? { ...answer.wire, result: completion.result } : refusedCall(request, completion.refused);
}

/** Text and data of an error cannot be checked, and would show what must be held back in a result. */
function withoutText({ id, value }: Answer): Wire {
  const code = isJsonObject(value as Json) ? own(value as JsonObject, "code") : undefined;
  const message = "the tool failed; what it says of that is withheld, because it cannot be checked";
  return { jsonrpc: "2.0", id, error: { code: Number.isSafeInteger(code) ? code : INTERNAL_ERROR, message } };
}

/**
 * A refusal as the result of the call, so that the model sees it and the run goes on. Without `structuredContent`: SDK 1 holds even
 * that of an error against the tool's output schema.
 */
export function refusedCall(request: Request, refused: Refused): Wire {
  const content = [{ type: "text", text: JSON.stringify(modelRefusal(refused)) }];
  // Revision 2026-07-28, which every request of it names, wants every result to say that it is complete.
  const isStateless = metaOf(request, "io.modelcontextprotocol/protocolVersion") !== undefined;
  return { jsonrpc: "2.0", id: request.id, result: { ...(isStateless ? { resultType: "complete" } : {}), isError: true, content } };
}

/** A refusal of any other request, in either direction. */
export function refusedRequest({ id, method }: Request, what: string = method): Wire {
  const { error } = modelRefusal(undecided(`\`${what}\` is not decided yet, so it is refused`));
  return { jsonrpc: "2.0", id, error: { code: REFUSED, message: error.message, data: error } };
}

function undecided(message: string, decisionId = "undecided"): Refused {
  return { kind: "deny", decisionId, refusal: { code: "tool_unmapped", message, retryable: false } };
}
