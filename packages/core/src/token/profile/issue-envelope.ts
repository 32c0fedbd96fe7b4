import { AmbitError } from "../../errors.ts";
import type { JsonObject } from "../../data/json.ts";
import { attenuate, type Narrowed, type Narrowing } from "../../envelope/attenuate.ts";
import { isUnlimited } from "../../envelope/budgets.ts";
import { reachOf, type Envelope } from "../../envelope/envelope.ts";
import { isCanonicalBy, madeOfPlain } from "../../envelope/wire.ts";
import type { Order } from "../../envelope/order.ts";
import type { PublicKey } from "../crypto.ts";
import { deriveProfiled, deriveToken, holdChain, issueRoot, type HeldChain } from "../issue.ts";
import type { SigningKey } from "../key.ts";
import { readEntry, writeEntry } from "./entry.ts";
import { writeLineage } from "./lineage.ts";

/** An envelope as its holder keeps it: the chain to present and to derive from, and what its leaf says. */
export interface HeldEnvelope {
  readonly chain: HeldChain;
  readonly envelope: Envelope;
}

export interface NewEnvelope {
  readonly envelope: Envelope;
  /** The name that verifiers have for the signing key. */
  readonly issuer: string;
  /** The holder's key. */
  readonly holder: PublicKey;
  /** The lineage that it goes on in, where it is not the first root. */
  readonly lineage?: string | undefined;
  /** The Ambit verifiers that it may be shown to; at least one, because a verifier of the draft alone would not see our dimensions. */
  readonly audience: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Issues the root of a lineage. The expiry is cut down to whole seconds, which is what a token can say.
 * Throws `option_invalid` without an audience, `envelope_expired` for an expiry within this second, and what `issueRoot` throws.
 */
export async function issueEnvelope(options: NewEnvelope, key: SigningKey, order: Order): Promise<HeldEnvelope> {
  if (options.audience.length === 0) throw new AmbitError("option_invalid", "`audience` must name at least one verifier");
  const envelope = inSeconds(options.envelope);
  const chain = await issueRoot(
    {
      issuer: options.issuer,
      holder: options.holder,
      audience: options.audience,
      tools: toolsOf(envelope),
      otherDetails: [writeEntry(envelope, order), ...(options.lineage === undefined ? [] : [writeLineage(options.lineage)])],
      maxDepth: envelope.maxDepth,
      expiresAt: envelope.expiresAt / 1000,
      now: options.now,
    },
    key,
  );
  return Object.freeze({ chain, envelope });
}

export interface NewChildEnvelope {
  readonly narrowing: Narrowing;
  /** The next holder's key. */
  readonly holder: PublicKey;
  readonly audience?: readonly string[] | undefined;
  /** Throw `not_narrower` rather than give less than was asked for. @defaultValue false */
  readonly exact?: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Derives a child offline, signed by the parent's holder, and reports what was narrowed. Throws what `attenuate` and `deriveToken` throw. */
export async function deriveEnvelope(
  parent: HeldEnvelope,
  child: NewChildEnvelope,
  key: SigningKey,
  order: Order,
): Promise<HeldEnvelope & { readonly narrowed: readonly Narrowed[] }> {
  const attenuation = attenuate(parent.envelope, child.narrowing, order, { exact: child.exact === true });
  const envelope = inSeconds(attenuation.envelope);
  const entry = writeEntry(envelope, order);
  const claims = { holder: child.holder, maxDepth: envelope.maxDepth, expiresAt: envelope.expiresAt / 1000, now: child.now };
  // Of an envelope that was made here nothing can be read back but what was written; only members of budgets may stand in any order.
  const isOurs = isCanonicalBy(order.vocabulary, envelope) && isUnlimited(envelope.budgets) && typeof order.purposes.digest === "string";
  const profiled = isOurs && child.audience === undefined ? deriveProfiled(parent.chain, { ...claims, reach: reachOf(envelope), entry }, key) : undefined;
  const chain = await (profiled ?? deriveToken(parent.chain, { ...claims, tools: toolsOf(envelope), otherDetails: [entry], audience: child.audience }, key));
  return Object.freeze({ chain, envelope, narrowed: attenuation.narrowed });
}

/**
 * What somebody was given as the holder of it, to present it or derive from it. Nothing is verified but that the leaf can be read.
 * Throws `envelope_malformed` for a leaf that cannot be, or that carries no envelope of this order.
 */
export function holdEnvelope(tokens: readonly string[], order: Order): HeldEnvelope {
  const chain = holdChain(tokens);
  const envelope = readEntry(chain.leaf.claims, order);
  if (typeof envelope === "string") throw new AmbitError("envelope_malformed", `the envelope of the leaf cannot be used: ${envelope}`);
  return Object.freeze({ chain, envelope: madeOfPlain(envelope, order.vocabulary) });
}

/** INVARIANT I7: cut down, never up. */
function inSeconds(envelope: Envelope): Envelope {
  const expiresAt = Math.floor(envelope.expiresAt / 1000) * 1000;
  return expiresAt === envelope.expiresAt && Object.isFrozen(envelope) ? envelope : Object.freeze({ ...envelope, expiresAt });
}

const ANY_ARGUMENTS: JsonObject = Object.freeze({});

/** Which tools the draft's own entry names. Their arguments are bounded by our entry alone, which every Ambit verifier reads. */
function toolsOf(envelope: Envelope): JsonObject {
  return Object.fromEntries(reachOf(envelope).map((tool) => [tool, ANY_ARGUMENTS]));
}
