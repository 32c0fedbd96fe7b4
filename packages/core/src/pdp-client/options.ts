import { AmbitError } from "../errors.ts";
import { signDpop } from "../token/dpop.ts";
import type { SigningKey } from "../token/key.ts";
import { addressOf, type Question } from "./exchange.ts";

/** What the service knows this client by. */
export type Credentials =
  | {
      readonly kind: "bearer";
      /** A secret of the service's configuration, or a token; a function is asked for each question, so that a token can be renewed. */
      readonly token: string | (() => string | Promise<string>);
    }
  | { readonly kind: "dpop"; /** Signs a proof for each attempt (RFC 9449); the service knows its thumbprint. */ readonly key: SigningKey }
  | { readonly kind: "certificate"; /** PEM. */ readonly cert: string; /** PEM. */ readonly key: string };

export interface PdpClientOptions {
  readonly credentials: Credentials;
  /** Milliseconds for one question with all its attempts; past it the answer is a deny. @defaultValue 250 */
  readonly deadline?: number | undefined;
  /** Attempts after the first, within the deadline, where asking twice changes nothing. @defaultValue 2 */
  readonly retries?: number | undefined;
  /** When a failing service is left alone. @defaultValue after 5 failures in a row, for 1000 ms */
  readonly breaker?: { readonly failures: number; readonly pause: number } | undefined;
  /** Milliseconds after which the terms are asked for again. @defaultValue 60,000 */
  readonly termsLifetime?: number | undefined;
  /** Bytes of an answer. @defaultValue 1,048,576 */
  readonly mostBytes?: number | undefined;
  /** Connections at the same time. @defaultValue 64 */
  readonly connections?: number | undefined;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string | undefined;
  /** Whether `http:` to this very machine will do: for tests. @defaultValue false */
  readonly allowLoopback?: boolean | undefined;
  /** Hears of every failure, with its code; the enforcement point only hears that there is no decision. */
  readonly onProblem?: ((error: AmbitError) => void) | undefined;
  /** The clock, in milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: (() => number) | undefined;
}

const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

/** The URL without a slash at its end. Throws `option_invalid` for one that is not `https:`, or that has a user, a password, a query or a fragment. */
export function checkedUrl(text: string, allowLoopback: boolean): URL {
  const url = URL.parse(text);
  if (url === null) throw new AmbitError("option_invalid", "`url` is not a URL");
  const isAllowed = url.protocol === "https:" || (allowLoopback && url.protocol === "http:" && LOOPBACK.includes(url.hostname));
  if (!isAllowed) throw new AmbitError("option_invalid", "`url` must be an `https:` URL; `allowLoopback` is for tests on one machine");
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw new AmbitError("option_invalid", "`url` must have no user, password, query or fragment");
  return url;
}

/** Throws `option_invalid` for what is not a whole number within the bounds. */
export function whole(value: number, name: string, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new AmbitError("option_invalid", `\`${name}\` must be a whole number from ${least} to ${most}`);
}

/** RFC 6750 section 2.1. */
const BEARER = /^[A-Za-z0-9\-._~+/]+=*$/;

/** The headers by which the service knows who asks. */
export type Authorize = (question: Pick<Question, "method" | "path">) => Promise<Readonly<Record<string, string>>>;

/** The headers of a question. Throws `option_invalid` for a token that no header can carry; it is quoted nowhere. */
export function authorizer(credentials: Credentials, url: URL, now: () => number): Authorize {
  if (credentials?.kind === "certificate") return async () => ({});
  if (credentials?.kind === "dpop") {
    const { key } = credentials;
    return async ({ method, path }) => ({ dpop: await signDpop({ method, url: addressOf(url, path).href, now: now() }, key) });
  }
  if (credentials?.kind !== "bearer") throw new AmbitError("option_invalid", "`credentials` must be a bearer token, a key or a certificate");
  const { token } = credentials;
  const header = (text: unknown): Readonly<Record<string, string>> => {
    if (typeof text !== "string" || !BEARER.test(text)) throw new AmbitError("option_invalid", "`credentials.token` is not a token that a header can carry");
    return { authorization: `Bearer ${text}` };
  };
  if (typeof token === "function") return async () => header(await token());
  const fixed = header(token);
  return async () => fixed;
}
