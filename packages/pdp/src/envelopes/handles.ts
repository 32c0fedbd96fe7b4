import { randomText, type Envelope, type Holding, type Issued } from "@ambit/core";
import { REMEMBER_EXPIRED, leafOf, type Chain, type ChainLink } from "./chain.ts";

/** Envelopes that the decision point keeps behind handles of 256 random bits, which only the process that asked has. */
export interface Handles {
  issueRoot(envelope: Envelope, now: number, lineage?: string): Issued;
  issueChild(parent: Chain, envelope: Envelope, now: number): Issued;
  /** The chain that a handle stands for; `undefined` when it stands for none. Says nothing about expiry or revocation. */
  open(handle: unknown): Chain | undefined;
  /** Takes back what was not given out after all. */
  drop(issued: Issued | undefined): void;
  /** Forgets what expired long ago. */
  sweep(now: number): void;
}

export function createHandles(): Handles {
  const chains = new Map<string, Chain>();

  const issue = (chain: Chain): Issued => {
    const holding: Extract<Holding, { readonly kind: "handle" }> = Object.freeze({ kind: "handle", handle: randomText(32) });
    chains.set(holding.handle, chain);
    const leaf = leafOf(chain);
    return { envelopeId: leaf.id, lineage: chain.lineage, depth: chain.links.length - 1, envelope: leaf.envelope, holding };
  };

  const link = (envelope: Envelope, now: number): ChainLink => Object.freeze({ id: `env_${randomText()}`, envelope, issuedAt: now });

  return {
    issueRoot: (envelope, now, lineage) => {
      const root = link(envelope, now);
      return issue({ lineage: lineage ?? root.id, links: [root] });
    },
    issueChild: (parent, envelope, now) => issue({ ...parent, links: [...parent.links, link(envelope, now)] }),
    open: (handle) => (typeof handle === "string" ? chains.get(handle) : undefined),
    drop: (issued) => {
      if (issued?.holding.kind === "handle") chains.delete(issued.holding.handle);
    },
    sweep: (now) => {
      for (const [handle, chain] of chains) if (leafOf(chain).envelope.expiresAt + REMEMBER_EXPIRED < now) chains.delete(handle);
    },
  };
}
