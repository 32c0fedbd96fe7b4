import { randomText, type Envelope, type Issued, type Presentation } from "@ambit/core";

/** One envelope of a chain. */
export interface ChainLink {
  readonly id: string;
  readonly envelope: Envelope;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
}

/** A root envelope and what was derived from it, down to the one that is presented. */
export interface Chain {
  readonly lineage: string;
  /** Root first. */
  readonly links: readonly [ChainLink, ...ChainLink[]];
}

/** How envelopes are given out and recognised. In process now; signed chains come behind the same interface. */
export interface EnvelopeStore {
  issueRoot(envelope: Envelope, now: number): Issued;
  issueChild(parent: Chain, envelope: Envelope, now: number): Issued;
  /** The chain that a presentation stands for; `undefined` when it stands for none. Says nothing about expiry or revocation. */
  open(presentation: unknown): Chain | undefined;
}

/** How long an expired envelope is still told apart from one that never was. */
const REMEMBER_EXPIRED = 3_600_000;
const SWEEP_EVERY = 1024;

/**
 * Envelopes held by the decision point behind handles of 256 random bits, which only the process that asked has.
 * `onForgotten` is told of a lineage when its root is dropped.
 */
export function createEnvelopeStore(onForgotten: (tenantId: string, lineage: string) => void): EnvelopeStore {
  const chains = new Map<string, Chain>();
  let issuedCount = 0;

  const sweep = (now: number): void => {
    for (const [handle, { lineage, links }] of chains) {
      if ((links.at(-1) as ChainLink).envelope.expiresAt + REMEMBER_EXPIRED > now) continue;
      chains.delete(handle);
      // A child never outlives its parent, so a root that is dropped was the last of its lineage.
      if (links.length === 1) onForgotten(links[0].envelope.tenantId, lineage);
    }
  };

  const issue = (chain: Chain, now: number): Issued => {
    if (++issuedCount % SWEEP_EVERY === 0) sweep(now);
    const presentation: Presentation = Object.freeze({ kind: "handle", handle: randomText(32) });
    chains.set(presentation.handle, chain);
    const leaf = chain.links.at(-1) as ChainLink;
    return { envelopeId: leaf.id, lineage: chain.lineage, depth: chain.links.length - 1, envelope: leaf.envelope, presentation };
  };

  const link = (envelope: Envelope, now: number): ChainLink => Object.freeze({ id: `env_${randomText()}`, envelope, issuedAt: now });

  return {
    issueRoot: (envelope, now) => {
      const root = link(envelope, now);
      return issue({ lineage: root.id, links: [root] }, now);
    },
    issueChild: (parent, envelope, now) => issue({ lineage: parent.lineage, links: [...parent.links, link(envelope, now)] }, now),
    open: (presentation) => {
      if (typeof presentation !== "object" || presentation === null) return undefined;
      const { kind, handle } = presentation as Partial<Presentation>;
      return kind === "handle" && typeof handle === "string" ? chains.get(handle) : undefined;
    },
  };
}

/** The envelope that is presented, as against those above it. */
export function leafOf(chain: Chain): ChainLink {
  return chain.links.at(-1) as ChainLink;
}
