import { readMessage } from "@ambit/core/pdp-client";
import type { Deadline } from "./deadline.ts";
import type { BodyKind, RouteCall } from "./route.ts";
import { requestProblem } from "./problem.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Exact but for the case, which media types do not know (RFC 9110 section 8.3.1), and the one character set that JSON has. */
const TYPES = {
  json: ["application/json", /^application\/json[ \t]*(?:;[ \t]*charset=utf-8[ \t]*)?$/i],
  form: ["application/x-www-form-urlencoded", /^application\/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset=utf-8[ \t]*)?$/i],
  "secevent+jwt": ["application/secevent+jwt", /^application\/secevent\+jwt$/i],
} as const;

/** A body as it is handed on; what a route does not take is absent. */
export type ReadBody = Pick<RouteCall, "json" | "form" | "token">;

export const NO_BODY: ReadBody = Object.freeze({ json: undefined, form: undefined, token: undefined });

/**
 * The body of a request, which may be anything. Throws `media_type_unsupported`, `request_too_large` (before the rest is read) and `request_malformed`. What does
 * not come is waited for until the deadline.
 */
export async function readBody(request: Request, kind: BodyKind, mostBytes: number, deadline: Deadline): Promise<ReadBody> {
  const [expected, type] = TYPES[kind];
  if (!type.test(request.headers.get("content-type") ?? "")) {
    throw requestProblem("media_type_unsupported", `the body must be ${expected} in UTF-8`, { "accept-post": expected });
  }
  if ((request.headers.get("content-encoding") ?? "identity") !== "identity") throw requestProblem("media_type_unsupported", "the body must not be compressed");
  const text = decode(await deadline.reading(() => bytesOf(request, mostBytes, deadline)));
  if (kind === "form") return { ...NO_BODY, form: readForm(text) };
  if (kind === "secevent+jwt") return { ...NO_BODY, token: text };
  const read = readMessage(text);
  if ("problem" in read) throw requestProblem("request_malformed", `the body ${read.problem}`);
  return { ...NO_BODY, json: read.json };
}

async function bytesOf(request: Request, mostBytes: number, deadline: Deadline): Promise<Uint8Array> {
  const tooLarge = (): Error => requestProblem("request_too_large", `the body is larger than ${mostBytes} bytes`, { connection: "close" });
  const length = request.headers.get("content-length");
  if (length !== null && !(Number(length) <= mostBytes)) throw tooLarge();
  // Whoever said how long it is cannot send more: the parser of HTTP sees to that.
  if (length !== null) return new Uint8Array(await whole(request.arrayBuffer()));
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = request.body?.getReader();
  if (reader === undefined) return new Uint8Array();
  for (;;) {
    const { done, value } = (await whole(reader.read())) as { readonly done: boolean; readonly value?: Uint8Array };
    if (done || value === undefined) return Buffer.concat(chunks);
    bytes += value.length;
    if (bytes > mostBytes || deadline.isOver()) {
      void reader.cancel().catch(() => undefined);
      throw tooLarge(); // unheard where the time is over
    }
    chunks.push(value);
  }
}

async function whole<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch {
    throw requestProblem("request_malformed", "the body broke off", { connection: "close" });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw requestProblem("request_malformed", "the body is not UTF-8");
  }
}

/** RFC 6749 section 3.2: no parameter more than once. */
function readForm(text: string): URLSearchParams {
  const form = new URLSearchParams(text);
  const names = [...form.keys()];
  if (names.length > 64) throw requestProblem("request_malformed", "the form has more than 64 parameters");
  if (new Set(names).size !== names.length) throw requestProblem("request_malformed", "a parameter occurs twice");
  return form;
}
