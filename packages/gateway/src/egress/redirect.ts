import type { Dispatcher } from "undici";
import { refused } from "./failure.ts";
import type { ReadTarget } from "./target.ts";

export type Answer = Dispatcher.ResponseData;

/** A request as it goes out. */
export interface Message {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** What goes along to another origin. A list of what stays behind would forget the header in which the next connector has its credential. */
const CARRIED = new Set(["accept", "accept-language"]);

/** True for an answer that sends elsewhere (Fetch Standard, "redirect status"), with an address. */
export function isRedirect({ statusCode, headers }: Answer): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined;
}

/** The request that follows from a redirect (Fetch Standard, "HTTP-redirect fetch"). Refuses addresses off the allow-list, and anything but GET and HEAD to another origin. */
export function carriedOn({ url, method, headers, body }: Message, answer: Answer, readTarget: ReadTarget): Message {
  const { location } = answer.headers;
  if (typeof location !== "string") throw refused("the answer redirects to more than one address");
  const target = readTarget(location, url);
  const becomesGet = answer.statusCode === 303 ? method !== "HEAD" : method === "POST" && answer.statusCode < 303;
  const next = becomesGet ? { method: "GET", headers: without(headers, /^content-/), body: undefined } : { method, headers, body };
  if (target.origin === url.origin) return { url: target, ...next };
  if (next.method !== "GET" && next.method !== "HEAD") throw refused("the answer redirects what is no GET to another origin");
  return { url: target, ...next, headers: Object.fromEntries(Object.entries(next.headers).filter(([name]) => CARRIED.has(name))) };
}

function without(headers: Message["headers"], names: RegExp): Message["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.test(name)));
}
