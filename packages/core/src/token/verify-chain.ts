import type { TrustAnchor } from "./anchors.ts";
import { refused, type Refused } from "./reason.ts";
import { verifyLink } from "./verify-link.ts";
import { verifyRoot, type ChainOptions, type VerifiedToken } from "./verify-root.ts";

/**
 * A chain whose every token is signed, linked to the one before and no wider than it.
 *
 * @remarks
 * It authorizes nothing: every prefix of a valid chain is a valid chain, and whoever has seen it has it. Only a proof by the holder of the
 * last token, for one call, does (`verifyCall`).
 */
export interface VerifiedChain<A extends TrustAnchor> {
  /** The anchor that signed the root, as it was configured. */
  readonly anchor: A;
  /** From the root to the leaf; never empty. */
  readonly tokens: readonly VerifiedToken[];
  readonly leaf: VerifiedToken;
}

export type ChainAnswer<A extends TrustAnchor> = Refused | { readonly verified: true; readonly chain: VerifiedChain<A> };

/**
 * Steps 1 to 5 of draft section 8.
 *
 * The draft's step 2c looks for repeated `jti`s before any signature is verified; here it is asked of verified claims, so that no byte is read
 * that nobody signed. A chain that is too long is refused first, which is all that looking early would save.
 *
 * @remarks
 * Stricter than the draft where only an attacker could mind: header and claim names that objects inherit, NUL in any text, a `jti` of more than
 * 256 characters, a `kid` that is no text, `authorization_details` with something in it that is no object, a JWK that says it is for another use.
 */
export async function verifyChain<A extends TrustAnchor>(texts: readonly string[], options: ChainOptions<A>): Promise<ChainAnswer<A>> {
  const { limits } = options;
  const [first, ...rest] = texts;
  if (first === undefined) return refused("envelope_malformed", "1", undefined, "the chain is empty");
  if (rest.length > limits.delegationDepth)
    return refused("depth_exceeded", "4f", limits.delegationDepth + 1, `the chain has more than ${limits.delegationDepth + 1} tokens`);
  let bytes = 0;
  for (const [index, text] of texts.entries()) {
    if (typeof text !== "string") return refused("envelope_malformed", "2a", index, "a token is not text");
    if (text.length > limits.tokenBytes) return refused("envelope_malformed", "2a", index, `a token is larger than ${limits.tokenBytes} bytes`);
    bytes += text.length;
    if (bytes > limits.chainBytes) return refused("envelope_malformed", "2b", index, `the chain is larger than ${limits.chainBytes} bytes`);
  }

  const root = await verifyRoot(first, options);
  if (!root.verified) return root;
  const tokens = [root.token];
  let leaf = root.token;
  for (const [position, text] of rest.entries()) {
    const link = await verifyLink(text, position + 1, leaf, options);
    if (!link.verified) return link;
    leaf = link.token;
    if (tokens.some(({ claims }) => claims.jti === leaf.claims.jti))
      return refused("chain_broken", "2c", position + 1, "two tokens of the chain have the same `jti`");
    tokens.push(leaf);
  }
  if (tokens.length !== leaf.claims.depth + 1) return refused("chain_broken", "5", tokens.length - 1, "the length of the chain is not the depth of its leaf");
  return { verified: true, chain: Object.freeze({ anchor: root.anchor, tokens: Object.freeze(tokens), leaf }) };
}
