import type { Narrowing } from "../envelope/attenuate.ts";
import { AmbitError } from "../errors.ts";
import type { HandOffRequest, Introduction } from "../pdp/pdp.ts";
import { ACTS, type Holding, type Presentation } from "../pdp/presentation.ts";
import type { PublicKey } from "../token/crypto.ts";
import { publicKey } from "../token/key.ts";
import { envelopeIdOf } from "../token/profile/envelope-id.ts";
import { deriveEnvelope, holdEnvelope } from "../token/profile/issue-envelope.ts";
import type { HandOffOptions } from "./pep.ts";
import { held, modeOf, present, type PepSetting } from "./present.ts";
import { milliseconds } from "./time.ts";

type Chain = Extract<Holding, { readonly kind: "chain" }>;

/** The question by which a child of a handle comes to be: the decision point computes it. */
export function handOffRequest(setting: PepSetting, parent: Extract<Holding, { readonly kind: "handle" }>, options: HandOffOptions): HandOffRequest {
  return { parent, agent: setting.agent, narrowing: narrowingOf(options, setting.now()), excerpts: excerptsOf(options), ...modeOf(setting) };
}

/**
 * Derives the child of a chain here, with the key of this agent, and the question that shows it for the first time.
 * Throws `not_narrower` rather than give less than was asked for (I2), `holder_mismatch` without a key of this agent, `option_invalid` without one of the other.
 */
export async function deriveChild(setting: PepSetting, parent: Chain, options: HandOffOptions): Promise<Introduction> {
  const key = setting.keys.get(setting.agent);
  if (key === undefined) throw new AmbitError("holder_mismatch", `there is no key of \`${setting.agent}\` to derive with; give it in \`keys\``);
  const { order } = await setting.pdp.terms();
  const now = setting.now();
  const child = await deriveEnvelope(
    holdEnvelope(parent.chain, order),
    { narrowing: narrowingOf(options, now), holder: receiverOf(setting, options), exact: true, now },
    key,
    order,
  );
  return { chain: child.chain.tokens, agent: setting.agent, excerpts: excerptsOf(options), ...modeOf(setting) };
}

/** What ends a child: a proof by whoever derived it. */
export async function presentEnd(setting: PepSetting, holding: Holding, parent: Holding | undefined): Promise<Presentation> {
  if (holding.kind === "handle") return holding;
  const args = { envelope: envelopeIdOf(held(holding)) };
  const by = parent?.kind === "chain" ? held(parent).leaf : undefined;
  return present(setting, holding, { name: ACTS.end, args }, by);
}

function receiverOf(setting: PepSetting, { agentId, holder }: HandOffOptions): PublicKey {
  if (holder !== undefined) return publicKey(holder);
  const key = setting.keys.get(agentId);
  if (key === undefined) throw new AmbitError("option_invalid", `there is no key of \`${agentId}\`; give its public key as \`holder\`, or the key in \`keys\``);
  return key.public;
}

function excerptsOf({ data = [] }: HandOffOptions): HandOffRequest["excerpts"] {
  return data.map(({ label, dataClasses }) => ({ label, dataClasses }));
}

function narrowingOf(options: HandOffOptions, now: number): Narrowing & { readonly agentId: string } {
  const { data: _, holder: __, signal: ___, expiresIn, allowedTools = [], ...rest } = options;
  return { ...rest, allowedTools, ...(expiresIn === undefined ? {} : { expiresAt: now + milliseconds(expiresIn, "expiresIn") }) };
}
