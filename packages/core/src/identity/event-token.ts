import { AmbitError } from "../errors.ts";
import type { JsonObject } from "../data/json.ts";
import { quoted } from "../token/reason.ts";
import { readJwt, signerOf, textOf } from "./jwt.ts";
import type { KeySource, ListedKey } from "./key-source.ts";
import { OIDC_ALGORITHMS } from "./oidc.ts";

/** Whose security event tokens are taken. */
export interface EventIssuer {
  /** `iss`, compared as text. */
  readonly issuer: string;
  readonly keys: KeySource;
  /** @defaultValue RS256, PS256, ES256, ES384, Ed25519, EdDSA */
  readonly algorithms?: readonly string[];
}

/** Why a token was not taken, in the words of RFC 8935 section 2.4; `unavailable` when it cannot be told now. */
export type EventTokenProblem = "invalid_request" | "invalid_issuer" | "invalid_key" | "unavailable";

export type EventTokenAnswer =
  | { readonly verified: true; readonly issuer: string; readonly payload: JsonObject }
  | { readonly verified: false; readonly problem: EventTokenProblem; readonly reason: string };

export interface EventVerifier {
  /** Whose tokens are taken. */
  readonly issuers: readonly string[];
  /** What an issuer that is configured has signed as a security event token; never rejects. Whom it is for and what it says is for the reader of its payload. */
  readonly verify: (token: string) => Promise<EventTokenAnswer>;
}

/** RFC 8417 section 2.3, and the same as RFC 7515 writes media types out. A JWT of another type is none, whoever signed it: an ID token is no event. */
const TYPES = ["secevent+jwt", "application/secevent+jwt"];

/** What checks security event tokens (RFC 8417). Throws `option_invalid` for no issuer, two entries of one, and algorithms that anybody could sign with. */
export function createEventVerifier({ issuers }: { readonly issuers: readonly EventIssuer[] }): EventVerifier {
  if (issuers.length === 0) throw new AmbitError("option_invalid", "`issuers` must list those whose events are taken");
  const entries = new Map<string, EventIssuer>();
  for (const entry of issuers) {
    const { issuer, algorithms } = entry;
    if (typeof issuer !== "string" || issuer === "") throw new AmbitError("option_invalid", "`issuer` must be the `iss` of its tokens");
    if (entries.has(issuer)) throw new AmbitError("option_invalid", `two entries for ${quoted(issuer)}`);
    if (algorithms !== undefined && (algorithms.length === 0 || !algorithms.every((algorithm) => OIDC_ALGORITHMS.includes(algorithm))))
      throw new AmbitError("option_invalid", `\`algorithms\` must be some of ${OIDC_ALGORITHMS.join(", ")}`);
    entries.set(issuer, entry);
  }

  return Object.freeze<EventVerifier>({
    issuers: Object.freeze([...entries.keys()]),
    verify: async (token) => {
      const jwt = readJwt(token);
      if (typeof jwt === "string") return refused("invalid_request", jwt);
      if (jwt.typ === undefined || !TYPES.includes(jwt.typ)) return refused("invalid_request", "the token is not typed `secevent+jwt`");
      const entry = entries.get(textOf(jwt, "iss") ?? "");
      if (entry === undefined) return refused("invalid_issuer", "the token is of an issuer that is not configured");
      const signer = await signerOf(jwt, entry.keys, entry.algorithms ?? OIDC_ALGORITHMS);
      if ("verified" in signer) return refused(signer.refusal.code === "state_unavailable" ? "unavailable" : "invalid_key", signer.refusal.reason.text);
      if (!isInTime(signer, jwt.payload.integer("iat"))) return refused("invalid_key", "the key did not sign for its issuer when the token was issued");
      return { verified: true, issuer: entry.issuer, payload: jwt.payload.members };
    },
  });
}

function isInTime({ notBefore, notAfter }: ListedKey, issuedAt: number | undefined): boolean {
  if (notBefore === undefined && notAfter === undefined) return true;
  return issuedAt !== undefined && (notBefore === undefined || issuedAt >= notBefore) && (notAfter === undefined || issuedAt <= notAfter);
}

function refused(problem: EventTokenProblem, reason: string): EventTokenAnswer {
  return { verified: false, problem, reason };
}
