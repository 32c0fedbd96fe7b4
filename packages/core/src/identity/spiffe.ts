import { audienceOf, readTimes, signerOf, textOf, type Jwt } from "./jwt.ts";
import type { KeySource } from "./key-source.ts";
import { proofRefused } from "./proof-refusal.ts";
import { idsOf, type IdSource, type IdSources, type ProofAnswer, type ProofDemand, type TenantSource } from "./proven-identity.ts";

/** A SPIFFE trust domain whose JWT-SVIDs are taken as proof of which workload asks. */
export interface SpiffeIssuer {
  readonly kind: "spiffe";
  readonly trustDomain: string;
  /** What `aud` must be, alone: whoever else is in it could present the same SVID here (JWT-SVID section 7.2). */
  readonly audience: string;
  /** The bundle of the trust domain: `remoteJwks({ url, format: "spiffe-bundle" })`. */
  readonly keys: KeySource;
  readonly tenant: TenantSource;
  /** @defaultValue the SPIFFE ID: the workload asks on its own behalf */
  readonly delegator?: IdSource;
  /** @defaultValue the SPIFFE ID */
  readonly agent?: IdSource;
  /** @defaultValue all that JWT-SVID section 2.1 allows */
  readonly algorithms?: readonly string[];
  /** Seconds since `iat`, which SVIDs need not have; with `maxAge` they must. @defaultValue as long as the SVID is valid */
  readonly maxAge?: number;
}

export const SPIFFE_ALGORITHMS: readonly string[] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

/** Verifies an SVID whose `sub` is a workload of the entry's trust domain. `now` in seconds. */
export async function verifySvid(jwt: Jwt, issuer: SpiffeIssuer, sources: IdSources, demand: ProofDemand, now: number): Promise<ProofAnswer> {
  const { trustDomain } = issuer;
  // JWT-SVID section 2: no other header may be there, and 2.3.
  const other = Object.keys(jwt.header).find((member) => member !== "alg" && member !== "kid" && member !== "typ");
  if (other !== undefined) return proofRefused("proof_invalid", "the header of an SVID has `alg`, `kid` and `typ` only");
  if (jwt.typ !== undefined && jwt.typ !== "JWT" && jwt.typ !== "JOSE") return proofRefused("proof_invalid", "`typ` of an SVID is `JWT` or `JOSE`");
  const signer = await signerOf(jwt, issuer.keys, issuer.algorithms ?? SPIFFE_ALGORITHMS);
  if ("verified" in signer) return signer;
  const times = readTimes(jwt, signer, now, issuer.maxAge);
  if ("verified" in times) return times;
  const audience = audienceOf(jwt);
  if (audience?.length !== 1 || audience[0] !== issuer.audience)
    return proofRefused("audience_mismatch", "the SVID is for somebody else, or for others as well");
  if (demand.nonce !== undefined) return proofRefused("proof_invalid", "an SVID has no `nonce`");
  const ids = idsOf(jwt, sources, trustDomain);
  if ("verified" in ids) return ids;
  const { expiresAt } = times;
  const issuedAt = times.issuedAt === undefined ? undefined : times.issuedAt * 1000;
  return {
    verified: true,
    identity: Object.freeze({
      kind: "spiffe",
      issuer: trustDomain,
      subject: textOf(jwt, "sub") ?? "",
      ...ids,
      authenticatedAt: issuedAt,
      issuedAt,
      expiresAt: expiresAt * 1000,
      jti: textOf(jwt, "jti"),
      digest: jwt.digest,
      claims: jwt.payload.members,
    }),
  };
}
