import type { RouteAnswer } from "./route.ts";

/** An answer as it is sent, whatever sends it. */
export interface WrittenAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** `null`: there is none. */
  readonly body: string | null;
}

/** Answers are for whoever asked, at the moment they asked. */
const COMMON = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Where a body ends is said by who sends it. */
const FRAMING: readonly string[] = ["content-length", "transfer-encoding"];
/** RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5: what has no body. */
const WITHOUT_BODY: readonly number[] = [204, 205, 304];

/** What a route answered, as it is sent. Throws (`TypeError`) for what nothing can send: a route of somebody else's may answer anything. */
export function writeAnswer({ status = 200, json, text, headers }: RouteAnswer, requestId: string): WrittenAnswer {
  const written = json === undefined ? text : { type: "application/json", body: JSON.stringify(json) };
  const body = written?.body ?? null;
  if (!(Number.isInteger(status) && status >= 200 && status <= 599)) throw new TypeError("an answer has a status from 200 to 599");
  if (body !== null && (typeof body !== "string" || WITHOUT_BODY.includes(status)))
    throw new TypeError(`an answer with the status ${status} cannot have this body`);
  const type = written === undefined ? {} : { "content-type": json === undefined ? sendable(written.type) : written.type };
  return { status, headers: { ...(headers === undefined ? {} : named(headers)), ...COMMON, "x-request-id": requestId, ...type }, body };
}

/** By names in lower case, so that none is there twice. */
function named(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      // oxlint-disable-next-line ambit/no-name-folding -- the name of a header, which knows no case (RFC 9110 section 5.1)
      const known = name.toLowerCase();
      if (!NAME.test(name) || FRAMING.includes(known)) throw new TypeError("an answer cannot have this header");
      return [known, sendable(value)];
    }),
  );
}

function sendable(value: unknown): string {
  if (typeof value !== "string" || !VALUE.test(value)) throw new TypeError("a header of the answer cannot be sent");
  return value;
}

/** The same for a server that takes what `fetch` gives. */
export function toResponse({ status, headers, body }: WrittenAnswer): Response {
  return new Response(body, { status, headers });
}
