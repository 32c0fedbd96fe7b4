import type { JsonObject } from "../data/json.ts";
import type { TrustAnchor } from "./anchors.ts";
import { isProofOf, readPop, whyNotFor, type PopOptions } from "./pop.ts";
import { refused, type Refused } from "./reason.ts";
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
export async function verifyAct<A extends TrustAnchor>(chain: VerifiedChain<A>, popText: string, act: Act, options: PopOptions): Promise<ActAnswer<A>> {
  let first: Refused | undefined;
  for (const token of chain.tokens.toReversed()) {
    const proof = await readPop(popText, token, options);
    if (!proof.verified) first ??= proof;
    // One key may hold several tokens of a chain.
    else if (isProofOf(proof.pop, token)) return whyNotFor(proof.pop, token, act.name, act.args, options) ?? { verified: true, chain, by: token };
  }
  return first ?? refused("pop_invalid", "7c", chain.leaf.claims.depth, "the proof is for another token");
}
