import { hash } from "node:crypto";
import { isIPv6 } from "node:net";
import { AmbitError, isJsonObject, own, type Json } from "@ambit/core";
import type { Authenticate, Connection } from "./callers.ts";
import { problemOf, requestProblem } from "./problem.ts";

export interface FailedAttemptsOptions {
  /** Failures from one address under one claimed identity before it has to wait; ten times as many from one address in all. @defaultValue 10 */
  readonly most?: number | undefined;
  /** Seconds, from the first failure on, in which they are counted, and after which all is forgotten. @defaultValue 60 */
  readonly seconds?: number | undefined;
}

/** What was seen of one address. */
interface Attempts {
  /** When it is forgotten. */
  readonly until: number;
  /** Of whoever showed something. */
  shown: number;
  readonly byClaim: Map<string, number>;
}

const MOST_ADDRESSES = 10_000;
const MOST_CLAIMS = 16;
const IN_ALL = 10;

/**
 * Lets whoever fails to authenticate wait (`too_many_requests`): they are not looked at any more, whatever they show and whether anybody goes by what they claim, so that the answer tells nothing.
 * Others at the same address go on until it fails in all ten times as often, others at other addresses in any case. Where the address is not known nobody is stopped: it would be everybody.
 * `now`: milliseconds of a clock that only goes forward.
 */
export function limitFailedAttempts(authenticate: Authenticate, { most = 10, seconds = 60 }: FailedAttemptsOptions, now: () => number): Authenticate {
  for (const [name, value] of Object.entries({ most, seconds }))
    if (!(Number.isSafeInteger(value) && value > 0))
      throw new AmbitError("option_invalid", `\`${name}\` of failed attempts must be a whole number of at least 1`);
  const networks = new Map<string, Attempts>();

  /** What is known of an address and still counts. */
  const attemptsOf = (network: string): Attempts | undefined => {
    const attempts = networks.get(network);
    if (attempts === undefined || attempts.until > now()) return attempts;
    networks.delete(network);
    return undefined;
  };
  const check = (network: string | undefined, headers: Headers): void => {
    const attempts = network === undefined ? undefined : attemptsOf(network);
    if (attempts === undefined) return;
    const isOver = attempts.shown >= most * IN_ALL || (attempts.byClaim.get(claimOf(headers)) ?? 0) >= most;
    if (!isOver) return;
    const wait = String(Math.max(1, Math.ceil((attempts.until - now()) / 1000)));
    throw requestProblem("too_many_requests", "too many attempts failed; wait", { "retry-after": wait });
  };
  const note = (network: string | undefined, headers: Headers): void => {
    if (network === undefined) return;
    let attempts = attemptsOf(network);
    if (attempts === undefined) {
      if (networks.size >= MOST_ADDRESSES) networks.delete(networks.keys().next().value as string);
      networks.set(network, (attempts = { until: now() + seconds * 1000, shown: 0, byClaim: new Map() }));
    }
    const claim = claimOf(headers);
    if (headers.has("authorization") || headers.has("dpop")) attempts.shown++;
    if (attempts.byClaim.has(claim) || attempts.byClaim.size < MOST_CLAIMS) attempts.byClaim.set(claim, (attempts.byClaim.get(claim) ?? 0) + 1);
  };

  return async (headers, connection, asked) => {
    if (networks.size > 0) check(networkOf(connection), headers);
    try {
      return await authenticate(headers, connection, asked);
    } catch (error) {
      if (problemOf(error).code === "unauthenticated") note(networkOf(connection), headers);
      throw error;
    }
  };
}

/** The address; of IPv6 the network of 64 bits, all of which one host can have. */
function networkOf({ address }: Connection): string | undefined {
  if (address === undefined || !isIPv6(address)) return address;
  // An IPv4 address as a socket of both kinds shows it.
  if (address.includes(".")) return address.slice(address.lastIndexOf(":") + 1);
  const [head = "", tail] = address.split("%", 1)[0]?.split("::") ?? [];
  const [first, last] = [head, tail].map((part) => (part === undefined || part === "" ? [] : part.split(":"))) as [string[], string[]];
  const zeros = tail === undefined ? [] : Array<string>(8 - first.length - last.length).fill("0");
  return [...first, ...zeros, ...last]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

/** Who somebody says to be: issuer and subject of a JWT, of which nothing is verified; else the very thing that they show. */
function claimOf(headers: Headers): string {
  const shown = headers.get("authorization") ?? headers.get("dpop") ?? "";
  const payload = /^bearer +[\w-]+\.([\w-]+)\.[\w-]*$/i.exec(shown)?.[1];
  return hash("sha256", (payload === undefined ? undefined : identityIn(payload)) ?? shown, "base64url");
}

function identityIn(payload: string): string | undefined {
  try {
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Json;
    if (!isJsonObject(claims)) return undefined;
    const [issuer, subject] = [own(claims, "iss"), own(claims, "sub")];
    return typeof issuer === "string" && typeof subject === "string" ? JSON.stringify([issuer, subject]) : undefined;
  } catch {
    return undefined; // no JWT after all
  }
}
