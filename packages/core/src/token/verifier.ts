import { AmbitError } from "../errors.ts";
import type { TrustAnchor } from "./anchors.ts";
import type { Algorithm } from "./crypto.ts";
import { holdChain } from "./issue.ts";
import { tokenLimits, type TokenLimits } from "./limits.ts";
import { createLru } from "./lru.ts";
import type { TokenPresentation } from "./presentation.ts";
import { refused, type Refused } from "./reason.ts";
import type { ReplayStore } from "./replay.ts";
import { verifyAct, type Act, type ActAnswer } from "./verify-act.ts";
import { verifyCall, type CallAnswer, type ToolUse } from "./verify-call.ts";
import { verifyChain, type ChainAnswer, type VerifiedChain } from "./verify-chain.ts";

export interface VerifierOptions<A extends TrustAnchor> {
  /** Asked at every verification. A chain stays verified only while the very object that signed it is among them. */
  readonly anchors: () => readonly A[];
  /** The names of this verifier in `aud` and `aat_aud`; at least one. */
  readonly audiences: readonly string[];
  /** Where taken proofs are remembered, or `deferred` when the caller takes `replay.key` where it commits the call. */
  readonly replay: ReplayStore | "deferred";
  /**
   * The position of a token that is revoked, the root being 0; -1 when none is. Asked at every verification, also of a chain that was verified before. Rejecting
   * denies, and so does any other answer.
   *
   * @defaultValue nothing is revoked
   */
  readonly findRevoked?: (chain: VerifiedChain<A>) => Promise<number>;
  /** Asked when proofs need a nonce. @defaultValue none is required */
  readonly isNonceValid?: (nonce: string) => Promise<boolean>;
  /** @defaultValue false */
  readonly requireChainAudience?: boolean;
  /** @defaultValue false */
  readonly requirePopAudience?: boolean;
  /** @defaultValue `["Ed25519", "ES256"]` */
  readonly algorithms?: readonly Algorithm[];
  readonly limits?: Partial<TokenLimits>;
  /** Chains to remember as verified, 0 for none; one of more than 32,768 characters is verified each time. @defaultValue 1000 */
  readonly cachedChains?: number;
  /** Milliseconds since the epoch. @defaultValue `Date.now` */
  readonly now?: () => number;
}

export interface Verifier<A extends TrustAnchor> {
  /**
   * Verifies a chain. It authorizes nothing; a call needs its proof.
   *
   * @remarks
   * A chain that was verified before is the same object again, so that what a profile found out about it can be kept in a `WeakMap`.
   */
  readonly verifyChain: (chain: readonly string[]) => Promise<ChainAnswer<A>>;
  /**
   * Verifies a chain as of the second in which its leaf was issued: whose it is, be it expired or revoked by now. For what has to be said of a call after it ran;
   * it authorizes nothing.
   */
  readonly recognise: (chain: readonly string[]) => Promise<ChainAnswer<A>>;
  /** Verifies a presentation for one call: the chain, then the call and its proof. */
  readonly verifyCall: (presentation: TokenPresentation, use: ToolUse) => Promise<CallAnswer<A>>;
  /** Verifies a presentation for something that is no call, by the holder of any token of the chain; revocation is not asked: what is revoked may still be ended. */
  readonly verifyAct: (presentation: TokenPresentation, act: Act) => Promise<ActAnswer<A>>;
}

/** A longer chain is verified each time: what the cache may hold is bounded by it. */
const MOST_CACHED_CHARACTERS = 32_768;

