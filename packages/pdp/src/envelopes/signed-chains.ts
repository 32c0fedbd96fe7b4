import { isToolId, type Envelope, type Issued, type OnceKey, type Order } from "@ambit/core";
import {
  createVerifier,
  envelopeIdOf,
  explain,
  issueEnvelope,
  readLineage,
  verifyEnvelopes,
  verifyForeign,
  type AatAnchor,
  type Act,
  type EnvelopeAnchor,
  type PublicKey,
  type Refused as TokenRefused,
  type ToolUse,
  type VerifiedChain,
} from "@ambit/core/token";
import { listedAnchors, type KeyRing } from "@ambit/core/identity";
import type { Agents } from "../config/agents.ts";
import type { AnchorSource } from "../config/anchors.ts";
import type { Purposes } from "../config/purposes.ts";
import { Refused } from "../refusal.ts";
import type { Chain, ChainLink } from "./chain.ts";

/** What roots are signed with. */
export interface Signing {
  /** The name that verifiers have for the key; a URI. */
  readonly issuer: string;
  /** The current one signs, older ones verify what they signed. */
  readonly keys: KeyRing;
  /** INVARIANT I12: the tenants that roots are signed for. */
  readonly tenants: ReadonlySet<string>;
}

export interface SignedPresentation {
  readonly chain: readonly string[];
  readonly pop: string;
}

/** Envelopes as signed chains: given out, and recognised under the trust anchors. Every method throws `Refused`. */
export interface SignedChains {
  /** Signs a root for the holder of a key; in the lineage of another one where it goes on from it. */
  issueRoot(envelope: Envelope, holder: PublicKey, now: number, lineage: string | undefined): Promise<Issued>;
  /** Step 1 of the path, but for revocation: the chain as it is now. */
  open(chain: readonly string[]): Promise<Chain>;
  /** Whose a chain is, be it expired by now. */
  recognise(chain: readonly string[]): Promise<Chain>;
  /** The same as `open`, and that the holder of the leaf asks for exactly this call; the proof is still to be taken. */
  openCall(presentation: SignedPresentation, use: ToolUse): Promise<{ readonly chain: Chain; readonly once: OnceKey }>;
  /** The same as `open`, and that a holder of the chain asks for this act. */
  openAct(presentation: SignedPresentation, act: Act): Promise<{ readonly chain: Chain; readonly by: "leaf" | "above" }>;
}

export interface SignedChainOptions {
  readonly signing: Signing | undefined;
  readonly anchors: AnchorSource;
  readonly audience: readonly string[];
  readonly order: Order;
  readonly purposes: Purposes;
  readonly agents: Agents;
  /** Chains that are remembered as verified. @defaultValue that of `createVerifier` */
  readonly cachedChains?: number | undefined;
  readonly now: () => number;
}

export function createSignedChains(options: SignedChainOptions): SignedChains {
  const { signing, anchors, audience, order, agents, cachedChains, now } = options;
  const own =
    signing === undefined ? () => [] : listedAnchors(signing.keys, () => ({ kind: "ambit" as const, issuer: signing.issuer, tenants: signing.tenants }));
  const verifier = createVerifier<EnvelopeAnchor>({
    anchors: () => [...own(), ...anchors.anchors()],
    audiences: audience,
    // INVARIANT I5: taken where the call is committed.
    replay: "deferred",
    requireChainAudience: true,
    requirePopAudience: true,
    ...(cachedChains === undefined ? {} : { cachedChains }),
    now,
  });
  // A chain that was verified before is the same object again.
  const chains = new WeakMap<VerifiedChain<EnvelopeAnchor>, Chain>();
  const chainOf = (verified: VerifiedChain<EnvelopeAnchor>): Chain => {
    let chain = chains.get(verified);
    if (chain === undefined) {
      checkAudience(verified, audience);
      chains.set(verified, (chain = verified.anchor.kind === "ambit" ? ours(verified, order, signing?.issuer) : foreign(verified, options)));
    }
    return chain;
  };

  return {
    issueRoot: async (envelope, holder, issuedAt, lineage) => {
      if (signing === undefined) throw new Refused("envelope", "envelope_malformed", "no envelopes are signed here", "configure `signing`");
      if (!signing.tenants.has(envelope.tenantId)) throw new Refused("envelope", "tenant_mismatch", "no envelopes are signed here for this tenant");
      if (!agents.get(envelope.agentId)?.keys.has(holder.thumbprint)) throw unknownKey(envelope.agentId);
      const { issuer, keys } = signing;
      const issued = await issueEnvelope(
        { envelope, issuer, holder, audience, now: issuedAt, ...(lineage === undefined ? {} : { lineage }) },
        keys.current(),
        order,
      );
      const envelopeId = envelopeIdOf(issued.chain);
      const holding = Object.freeze({ kind: "chain", chain: issued.chain.tokens } as const);
      return { envelopeId, lineage: lineage ?? envelopeId, depth: 0, envelope: issued.envelope, holding };
    },
    open: async (texts) => chainOf((await asked(anchors, () => verifier.verifyChain(texts))).chain),
    recognise: async (texts) => chainOf((await asked(anchors, () => verifier.recognise(texts))).chain),
    openCall: async (presentation, use) => {
      const call = await asked(anchors, () => verifier.verifyCall(presentation, use));
      return { chain: chainOf(call.chain), once: { key: `pop.${call.replay.key}`, until: call.replay.until } };
    },
    openAct: async (presentation, act) => {
      const { chain, by } = await asked(anchors, () => verifier.verifyAct(presentation, act));
      return { chain: chainOf(chain), by: by === chain.leaf ? "leaf" : "above" };
    },
  };
}

