import type { Order } from "@ambit/core";
import {
  createVerifier,
  verifyEnvelopes,
  verifyForeign,
  type EnvelopeAnchor,
  type Refused,
  type SignedEnvelope,
  type ToolUse,
  type VerifiedChain,
} from "@ambit/core/token";

/** What is asked of a verifier: whether a chain holds, or whether a call under it does. */
export interface Question {
  readonly tokens: readonly string[];
  readonly anchors: readonly EnvelopeAnchor[];
  /** The names of the verifier that stands behind the question. Without any, nothing is asked of audiences. */
  readonly audiences: readonly string[];
  readonly call: { readonly use: ToolUse & { readonly tool: string }; readonly pop: string; readonly nonce: string | undefined } | undefined;
  /** Asked for when the chain has envelopes. */
  readonly order: () => Promise<Order>;
  readonly now: number;
}

/** `VALID`: the chain holds, which authorizes nothing. `PERMIT`: the call's proof holds too. */
export type Outcome =
  | ({ readonly verdict: "DENY" } & Pick<Refused, "refusal">)
  | {
      readonly verdict: "VALID" | "PERMIT";
      readonly chain: VerifiedChain<EnvelopeAnchor>;
      /** From the root to the leaf; absent in chains of the draft alone. */
      readonly envelopes: readonly SignedEnvelope[] | undefined;
    };

/** Asks the verifiers of `@ambit/core/token`: the draft, the profile, then the call. */
export async function answer(question: Question): Promise<Outcome> {
  const { tokens, anchors, audiences, call, now } = question;
  const nonce = call?.nonce;
  const verifier = createVerifier<EnvelopeAnchor>({
    anchors: () => anchors,
    // A verifier has a name; this one is only ever used where a call is verified, and a call is not verified without names.
    audiences: audiences.length === 0 ? ["urn:ambit:no-verifier"] : audiences,
    replay: "deferred",
    ...(nonce === undefined ? {} : { isNonceValid: async (given: string) => given === nonce }),
    now: () => now,
  });
  const verified = await verifier.verifyChain(tokens);
  if (!verified.verified) return denied(verified);
  const { chain } = verified;
  const foreign = audiences.length === 0 ? undefined : notForUs(chain, audiences);
  if (foreign !== undefined) return denied(foreign);

  let envelopes: readonly SignedEnvelope[] | undefined;
  if (chain.anchor.kind === "ambit") {
    const profile = verifyEnvelopes(chain, await question.order());
    if (!profile.verified) return denied(profile);
    ({ envelopes } = profile);
  } else {
    const profile = verifyForeign(chain);
    if (!profile.verified) return denied(profile);
  }
  if (call === undefined) return { verdict: "VALID", chain, envelopes };

  const permitted = await verifier.verifyCall({ chain: tokens, pop: call.pop }, call.use);
  if (!permitted.verified) return denied(permitted);
  const outside = envelopes === undefined ? undefined : notAllowed(envelopes, call.use.tool);
  return outside === undefined ? { verdict: "PERMIT", chain, envelopes } : denied(outside);
}

function denied({ refusal }: Refused): Outcome {
  return { verdict: "DENY", refusal };
}

/** Step 6c, which the draft has for calls, asked of a chain alone. */
function notForUs({ tokens }: VerifiedChain<EnvelopeAnchor>, audiences: readonly string[]): Refused | undefined {
  const index = tokens.findIndex(({ claims: { audience } }) => audience !== undefined && !audience.some((name) => audiences.includes(name)));
  if (index === -1) return undefined;
  return { verified: false, refusal: { code: "audience_mismatch", step: "6c", index, reason: { text: "the token is for other verifiers", because: [] } } };
}

/** The draft's own entry has all that an envelope reaches; what its holder may only hand on, it may not call. */
function notAllowed(envelopes: readonly SignedEnvelope[], tool: string): Refused | undefined {
  const leaf = envelopes.at(-1);
  if (leaf?.envelope.allowedTools.includes(tool) === true) return undefined;
  const reason = { text: "the tool may not be called", because: [{ text: "the envelope does not have it in `allowed_tools`", because: [] }] };
  return { verified: false, refusal: { code: "tool_not_allowed", step: "profile", index: envelopes.length - 1, reason } };
}
