import {
  createVerifier,
  deriveEnvelope,
  deriveToken,
  generateKey,
  signPop,
  verifyEnvelopes,
  type AmbitAnchor,
  type EnvelopeAnchor,
  type SigningKey,
  type TokenPresentation,
} from "@ambit/core/token";
import type { Subject } from "./measure.ts";
import { ARGS, AUDIENCE, draftChain, envelopeChain, ISSUER, NOW, ORDER, TOOL, type Held } from "./scenario.ts";

export const LENGTHS: readonly number[] = [1, 3, 8];

export const NAMES = {
  draft: "ambit, chain + proof (draft)",
  envelope: "ambit, chain + proof (envelopes)",
  fresh: "ambit, the same, keys never seen",
  cached: "ambit, cached chain + proof",
  deriveDraft: "ambit, derive + sign (draft)",
  deriveEnvelope: "ambit, derive + sign (envelope)",
} as const;

/** More keys than the verifier keeps imported, so that each comes back as a new one. */
const MORE_THAN_KNOWN = 1100;

interface Shown {
  readonly held: Held;
  readonly presentation: TokenPresentation;
}

async function shown(held: Held): Promise<Shown> {
  const pop = await signPop({ leaf: held.chain.leaf, tool: TOOL, args: ARGS, audience: AUDIENCE, now: NOW }, held.holder);
  return { held, presentation: { chain: held.chain.tokens, pop } };
}

/** What there is to time of ours, and the tokens of it whose bytes are counted. */
export async function ambitSubjects(issuer: SigningKey): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  for (const length of LENGTHS) {
    const [draft, envelope] = [await shown(await draftChain(length, issuer)), await shown(await envelopeChain(length, issuer))];
    const fresh: Shown[] = [];
    for (let keys = 0; keys < MORE_THAN_KNOWN; keys += length) fresh.push(await shown(await envelopeChain(length, issuer)));
    let turn = 0;
    subjects.push(
      { name: NAMES.draft, length, base: "verify", run: verification(issuer, 0, () => draft, false) },
      { name: NAMES.envelope, length, base: "verify", run: verification(issuer, 0, () => envelope, true) },
      { name: NAMES.fresh, length, base: "verify", run: verification(issuer, 0, () => fresh[turn++ % fresh.length] as Shown, true) },
      { name: NAMES.cached, length, base: "verify", run: verification(issuer, 10, () => envelope, false) },
    );
  }
  const next = await generateKey();
  const [draft, envelope] = [await draftChain(3, issuer), await envelopeChain(3, issuer)];
  const child = { holder: next.public, now: NOW };
  const narrowing = { agentId: "agent-3", taskId: `${envelope.held.envelope.taskId}/part-3`, allowedTools: [TOOL] };
  subjects.push(
    { name: NAMES.deriveDraft, base: "sign", run: () => deriveToken(draft.chain, child, draft.holder) },
    { name: NAMES.deriveEnvelope, base: "sign", run: () => deriveEnvelope(envelope.held, { ...child, narrowing }, envelope.holder, ORDER) },
  );
  return subjects;
}

/** One call, verified. The proof is not taken: a decision point does that where it commits the call. Throws when it is refused. */
function verification(issuer: SigningKey, cachedChains: number, next: () => Shown, isProfile: boolean): () => Promise<void> {
  const anchor: AmbitAnchor = { kind: "ambit", issuer: ISSUER, key: issuer.public, tenants: new Set(["tenant_acme"]) };
  const anchors: readonly EnvelopeAnchor[] = [anchor];
  const verifier = createVerifier<EnvelopeAnchor>({ anchors: () => anchors, audiences: [AUDIENCE], replay: "deferred", cachedChains, now: () => NOW });
  const use = { tool: TOOL, argsText: JSON.stringify(ARGS) };
  return async () => {
    const answer = await verifier.verifyCall(next().presentation, use);
    if (!answer.verified) throw new Error(`refused: ${answer.refusal.code}`);
    if (isProfile && !verifyEnvelopes(answer.chain, ORDER).verified) throw new Error("the envelopes are refused");
  };
}
