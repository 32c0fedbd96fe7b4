import { AmbitError } from "../errors.ts";
import { copyData, isJsonObject, type JsonObject } from "../data/json.ts";
import type { TrustAnchor } from "./anchors.ts";
import { whyNotAccepted } from "./capability.ts";
import type { TokenLimits } from "./limits.ts";
import { isProofOf, readPop, whyNotFor, type PopOptions } from "./pop.ts";
import { because, quoted, refused, type Refused } from "./reason.ts";
import type { ReplayStore } from "./replay.ts";
import { isExact, parseJson } from "./strict-json.ts";
import type { VerifiedChain } from "./verify-chain.ts";

/**
 * The call that a presentation is for. `argsText` is the JSON text of the arguments as the caller wrote it; where only parsed arguments are at
 * hand, integers beyond ±(2^53 − 1) are refused, because what was written can no longer be told.
 */
export type ToolUse = { readonly tool: string; readonly argsText: string } | { readonly tool: string; readonly args: unknown };

export interface CallOptions extends PopOptions {
  /** Whether some token of the chain must carry `aud`. */
  readonly requireChainAudience: boolean;
  /** Whether a nonce is one that this verifier gave out and still takes; absent when none is required. */
  readonly isNonceValid: ((nonce: string) => Promise<boolean>) | undefined;
  /** `deferred` when the caller itself takes `replay.key` where it commits the call. */
  readonly replay: ReplayStore | "deferred";
}

export interface VerifiedCall<A extends TrustAnchor> {
  readonly chain: VerifiedChain<A>;
  readonly tool: string;
  /** The arguments as they were decided: plain, frozen, their numbers exact. */
  readonly args: JsonObject;
  /** What makes the proof one of a kind, and how long it could be replayed (milliseconds since the epoch). */
  readonly replay: { readonly key: string; readonly until: number };
}

export type CallAnswer<A extends TrustAnchor> = Refused | ({ readonly verified: true } & VerifiedCall<A>);

/** Steps 6 to 8 of draft section 8, the proof's signature before any constraint, the proof itself taken last. */
export async function verifyCall<A extends TrustAnchor>(chain: VerifiedChain<A>, popText: string, use: ToolUse, options: CallOptions): Promise<CallAnswer<A>> {
  const { limits } = options;
  const { leaf, tokens } = chain;
  const last = tokens.length - 1;
  const proof = await readPop(popText, leaf, options);
  if (!proof.verified) return proof;
  const { pop } = proof;

  const { tools } = leaf.claims;
  if (tools === undefined) return refused("tool_not_allowed", "6a", last, "the leaf has no AAT entry, so it grants nothing");
  const map = tools.get(use.tool);
  if (map === undefined) return refused("tool_not_allowed", "6b", last, because("the tool may not be called", because("the leaf does not have it")));
  const args = readArguments(use, limits);
  if (typeof args === "string") return refused("argument_not_allowed", "6b", last, args);
  const outside = whyNotAccepted(map, args);
  if (outside !== undefined) return refused("argument_not_allowed", "6b", last, because(`${quoted(use.tool)} may not be called so`, outside));

  const isOurs = (audience: string): boolean => options.audiences.includes(audience);
  const foreign = tokens.findIndex(({ claims }) => claims.audience !== undefined && !claims.audience.some(isOurs));
  if (foreign !== -1) return refused("audience_mismatch", "6c", foreign, "the token is for other verifiers");
  if (options.requireChainAudience && tokens.every(({ claims }) => claims.audience === undefined)) {
    return refused("audience_mismatch", "6c", last, "no token of the chain says which verifier it is for");
  }

  const no = (step: string, reason: string): Refused => refused("pop_invalid", step, last, reason);
  if (!isProofOf(pop, leaf)) return no("7c", "the proof is for another token");
  const otherwise = whyNotFor(pop, leaf, use.tool, args, options);
  if (otherwise !== undefined) return otherwise;
  const replay = { key: `${leaf.claims.holder.thumbprint}.${pop.jti}`, until: (pop.issuedAt + limits.popWindow) * 1000 };
  try {
    if (options.isNonceValid !== undefined && (pop.nonce === undefined || (await options.isNonceValid(pop.nonce)) !== true)) {
      return no("7h", "the proof has no nonce that this verifier gave out");
    }
    // INVARIANT I5: only a call that everything else permits uses its proof up, and no proof is used twice.
    if (options.replay !== "deferred" && (await options.replay.take(replay.key, replay.until)) !== true) {
      return refused("pop_replayed", "7i", last, "the proof was used before");
    }
  } catch {
    return refused("state_unavailable", "7i", last, "whether the proof was used before cannot be told"); // INVARIANT I8
  }
  return { verified: true, chain, tool: use.tool, args, replay };
}

function readArguments(use: ToolUse, limits: TokenLimits): JsonObject | string {
  if ("argsText" in use) {
    if (typeof use.argsText !== "string" || use.argsText.length > limits.argumentsLength)
      return `the arguments are no text, or longer than ${limits.argumentsLength} characters`;
    const parsed = parseJson(use.argsText);
    if (typeof parsed === "string") return `the arguments have ${parsed}`;
    const args = parsed.value;
    return isJsonObject(args) && isExact(args) ? args : "the arguments are no object, or have a number that is not exact";
  }
  try {
    const args = copyData(use.args, "argument_not_allowed", "the arguments");
    return isJsonObject(args) ? args : "the arguments are no object";
  } catch (error) {
    if (AmbitError.isInstance(error)) return error.message;
    throw error;
  }
}
