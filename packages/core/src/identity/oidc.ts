import { own } from "../data/json.ts";
import { quoted } from "../token/reason.ts";
import { audienceOf, pastTimeOf, readTimes, signerOf, textOf, type Jwt } from "./jwt.ts";
import type { KeySource } from "./key-source.ts";
import { proofRefused } from "./proof-refusal.ts";
import { idsOf, type IdSource, type IdSources, type ProofAnswer, type ProofDemand, type TenantSource } from "./proven-identity.ts";

/** An OpenID provider or OAuth authorization server whose tokens are taken as proof of who asks. */
export interface OidcIssuer {
  readonly kind: "oidc";
  /** `iss`, compared as text. */
  readonly issuer: string;
  /** What it is: an ID token (OpenID Connect Core), or an access token of the JWT profile (RFC 9068). One is never taken for the other. @defaultValue "id_token" */
  readonly token?: "id_token" | "access_token";
  /** What `aud` must name: the client of an ID token, this service for an access token. */
  readonly audience: string;
  readonly keys: KeySource;
  readonly tenant: TenantSource;
  /** @defaultValue `{ claim: "sub" }` */
  readonly delegator?: IdSource;
  /** @defaultValue the proof names no agent */
  readonly agent?: IdSource;
  /**
   * The clients that may have asked for the token: `azp` of an ID token, `client_id` of an access token.
   *
   * @defaultValue for ID tokens `audience` alone, for access tokens any client that the issuer serves
   */
  readonly clients?: readonly string[];
  /** @defaultValue RS256, PS256, ES256, ES384, Ed25519, EdDSA */
  readonly algorithms?: readonly string[];
  /** Seconds since `iat`. @defaultValue as long as the token is valid */
  readonly maxAge?: number;
}

export const OIDC_ALGORITHMS: readonly string[] = ["RS256", "PS256", "ES256", "ES384", "Ed25519", "EdDSA"];

/** As RFC 9068 section 4 and its own example write it. */
const ACCESS_TYPES = ["at+jwt", "at+JWT", "application/at+jwt", "application/at+JWT"];

/** Which of the two a token says it is; `undefined` for a JWT of any other type. */
export function tokenKindOf({ typ }: Jwt): "id_token" | "access_token" | undefined {
  if (typ === undefined || typ === "JWT") return "id_token";
  return ACCESS_TYPES.includes(typ) ? "access_token" : undefined;
}

/** Verifies a token whose `iss` and type are those of the entry. `now` in seconds. */
export async function verifyOidc(jwt: Jwt, issuer: OidcIssuer, sources: IdSources, demand: ProofDemand, now: number): Promise<ProofAnswer> {
  const signer = await signerOf(jwt, issuer.keys, issuer.algorithms ?? OIDC_ALGORITHMS);
  if ("verified" in signer) return signer;
  const times = readTimes(jwt, signer, now, issuer.maxAge);
  if ("verified" in times) return times;
  if (times.issuedAt === undefined) return proofRefused("proof_invalid", "the token does not say when it was issued");
  const audience = audienceOf(jwt);
  if (audience?.includes(issuer.audience) !== true) return proofRefused("audience_mismatch", "the token is for somebody else");
  const wrong = issuer.token === "access_token" ? whyNoAccessToken(jwt, issuer) : whyNoIdToken(jwt, issuer, audience);
  if (wrong !== undefined) return proofRefused("proof_invalid", wrong);
  if (demand.nonce !== undefined && textOf(jwt, "nonce") !== demand.nonce) {
    return proofRefused("proof_invalid", "the token was not issued for this demand: its `nonce` is another");
  }
  const authenticatedAt = pastTimeOf(jwt, "auth_time", now);
  if (authenticatedAt === null) return proofRefused("proof_invalid", "`auth_time` is no time, or in the future");
  const subject = textOf(jwt, "sub");
  if (subject === undefined) return proofRefused("proof_invalid", "`sub` is missing or no text");
  const ids = idsOf(jwt, sources);
  if ("verified" in ids) return ids;
  const { expiresAt, issuedAt } = times;
  return {
    verified: true,
    identity: Object.freeze({
      kind: "oidc",
      issuer: issuer.issuer,
      subject,
      ...ids,
      authenticatedAt: (authenticatedAt ?? issuedAt) * 1000,
      issuedAt: issuedAt * 1000,
      expiresAt: expiresAt * 1000,
      jti: textOf(jwt, "jti"),
      digest: jwt.digest,
      claims: jwt.payload.members,
    }),
  };
}

/** OpenID Connect Core section 3.1.3.7. */
function whyNoIdToken(jwt: Jwt, { audience, clients = [audience] }: OidcIssuer, audiences: readonly string[]): string | undefined {
  const { members } = jwt.payload;
  // Logout tokens and security events were typed `JWT` before they had types of their own.
  if (Object.hasOwn(members, "events")) return "the token tells of an event, not of who asks";
  const party = own(members, "azp");
  if (party === undefined) return audiences.length === 1 ? undefined : "the token is for several, and does not say for which client it was issued";
  return typeof party === "string" && clients.includes(party) ? undefined : "the token was issued for another client";
}

/** RFC 9068 section 2.2. */
function whyNoAccessToken(jwt: Jwt, { clients }: OidcIssuer): string | undefined {
  const [client, id] = [textOf(jwt, "client_id"), textOf(jwt, "jti")];
  if (client === undefined || id === undefined) return "an access token has `client_id` and `jti`";
  return clients === undefined || clients.includes(client) ? undefined : `the token was issued for client ${quoted(client)}`;
}
