import { canonicalJson } from "../data/canonical.ts";
import type { JsonObject } from "../data/json.ts";
import type { TrustAnchor } from "./anchors.ts";
import { readPop, type PopClaims } from "./pop.ts";
import { refused, type Refused } from "./reason.ts";
import { isExact } from "./strict-json.ts";
import type { CallOptions } from "./verify-call.ts";
import type { VerifiedChain } from "./verify-chain.ts";
import type { VerifiedToken } from "./verify-root.ts";

/** Something that a holder asks for and that is no call: ending an envelope, going on from it. */
export interface Act {
  /** Stands where a proof names the tool; never a tool id. */
  readonly name: string;
  readonly args: JsonObject;
}

export type ActAnswer<A extends TrustAnchor> =
  | Refused
  | {
      readonly verified: true;
      readonly chain: VerifiedChain<A>;
      /** The token whose holder asks: the leaf, or one above it. */
      readonly by: VerifiedToken;
    };

/**
 * Verifies that the holder of the leaf, or of a token above it, asks for this very act: who derived an envelope may end it. Nothing of step 6 is asked,
 * because no tool is called. The proof is not remembered: acts are such that doing one again changes nothing, or are decided afresh.
 */
export async function verifyAct<A extends TrustAnchor>(
  chain: VerifiedChain<A>,
  popText: string,
  act: Act,
  options: Pick<CallOptions, "audiences" | "requirePopAudience" | "algorithms" | "limits" | "now">,
): Promise<ActAnswer<A>> {
  let first: Refused | undefined;
  for (const token of chain.tokens.toReversed()) {
    const proof = await readPop(popText, token, options);
    if (!proof.verified) first ??= proof;
    // One key may hold several tokens of a chain.
    else if (isFor(proof.pop, token)) return whyNot(proof.pop, act, options) ?? { verified: true, chain, by: token };
  }
  return first ?? refused("pop_invalid", "7c", undefined, "the proof is for another token");
}

function isFor(pop: PopClaims, token: VerifiedToken): boolean {
  return pop.tokenId === token.claims.jti && pop.tokenHash === token.hash;
}

function whyNot(pop: PopClaims, act: Act, options: Parameters<typeof verifyAct>[3]): Refused | undefined {
  if (pop.audience === undefined ? options.requirePopAudience : !options.audiences.includes(pop.audience))
    return refused("audience_mismatch", "7d", undefined, "the proof does not say that it is for this verifier");
  if (pop.tool !== act.name) return refused("pop_invalid", "7e", undefined, "the proof is for something else");
  if (!isExact(pop.args) || canonicalJson(pop.args) !== canonicalJson(act.args))
    return refused("pop_invalid", "7f", undefined, "the proof is for the same act on something else");
  if (!(Math.abs(pop.issuedAt - options.now) <= options.limits.popWindow))
    return refused("pop_invalid", "7g", undefined, `the proof is more than ${options.limits.popWindow} seconds from now`);
  return undefined;
}