/** Throws `option_invalid` for options that no verifier can have. */
export function createVerifier<A extends TrustAnchor>(options: VerifierOptions<A>): Verifier<A> {
  const { anchors, audiences, replay, findRevoked, isNonceValid, requireChainAudience = false, requirePopAudience = false } = options;
  const { algorithms = ["Ed25519", "ES256"], cachedChains = 1000, now = Date.now } = options;
  const limits = tokenLimits(options.limits);
  if (audiences.length === 0 || !audiences.every((audience) => audience !== "")) throw new AmbitError("option_invalid", "`audiences` must name this verifier");
  if (!Number.isSafeInteger(cachedChains) || cachedChains < 0) throw new AmbitError("option_invalid", "`cachedChains` must be a whole number");

  const cache = createLru<string, VerifiedChain<A>>(cachedChains);

  /** Keyed by the leaf and compared in full: the whole chain is the key, and looking it up costs no hashing of all of it. */
  const recall = (texts: readonly string[]): VerifiedChain<A> | undefined => {
    const leafText = texts.at(-1);
    const known = leafText === undefined ? undefined : cache.get(leafText);
    if (known === undefined || known.tokens.length !== texts.length || !known.tokens.every(({ text }, index) => text === texts[index])) return undefined;
    return anchors().includes(known.anchor) ? known : undefined;
  };

  /** What time can change. Along a chain `exp` only falls and `iat` only rises, so the leaf speaks for all (I7). */
  const isCurrent = ({ leaf }: VerifiedChain<A>, seconds: number): boolean =>
    leaf.claims.expiresAt > seconds && leaf.claims.issuedAt <= seconds + limits.issuedAtSkew;

  const verified = async (texts: readonly string[]): Promise<ChainAnswer<A>> => {
    const seconds = now() / 1000;
    const known = recall(texts);
    if (known !== undefined && isCurrent(known, seconds)) return { verified: true, chain: known };
    const answer = await verifyChain(texts, { anchors: anchors(), algorithms, limits, now: seconds });
    if (answer.verified) remember(answer.chain);
    return answer;
  };

  const remember = (chain: VerifiedChain<A>): void => {
    const characters = chain.tokens.reduce((sum, { text }) => sum + text.length, 0);
    if (characters <= MOST_CACHED_CHARACTERS) cache.set(chain.leaf.text, chain);
  };

  const recognised = async (texts: readonly string[]): Promise<ChainAnswer<A>> => {
    const known = recall(texts);
    if (known !== undefined) return { verified: true, chain: known };
    const issuedAt = issueTimeOf(texts, limits);
    if (issuedAt === undefined) return refused("envelope_malformed", "4b", texts.length - 1, "the leaf does not say when it was issued");
    return verifyChain(texts, { anchors: anchors(), algorithms, limits, now: issuedAt });
  };

  const unrevoked = async (texts: readonly string[]): Promise<ChainAnswer<A>> => {
    const answer = await verified(texts);
    if (!answer.verified || findRevoked === undefined) return answer;
    return (await revocation(findRevoked, answer.chain)) ?? answer;
  };

  return {
    verifyChain: unrevoked,
    recognise: recognised,
    verifyCall: async ({ chain, pop }, use) => {
      const answer = await unrevoked(chain);
      if (!answer.verified) return answer;
      const seconds = now() / 1000;
      return verifyCall(answer.chain, pop, use, {
        audiences,
        requireChainAudience,
        requirePopAudience,
        isNonceValid,
        replay,
        algorithms,
        limits,
        now: seconds,
      });
    },
    verifyAct: async ({ chain, pop }, act) => {
      const answer = await verified(chain);
      if (!answer.verified) return answer;
      return verifyAct(answer.chain, pop, act, { audiences, requirePopAudience, algorithms, limits, now: now() / 1000 });
    },
  };
}

/** What the leaf says of itself, not verified yet. */
function issueTimeOf(texts: readonly string[], limits: TokenLimits): number | undefined {
  try {
    return holdChain(texts, limits).leaf.claims.issuedAt;
  } catch {
    return undefined; // whoever asks refuses it
  }
}

/** INVARIANT I8: who cannot tell whether a chain is revoked denies. */
async function revocation<A extends TrustAnchor>(
  findRevoked: (chain: VerifiedChain<A>) => Promise<number>,
  chain: VerifiedChain<A>,
): Promise<Refused | undefined> {
  const unknown = (): Refused => refused("state_unavailable", "after 5", chain.leaf.claims.depth, "whether the chain was revoked cannot be told");
  try {
    const index: unknown = await findRevoked(chain);
    if (index === -1) return undefined;
    return Number.isSafeInteger(index) && chain.tokens[index as number] !== undefined
      ? refused("envelope_revoked", "after 5", index as number, "the token was revoked")
      : unknown();
  } catch {
    return unknown();
  }
}
