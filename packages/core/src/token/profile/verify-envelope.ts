import type { Envelope } from "../../envelope/envelope.ts";
import { reasonsNotNarrower } from "../../envelope/is-narrower.ts";
import type { Order } from "../../envelope/order.ts";
import type { TrustAnchor } from "../anchors.ts";
import { hasPlainHeader } from "../compact.ts";
import { because, refused, type Refused } from "../reason.ts";
import type { VerifiedChain } from "../verify-chain.ts";
import type { VerifiedToken } from "../verify-root.ts";
import { hasEntry, readEntry } from "./entry.ts";
import { readLineage } from "./lineage.ts";

/** An anchor whose chains are of our profile: an Ambit issuer. */
export interface AmbitAnchor extends TrustAnchor {
  readonly kind: "ambit";
  /** INVARIANT I12: the tenants that this issuer speaks for. */
  readonly tenants: ReadonlySet<string>;
}

/** An anchor whose chains are of the draft alone, with what they stand for. */
export interface AatAnchor extends TrustAnchor {
  readonly kind: "aat";
  readonly tenantId: string;
  readonly delegatorId: string;
  readonly purpose: string;
}

export type EnvelopeAnchor = AmbitAnchor | AatAnchor;

/** A token and the envelope that it carries. */
export interface SignedEnvelope {
  readonly token: VerifiedToken;
  readonly envelope: Envelope;
}

export type EnvelopesAnswer = Refused | { readonly verified: true; /** From the root to the leaf. */ readonly envelopes: readonly SignedEnvelope[] };

/**
 * What a chain that has verified says in our profile. Kinds never mix: a chain under an `aat` anchor must not carry our entry, and one under
 * an `ambit` anchor must carry it on every token, because a derived token without it would leave our dimensions unlimited.
 *
 * INVARIANT I2: the verifier's own rule of the order, recomputed for every pair; what an issuer says of it is not asked.
 */
export function verifyEnvelopes(chain: VerifiedChain<EnvelopeAnchor>, order: Order): EnvelopesAnswer {
  const { anchor, tokens } = chain;
  if (anchor.kind !== "ambit") return refused("chain_broken", "profile 1", 0, "the anchor is for chains without envelopes");
  // A list that is empty names nobody, and what is for nobody in particular would be for everybody.
  if ((tokens[0]?.claims.audience ?? []).length === 0) return refused("audience_mismatch", "profile 2", 0, "the root does not say which verifiers it is for");
  const envelopes: SignedEnvelope[] = [];
  for (const [index, token] of tokens.entries()) {
    const excess = excessOf(token);
    if (excess !== undefined) return refused("envelope_malformed", "profile 3", index, excess);
    const parent = envelopes.at(-1)?.envelope;
    const envelope = readEntry(token.claims, order, token.text.length, parent);
    if (typeof envelope === "string") return refused("envelope_malformed", "profile 3", index, envelope);
    if (index === 0 && readLineage(token.claims) === null) return refused("envelope_malformed", "profile 3", 0, "the lineage that it names is none");
    const reasons = parent === undefined ? [] : reasonsNotNarrower(envelope, parent, order);
    if (reasons.length > 0) {
      const under = because(`token ${index - 1} does not allow that to what is derived from it`);
      return refused("not_narrower", "profile 4", index, because(`token ${index} may not have: ${reasons.join("; ")}`, under));
    }
    envelopes.push(Object.freeze({ token, envelope }));
  }
  const tenant = envelopes[0]?.envelope.tenantId;
  if (tenant === undefined || !anchor.tenants.has(tenant)) return refused("tenant_mismatch", "profile 5", 0, "the issuer does not speak for this tenant");
  return { verified: true, envelopes: Object.freeze(envelopes) };
}

/** The draft has to ignore what it does not know. Who writes our profile has no reason to say where keys are, or when a token begins besides `iat`. */
function excessOf({ text, claims }: VerifiedToken): string | undefined {
  if (!hasPlainHeader(text)) return "its header has other members than `alg`, `typ` and `kid`";
  return Object.hasOwn(claims.signed, "nbf") ? "it has `nbf`; an envelope begins with `iat`" : undefined;
}

/** What a chain of the draft alone may be taken for under its anchor: nothing of ours is in it. */
export function verifyForeign(chain: VerifiedChain<EnvelopeAnchor>): Refused | { readonly verified: true; readonly anchor: AatAnchor } {
  const { anchor, tokens } = chain;
  if (anchor.kind !== "aat") return refused("chain_broken", "profile 1", 0, "the anchor is for chains with envelopes");
  const mixed = tokens.findIndex(({ claims }) => hasEntry(claims));
  if (mixed !== -1) return refused("chain_broken", "profile 1", mixed, "a foreign chain carries an envelope of ours");
  return { verified: true, anchor };
}
