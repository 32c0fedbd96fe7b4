import { bytesToBase64url, toBase64url } from "#base64url";
import { canonicalJson } from "../data/canonical.ts";
import { isJsonObject, own, type JsonObject } from "../data/json.ts";
import { MOST_ID_LENGTH } from "./claims.ts";
import { encodedHeader, readCompact, readPayload } from "./compact.ts";
import { freshId, verifySignature, type Algorithm } from "./crypto.ts";
import type { SigningKey } from "./key.ts";
import type { TokenLimits } from "./limits.ts";
import { quoted, refused, type Refused } from "./reason.ts";
import { isExact } from "./strict-json.ts";
import type { VerifiedToken } from "./verify-root.ts";

/** The claims of a proof (draft section 7.2), signature and form verified, not yet compared with the call. */
export interface PopClaims {
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly tokenId: string;
  readonly tokenHash: string;
  readonly tool: string;
  readonly args: JsonObject;
  readonly audience: string | undefined;
  readonly nonce: string | undefined;
}

export interface NewPop {
  /** The leaf of the chain that is presented: its `jti` and the hash of its signing input. */
  readonly leaf: { readonly hash: string; readonly claims: { readonly jti: string } };
  readonly tool: string;
  readonly args: JsonObject;
  /** The verifier that it is meant for. */
  readonly audience?: string | undefined;
  readonly nonce?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Proves possession of the leaf's key for exactly one call: a fresh proof for each, because a verifier takes one only once. The arguments must be
 * those of the call after the framework's own defaults.
 */
export async function signPop(pop: NewPop, key: SigningKey): Promise<string> {
  const claims: JsonObject = {
    jti: freshId(pop.now),
    iat: Math.floor(pop.now / 1000),
    aat_id: pop.leaf.claims.jti,
    aat_hash: pop.leaf.hash,
    aat_tool: pop.tool,
    hta: pop.args,
    ...(pop.audience === undefined ? {} : { aat_aud: pop.audience }),
    ...(pop.nonce === undefined ? {} : { nonce: pop.nonce }),
  };
  const signingInput = `${encodedHeader(key.public.algorithm, "aat-pop+jwt")}.${toBase64url(canonicalJson(claims))}`;
  return `${signingInput}.${bytesToBase64url(await key.sign(signingInput))}`;
}

/** What a verifier asks of every proof. */
export interface PopOptions {
  /** The names of this verifier in `aud` and `aat_aud`, compared as exact strings. */
  readonly audiences: readonly string[];
  /** Whether the proof must carry `aat_aud`. */
  readonly requirePopAudience: boolean;
  readonly algorithms: readonly Algorithm[];
  readonly limits: TokenLimits;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** Steps 7a and 7b of draft section 8, and of 7c what the proof says by itself. */
export async function readPop(
  text: string,
  leaf: VerifiedToken,
  options: Pick<PopOptions, "algorithms" | "limits">,
): Promise<Refused | { readonly verified: true; readonly pop: PopClaims }> {
  const { holder, depth } = leaf.claims;
  const no = (step: string, reason: string): Refused => refused("pop_invalid", step, depth, reason);
  // A proof carries the arguments, so it may be as large as they.
  const jws = readCompact(text, "aat-pop+jwt", 2 * options.limits.argumentsLength + 4096);
  if (typeof jws === "string") return no("7a", jws);
  if (holder.algorithm !== jws.header.alg || !options.algorithms.includes(holder.algorithm))
    return no("7a", `\`alg\` ${quoted(jws.header.alg)} is not that of the holder`);
  if (!(await verifySignature(holder, jws.signingInput, jws.signature))) {
    return refused("holder_mismatch", "7b", depth, "the proof is not signed by the holder of the leaf");
  }
  const payload = readPayload(jws.payload);
  if (typeof payload === "string") return no("7b", payload);
  const { members, integer } = payload;
  const textOf = (member: string): string | undefined => {
    const value = own(members, member);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const [jti, tokenId, tokenHash, tool] = [textOf("jti"), textOf("aat_id"), textOf("aat_hash"), textOf("aat_tool")];
  const [issuedAt, args, audience, nonce] = [integer("iat"), own(members, "hta"), own(members, "aat_aud"), textOf("nonce")];
  if (jti === undefined || jti.length > MOST_ID_LENGTH) return no("7c", "`jti` is missing, empty, too long or no text");
  if (tokenId === undefined || tokenHash === undefined || tool === undefined)
    return no("7c", "`aat_id`, `aat_hash` or `aat_tool` is missing, empty or no text");
  if (issuedAt === undefined) return no("7c", "`iat` is missing or not a whole number of seconds");
  if (!isJsonObject(args)) return no("7c", "`hta` is missing or no object");
  if (audience !== undefined && typeof audience !== "string") return no("7d", "`aat_aud` is no text");
  return { verified: true, pop: { jti, issuedAt, tokenId, tokenHash, tool, args, audience, nonce } };
}

/** Step 7c: whether the proof names this very token. */
export function isProofOf(pop: PopClaims, token: VerifiedToken): boolean {
  return pop.tokenId === token.claims.jti && pop.tokenHash === token.hash;
}

/** Steps 7d to 7g: why the proof is not for what is asked here and now, or `undefined` when it is. `args` are exact. */
export function whyNotFor(
  pop: PopClaims,
  { claims: { depth } }: VerifiedToken,
  name: string,
  args: JsonObject,
  { audiences, requirePopAudience, limits, now }: PopOptions,
): Refused | undefined {
  const no = (step: string, reason: string): Refused => refused("pop_invalid", step, depth, reason);
  if (pop.audience === undefined ? requirePopAudience : !audiences.includes(pop.audience)) {
    return refused("audience_mismatch", "7d", depth, "the proof does not say that it is for this verifier");
  }
  if (pop.tool !== name) return no("7e", "the proof is for another tool or act");
  // The text of a number that is not exact would be that of another value.
  if (!isExact(pop.args) || canonicalJson(pop.args) !== canonicalJson(args)) return no("7f", "the proof is for other arguments"); // INVARIANT I4
  if (!(Math.abs(pop.issuedAt - now) <= limits.popWindow)) return no("7g", `the proof is more than ${limits.popWindow} seconds from now`);
  return undefined;
}
