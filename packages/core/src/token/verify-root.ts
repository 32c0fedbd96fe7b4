import { admitsTime, candidates, type TrustAnchor } from "./anchors.ts";
import { readClaims, type ClaimProblem, type TokenClaims } from "./claims.ts";
import { readCompact, readPayload, type CompactJws } from "./compact.ts";
import { sha256, verifySignature, type Algorithm, type PublicKey } from "./crypto.ts";
import type { TokenLimits } from "./limits.ts";
import { quoted, refused, type Refused } from "./reason.ts";

/** A token of a chain that has been verified up to it. */
export interface VerifiedToken {
  readonly text: string;
  /** SHA-256 of its signing input: what `par_hash` and `aat_hash` name it by. */
  readonly hash: string;
  readonly claims: TokenClaims;
}

export interface ChainOptions<A extends TrustAnchor> {
  readonly anchors: readonly A[];
  readonly algorithms: readonly Algorithm[];
  readonly limits: TokenLimits;
  /** Seconds since the epoch. */
  readonly now: number;
}

const STEPS: Readonly<Record<ClaimProblem["claim"], string>> = {
  iat: "3b",
  exp: "3b",
  del_depth: "3c",
  par_hash: "3d",
  del_max_depth: "3i",
  jti: "3j",
  iss: "3k",
  cnf: "3l",
  authorization_details: "3m",
  tools: "3m",
  constraint: "3n",
  aud: "6c",
};

/** Step 3 of draft section 8. Nothing of the payload is read before an anchor's signature over it has verified. */
export async function verifyRoot<A extends TrustAnchor>(
  text: string,
  options: ChainOptions<A>,
): Promise<Refused | { readonly verified: true; readonly token: VerifiedToken; readonly anchor: A }> {
  const { anchors, algorithms, limits, now } = options;
  const jws = readCompact(text, "aat+jwt", limits.tokenBytes);
  if (typeof jws === "string") return refused("envelope_malformed", "3a", 0, jws);
  const possible = algorithms.some((algorithm) => algorithm === jws.header.alg) ? candidates(anchors, jws.header) : [];
  if (possible.length === 0) return refused("envelope_signature_invalid", "3a", 0, `no trust anchor fits \`alg\` ${quoted(jws.header.alg)} and the \`kid\``);

  const signer = await signerAmong(possible, jws);
  if (signer === undefined) return refused("envelope_signature_invalid", "3b", 0, "no trust anchor has signed the root");

  const payload = readPayload(jws.payload);
  if (typeof payload === "string") return refused("envelope_malformed", "3b", 0, payload);
  const claims = readClaims(payload, limits);
  if ("claim" in claims) return refused("envelope_malformed", STEPS[claims.claim], 0, claims.reason);

  const { issuer, issuedAt, expiresAt, depth, maxDepth, parentHash, tools } = claims;
  if (depth !== 0) return refused("chain_broken", "3c", 0, "the first token is no root: its `del_depth` is not 0");
  if (parentHash !== undefined) return refused("chain_broken", "3d", 0, "the root has a `par_hash`");
  if (!(expiresAt > now)) return refused("envelope_expired", "3e", 0, "the root has expired");
  if (!(issuedAt <= now + limits.issuedAtSkew)) return refused("envelope_not_yet_valid", "3f", 0, "the root is from the future");
  if (!(expiresAt > issuedAt)) return refused("envelope_malformed", "3g", 0, "the root expires before it was issued");
  if (!(expiresAt <= issuedAt + limits.tokenLifetime))
    return refused("envelope_malformed", "3h", 0, `the root lives longer than ${limits.tokenLifetime} seconds`);
  if (maxDepth > limits.delegationDepth) return refused("depth_exceeded", "3i", 0, `\`del_max_depth\` is above ${limits.delegationDepth}`);
  // One key may be an anchor under several names, so it is the name that chooses among those of this key.
  const named = possible.filter(({ key, issuer: name }) => key.thumbprint === signer.thumbprint && name === issuer);
  if (named.length === 0) return refused("chain_broken", "3k", 0, `\`iss\` ${quoted(issuer)} is not the issuer that the key belongs to`);
  const anchor = named.find((candidate) => admitsTime(candidate, issuedAt));
  if (anchor === undefined) return refused("envelope_signature_invalid", "3k", 0, "the key did not sign for its issuer when the root was issued");
  if (tools === undefined) return refused("envelope_malformed", "3m", 0, "the root has no AAT entry");
  return { verified: true, token: Object.freeze({ text, hash: sha256(jws.signingInput), claims }), anchor };
}

async function signerAmong(anchors: readonly TrustAnchor[], jws: CompactJws): Promise<PublicKey | undefined> {
  const keys = new Map(anchors.map(({ key }) => [key.thumbprint, key]));
  for (const key of keys.values()) if (await verifySignature(key, jws.signingInput, jws.signature)) return key;
  return undefined;
}
