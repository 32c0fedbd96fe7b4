import type { Json } from "@ambit/core";
import { readMessage as readJson } from "@ambit/core/pdp-client";
import { readMessage, type Message } from "@ambit/mcp/messages";
import { bytesOf } from "./bytes.ts";

export interface DoorOptions {
  /** Values of `Host` that are ours, exact: `gateway.example:8443`. Any other is refused, against DNS rebinding. */
  readonly hosts: readonly string[];
  /** Values of `Origin` of further pages that may ask, exact. Those of our own hosts may, and requests of no page have none. @defaultValue none */
  readonly origins?: readonly string[] | undefined;
  /** Bytes of a request body. @defaultValue 1,048,576 */
  readonly mostBytes?: number | undefined;
}

/** What came in by a request, read once and strictly; what is passed on is made of this, and never of the bytes that came in. */
export type Entered = { readonly refused: Response } | { readonly refused?: undefined; readonly message: Message | undefined };

/** Exact but for the case, which media types do not know (RFC 9110 section 8.3.1), and the one character set that JSON has. */
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const [PARSE_ERROR, INVALID_REQUEST, HEADER_MISMATCH] = [-32700, -32600, -32020];
const DEFAULT_BYTES = 1_048_576;

/**
 * The first look at a request to the MCP endpoint. Refuses foreign hosts and origins (403), anything in the query, where tokens leak (400), other media types, character sets and
 * codings (415), too much of it (413), what two readers could read as two things (400): a member twice, NUL, a number that is not exact, a batch, members that JSON-RPC 2.0 does not have, and
 * headers that say something else than the body (-32020, SEP-2243).
 */
export async function enter(request: Request, { hosts, origins = [], mostBytes = DEFAULT_BYTES }: DoorOptions): Promise<Entered> {
  const { headers } = request;
  const origin = headers.get("origin");
  const host = headers.get("host") ?? "";
  if (!hosts.includes(host)) return refuse(403, INVALID_REQUEST, "the request is for another host");
  if (origin !== null && ![`https://${host}`, `http://${host}`, ...origins].includes(origin))
    return refuse(403, INVALID_REQUEST, "pages of this origin may not ask");
  if (new URL(request.url).search !== "") return refuse(400, INVALID_REQUEST, "nothing may be asked in the query");
  if (request.method !== "POST") return { message: undefined };
  if (!JSON_TYPE.test(headers.get("content-type") ?? "")) return refuse(415, INVALID_REQUEST, "the body must be application/json in UTF-8");
  if ((headers.get("content-encoding") ?? "identity") !== "identity") return refuse(415, INVALID_REQUEST, "the body must not be compressed");

  const bytes = await bytesOf(request, mostBytes);
  if (bytes === "too large") return refuse(413, INVALID_REQUEST, `the body is larger than ${mostBytes} bytes`);
  const json = bytes === "broken off" ? undefined : parse(bytes);
  if (json === undefined) return refuse(400, PARSE_ERROR, "the body is not JSON that can be read in one way only");
  const message = readMessage(json.value);
  if (message === undefined) return refuse(400, INVALID_REQUEST, "the body is not one JSON-RPC 2.0 message");
  const mismatch = mismatchOf(headers, message);
  return mismatch === undefined ? { message } : refuse(400, HEADER_MISMATCH, mismatch);
}

function parse(bytes: Uint8Array): { readonly value: Json } | undefined {
  try {
    const read = readJson(UTF8.decode(bytes));
    return "problem" in read ? undefined : { value: read.json };
  } catch {
    return undefined; // not UTF-8
  }
}

/** Whoever stands before us may have decided by the header. What else headers say of a body, the SDK compares where it means something. */
function mismatchOf(headers: Headers, message: Message): string | undefined {
  const named = headers.get("mcp-method");
  if (named === null || ("method" in message && named === message.method)) return undefined;
  return "`Mcp-Method` is not the method of the body";
}

function refuse(status: number, code: number, message: string): Entered {
  const body = JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } });
  // What is left of a body that is too large nobody reads.
  const close = status === 413 ? { connection: "close" } : {};
  return { refused: new Response(body, { status, headers: { "content-type": "application/json", "cache-control": "no-store", ...close } }) };
}
