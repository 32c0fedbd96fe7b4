import { AmbitError } from "../errors.ts";
import { quoted } from "../token/reason.ts";
import { fetchText } from "./fetch-text.ts";
import { readJwks, type JwksFormat } from "./jwks.ts";
import type { KeySource, ListedKey } from "./key-source.ts";

export interface RemoteJwksOptions {
  /** Where the issuer lists its keys. From configuration only: a token never says where its keys are. */
  readonly url: string;
  /** @defaultValue "jwks" */
  readonly format?: JwksFormat;
  /** Seconds after which the list is fetched again. @defaultValue 600 */
  readonly maxAge?: number;
  /** Seconds for which the last list still counts when it cannot be fetched again; after that, everything is denied. @defaultValue 3600 */
  readonly maxStale?: number;
  /** Seconds between two requests at least, whatever tokens ask for. @defaultValue 30 */
  readonly cooldown?: number;
  /** Seconds for one request, to the last byte. @defaultValue 5 */
  readonly timeout?: number;
  /** Bytes of the list. @defaultValue 262144 */
  readonly mostBytes?: number;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string;
  /** Whether `http:` to this very machine will do: for tests. @defaultValue false */
  readonly allowLoopback?: boolean;
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: () => number;
}

const NONE: readonly ListedKey[] = Object.freeze([]);
const LOOPBACK = ["127.0.0.1", "[::1]", "localhost"];

/**
 * The keys that an issuer lists over HTTPS. Nothing happens in the background: `ready` fetches when the list is old, and when a `kid` is asked for that it does not have.
 * jose's own remote set takes no clock, no limit of size and no end of staleness, and makes new key objects at each fetch; hence this one.
 *
 * Throws `option_invalid` for a URL that is not `https:`, or that has a user, a password or a fragment.
 */
export function remoteJwks(options: RemoteJwksOptions): KeySource {
  const { format = "jwks", maxAge = 600, maxStale = 3600, cooldown = 30, timeout = 5, mostBytes = 262_144, ca, now = Date.now } = options;
  const url = checkedUrl(options.url, options.allowLoopback === true);
  if (format !== "jwks" && format !== "spiffe-bundle") throw new AmbitError("option_invalid", "`format` must be `jwks` or `spiffe-bundle`");
  for (const [name, value, most] of [
    ["maxAge", maxAge, 86_400],
    ["maxStale", maxStale, 604_800],
    ["cooldown", cooldown, 3600],
    ["timeout", timeout, 60],
    ["mostBytes", mostBytes, 4_194_304],
  ] as const) {
    if (!(value > 0 && value <= most)) throw new AmbitError("option_invalid", `\`${name}\` must be above 0 and at most ${most}`);
  }
  if (maxStale < maxAge) throw new AmbitError("option_invalid", "`maxStale` must not be below `maxAge`");

  let listed = NONE;
  let fetchedAt = Number.NaN;
  let attemptedAt = Number.NaN;
  let problem = "nothing was fetched yet";
  let pending: Promise<void> | undefined;

  // A clock that was set back, or is none, makes nothing fresh: every comparison with NaN is false.
  const isWithin = (since: number, seconds: number): boolean => {
    const age = now() / 1000 - since;
    return age >= 0 && age < seconds;
  };
  const isFresh = (): boolean => isWithin(fetchedAt, maxAge);
  const isUsable = (): boolean => Math.abs(now() / 1000 - fetchedAt) < maxStale;

  const attempt = async (): Promise<void> => {
    const startedAt = now() / 1000;
    attemptedAt = startedAt;
    const answer = await fetchText({ url, timeout: timeout * 1000, mostBytes, ca });
    const read = "problem" in answer ? answer.problem : readJwks(answer.text, format, listed);
    if (typeof read === "string") {
      problem = read;
      return;
    }
    listed = read;
    fetchedAt = startedAt;
  };
  const refresh = (): Promise<void> => {
    pending ??= attempt().finally(() => (pending = undefined));
    return pending;
  };

  return Object.freeze({
    keys: () => (isUsable() ? listed : NONE),
    ready: async (unknownKid?: string) => {
      const isWanted = !isFresh() || (unknownKid !== undefined && listed.every(({ kid }) => kid !== unknownKid));
      // One request for all who wait, and none before the cooldown is over: tokens with made-up names cost the issuer nothing.
      if (isWanted && (pending !== undefined || !isWithin(attemptedAt, cooldown))) await refresh();
      // INVARIANT I8: keys that cannot be known verify nothing.
      if (!isUsable()) throw new AmbitError("state_unavailable", `the keys at ${quoted(url.origin + url.pathname)} cannot be known: ${problem}`);
    },
  });
}

function checkedUrl(text: string, allowLoopback: boolean): URL {
  const url = URL.parse(text);
  if (url === null) throw new AmbitError("option_invalid", "`url` is not a URL");
  const isAllowed = url.protocol === "https:" || (allowLoopback && url.protocol === "http:" && LOOPBACK.includes(url.hostname));
  if (!isAllowed) throw new AmbitError("option_invalid", "`url` must be an `https:` URL");
  if (url.username !== "" || url.password !== "" || url.hash !== "") throw new AmbitError("option_invalid", "`url` must have no user, password or fragment");
  return url;
}
