import { canonicalJson, type Json, type JsonObject } from "@ambit/core";
import type { TokenEndpointResponse } from "oauth4webapi";

export interface Wanted {
  readonly scopes: readonly string[];
  /** RFC 9396: the one action. */
  readonly details: readonly JsonObject[] | undefined;
  /** Milliseconds since the epoch after which the action must not begin. */
  readonly until: number;
}

/** What a token allows beyond the action, as far as the answer of the authorization server tells; `undefined` where it allows nothing else. */
export function excessOf(answer: TokenEndpointResponse, { scopes, details, until }: Wanted, canRevoke: boolean, now: number): string | undefined {
  const { scope, expires_in: seconds, authorization_details: granted } = answer;
  // RFC 6749 section 5.1: without a word of it the scopes are those that were asked for.
  const beyond = (scope ?? "").split(" ").some((given) => given !== "" && !scopes.includes(given));
  // RFC 9396 section 7: what is not in the answer was not taken up.
  const isOne = details !== undefined && granted !== undefined && canonicalJson(granted as unknown as Json) === canonicalJson(details as Json);
  const ends = canRevoke || (seconds !== undefined && now + seconds * 1000 <= until);
  const excess = [
    ...(isOne ? [] : ["the token is good for every call within its scopes"]),
    ...(beyond ? ["it has scopes that were not asked for"] : []),
    ...(ends ? [] : ["it outlives the action"]),
  ];
  return excess.length === 0 ? undefined : excess.join("; ");
}
