import { AmbitError, isJsonObject, type Json, type JsonObject } from "@ambit/core";

const LONGEST_ERROR = 2000;
/** Media types know no case (RFC 9110 section 8.3.1). */
const JSON_TYPE = /^application\/(?:[a-z0-9!#$&^_.+-]+\+)?json$/i;
const TEXT_TYPE = /^text\/(?!event-stream$)[a-z0-9!#$&^_.+-]+$/i;
const UTF_8 = /^"?(?:utf-8|us-ascii)"?$/i;

/**
 * The result of a call, in MCP's form. JSON is `structuredContent`, and the same as text; what is no object is the member `result` of one. Integers that no number holds come as text. A status of 4xx
 * says that the call failed, with the beginning of the body. So does any other answer that cannot be shown, but for a request that may have changed something: that one is rejected with
 * (`upstream_unavailable`), because nobody knows whether it did, and what it spent must stay spent.
 */
export async function toResult(response: Response, isSafe: boolean): Promise<JsonObject> {
  const { status } = response;
  const kind = kindOf(response.headers.get("content-type"));
  if (status >= 400 && (status < 500 || isSafe)) {
    const said = kind === undefined ? "" : await beginning(response);
    return failed(`The API answered ${status}.${said === "" ? "" : `\n\n${said}`}`);
  }
  if (status >= 200 && status < 300) {
    if (kind !== undefined || response.body === null) {
      const text = await response.text();
      const shown = text === "" ? textResult(`The API answered ${status}.`) : kind === "json" ? structured(text) : textResult(text);
      if (shown !== undefined) return shown;
    }
  }
  if (!response.bodyUsed) await response.body?.cancel();
  const what = `The API answered ${status}${status >= 300 ? "" : " with what is neither JSON nor text"}`;
  if (!isSafe) throw new AmbitError("upstream_unavailable", `${what}; whether the call took effect is not known`);
  return failed(`${what}, which is not passed on.`);
}

/** A call that failed, in words for a model. */
export function failed(text: string): JsonObject {
  return { isError: true, content: [{ type: "text", text }] };
}

function kindOf(contentType: string | null): "json" | "text" | undefined {
  const [type = "", ...parameters] = (contentType ?? "").split(";").map((piece) => piece.trim());
  const charset = parameters.find((parameter) => /^charset=/i.test(parameter));
  if (charset !== undefined && !UTF_8.test(charset.slice("charset=".length))) return undefined;
  return JSON_TYPE.test(type) ? "json" : TEXT_TYPE.test(type) ? "text" : undefined;
}

function structured(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text, exactly as never) as Json;
    const content = isJsonObject(value) ? value : { result: value };
    return { structuredContent: content, content: [{ type: "text", text: JSON.stringify(content) }] };
  } catch {
    return undefined;
  }
}

/** A reviver that keeps the digits of what would become another integer. */
function exactly(_: string, value: unknown, { source }: { readonly source?: string } = {}): unknown {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value;
}

function textResult(text: string): JsonObject {
  return { content: [{ type: "text", text }] };
}

/** As much of a body as an error shows; the rest is not read. */
async function beginning(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length >= LONGEST_ERROR) break;
  }
  return text.slice(0, LONGEST_ERROR).toWellFormed();
}