/** INVARIANT I8: where the keys of some issuer cannot be known, a root of an unknown key may be one of theirs, and it cannot be told. */
async function asked<T extends { readonly verified: true }>(anchors: AnchorSource, verify: () => Promise<T | TokenRefused>): Promise<T> {
  const isKnown = await anchors.ready().then(
    () => true,
    () => false,
  );
  const answer = await verify();
  if (!isKnown && !answer.verified && answer.refusal.code === "envelope_signature_invalid" && answer.refusal.index === 0)
    throw new Refused("envelope", "state_unavailable", "the keys of an issuer cannot be known");
  return orThrow(answer);
}

/** A key that no agent is registered with proves nothing, however well it signs. */
export function unknownKey(agentId: string, where = "envelope 0 of the chain"): Refused {
  return new Refused(
    "envelope",
    "holder_mismatch",
    `the key is not one of the agent \`${agentId}\``,
    `${where}: add its public JWK to the \`keys\` of the agent`,
  );
}

/** Before any call: what is for others is not let in here either (draft step 6c). */
function checkAudience({ tokens }: VerifiedChain<EnvelopeAnchor>, names: readonly string[]): void {
  const foreign = tokens.findIndex(({ claims }) => claims.audience?.some((name) => names.includes(name)) === false);
  if (foreign === -1 && tokens.some(({ claims }) => claims.audience !== undefined)) return;
  const index = foreign === -1 ? tokens.length - 1 : foreign;
  throw new Refused("envelope", "audience_mismatch", "the envelope does not say that it may be shown here", `draft step 6c, token ${index}`);
}

function ours(verified: VerifiedChain<EnvelopeAnchor>, order: Order, self: string | undefined): Chain {
  const { envelopes } = orThrow(verifyEnvelopes(verified, order));
  const lineage = readLineage((verified.tokens[0] as VerifiedChain<EnvelopeAnchor>["leaf"]).claims);
  // A lineage is an account: who could name another issuer's would spend from it.
  if (lineage === null || (lineage !== undefined && verified.anchor.issuer !== self))
    throw new Refused("envelope", "envelope_malformed", "the root names a lineage that is not its issuer's to go on in");
  const links = envelopes.map(({ token, envelope }): ChainLink => linkOf(token, envelope));
  return { lineage: lineage ?? (links[0] as ChainLink).id, links: links as [ChainLink, ...ChainLink[]], issuer: verified.anchor.issuer };
}

/** A chain of the draft alone stands for what its anchor says; of what an agent has here, only the tools that the anchor's purpose can need are left. */
function foreign(verified: VerifiedChain<EnvelopeAnchor>, { purposes, agents }: SignedChainOptions): Chain {
  const { anchor } = orThrow(verifyForeign(verified));
  const known = purposes.get(anchor.purpose)?.tools;
  const links = verified.tokens.map((token): ChainLink => {
    const { claims } = token;
    const allowedTools = [...(claims.tools?.keys() ?? [])].filter((tool) => isToolId(tool) && known?.has(tool) === true).sort();
    const agentId = [...agents.values()].find(({ keys }) => keys.has(claims.holder.thumbprint))?.id;
    if (agentId === undefined)
      throw new Refused(
        "envelope",
        "agent_unknown",
        "the holder of the envelope is not registered",
        `token ${claims.depth} of the chain: add its public JWK to an agent`,
      );
    return linkOf(token, {
      ...foreignEnvelope(anchor, envelopeIdOf({ leaf: verified.tokens[0] as { readonly hash: string } })),
      agentId,
      allowedTools,
      maxDepth: claims.maxDepth,
      expiresAt: claims.expiresAt * 1000,
    });
  });
  return { lineage: (links[0] as ChainLink).id, links: links as [ChainLink, ...ChainLink[]], issuer: anchor.issuer };
}

function foreignEnvelope({ tenantId, delegatorId, purpose }: AatAnchor, root: string): Omit<Envelope, "agentId" | "allowedTools" | "maxDepth" | "expiresAt"> {
  const none: readonly string[] = Object.freeze([]);
  return {
    tenantId,
    delegatorId,
    purpose,
    sessionId: root,
    taskId: root,
    mayDelegate: none,
    deniedTools: none,
    resourceConstraints: Object.freeze({}),
    budgets: Object.freeze({}),
    approvals: none,
  };
}

function linkOf(token: VerifiedChain<EnvelopeAnchor>["leaf"], envelope: Envelope): ChainLink {
  const { issuedAt, holder } = token.claims;
  return Object.freeze({ id: envelopeIdOf({ leaf: token }), envelope: Object.freeze(envelope), issuedAt: issuedAt * 1000, holder: holder.thumbprint });
}

function orThrow<T extends { readonly verified: true }>(answer: T | TokenRefused): T {
  if (answer.verified) return answer;
  const { refusal } = answer;
  const step = refusal.step === "6a" || refusal.step === "6b" ? "constraint" : "envelope";
  throw new Refused(step, refusal.code, refusal.reason.text, explain(refusal));
}
