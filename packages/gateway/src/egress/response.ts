import { limitedBody } from "./body.ts";
import { refused } from "./failure.ts";
import type { Patience } from "./patience.ts";
import type { Answer } from "./redirect.ts";

export interface Limits {
  readonly mostBytes: number;
  readonly idle: number;
  readonly total: number;
}

/** A cookie is a credential that nobody leased; the others speak of bytes that are decoded by now. */
const DROPPED = new Set(["set-cookie", "set-cookie2", "content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"]);
/** Fetch Standard, "null body status". */
const WITHOUT_BODY = new Set([204, 205, 304]);
/** Media types know no case (RFC 9110 section 8.3.1). */
const EVENT_STREAM = /^text\/event-stream[ \t]*(?:;|$)/i;

/** The answer as `fetch` gives it. The reason phrase is left out: it is the server's own words, and nothing needs it. */
export function toResponse({ statusCode, headers, body }: Answer, method: string, { mostBytes, idle, total }: Limits, patience: Patience): Response {
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (!DROPPED.has(name)) for (const each of [value ?? []].flat()) kept.append(name, each);
  }
  const init = { status: statusCode, headers: kept };
  if (method === "HEAD" || WITHOUT_BODY.has(statusCode)) {
    body.resume();
    patience.end();
    return new Response(null, init);
  }
  if (Number(headers["content-length"] ?? 0) > mostBytes) throw refused(`the answer is larger than ${mostBytes} bytes`);
  const isStream = EVENT_STREAM.test(kept.get("content-type") ?? "");
  const coding = [headers["content-encoding"] ?? []].flat().join();
  const limits = { body, mostBytes, patience, coding: coding === "" || coding === "identity" ? undefined : coding };
  const response = new Response(limitedBody({ ...limits, idle: isStream ? idle : undefined }), init);
  if (isStream) {
    patience.end();
    patience.within(total, "the stream has lasted as long as one may");
  }
  return response;
}
