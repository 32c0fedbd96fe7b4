import type { Envelope } from "@ambit/core";

/** One envelope of a chain. */
export interface ChainLink {
  readonly id: string;
  readonly envelope: Envelope;
  /** Milliseconds since the epoch; of a signed envelope whole seconds, rounded down. */
  readonly issuedAt: number;
  /** Thumbprint of the key that the envelope is bound to; absent behind a handle. */
  readonly holder?: string;
}

/** A root envelope and what was derived from it, down to the one that is presented. */
export interface Chain {
  /** Of the first root: one that goes on from it stays in it. */
  readonly lineage: string;
  /** Root first. */
  readonly links: readonly [ChainLink, ...ChainLink[]];
  /** Who signed the root; absent behind a handle, which the decision point itself gave out. */
  readonly issuer?: string;
}

/** The envelope that is presented, as against those above it. */
export function leafOf(chain: Chain): ChainLink {
  return chain.links.at(-1) as ChainLink;
}

/** How long an expired envelope is still told apart from one that never was. */
export const REMEMBER_EXPIRED = 3_600_000;

/** The longest life of an envelope, and so of whatever is remembered against one (MAX_TOKEN_LIFETIME of the draft). */
export const LONGEST_LIFE = 7_776_000_000;

/** Until when what belongs to the lineage has to be kept: a child never outlives its root. */
export function keepUntil(chain: Chain): number {
  return chain.links[0].envelope.expiresAt + REMEMBER_EXPIRED;
}

/** What all envelopes are revoked by that a task had in one lineage for one purpose, however often it was renewed. */
export function purposeScope({ lineage, links }: Chain): string {
  return `purpose:${lineage}:${links[0].envelope.purpose}`;
}
