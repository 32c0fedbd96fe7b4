import type { JsonObject } from "../data/json.ts";
import { AmbitError } from "../errors.ts";
import type { Pdp } from "../pdp/pdp.ts";
import type { Holding, Presentation } from "../pdp/presentation.ts";
import type { Terms } from "../pdp/terms.ts";
import { holdChain, type HeldChain } from "../token/issue.ts";
import type { SigningKey } from "../token/key.ts";
import { signPop } from "../token/pop.ts";
import type { TokenPresentation } from "../token/presentation.ts";

/** What the enforcement point of an agent works with. */
export interface PepSetting {
  readonly pdp: Pdp;
  readonly agent: string;
  /** By agent. An agent without a key works with handles. */
  readonly keys: ReadonlyMap<string, SigningKey>;
  /** Milliseconds for one question to the decision point. */
  readonly deadline: number;
  readonly now: () => number;
  /** Absent where refusals hold. */
  readonly mode?: "observe" | undefined;
}

/** What a question says of it, for the record. */
export function modeOf({ mode }: PepSetting): { readonly mode?: "observe" } {
  return mode === undefined ? {} : { mode };
}

/** What a proof is about: the tool's name and server, or an act of its own, and exactly these arguments. */
export interface Asked {
  readonly name: string;
  readonly server?: string | undefined;
  readonly args: JsonObject;
  /** The verifier that the proof is for. Default: the decision point. */
  readonly audience?: string | undefined;
}

/**
 * What shows the envelope for one question. A chain comes with a proof that is signed for it alone, so every question gets a fresh one.
 * Throws `holder_mismatch` without a key to sign with, and what the key throws.
 */
export async function present(setting: PepSetting, holding: Holding, asked: Asked, leaf?: HeldChain["leaf"]): Promise<Presentation> {
  if (holding.kind === "handle" || isShown(holding)) return holding;
  return { kind: "chain", ...(await proveTo(setting, holding, asked, leaf)) };
}

/** A chain with a fresh proof for what is asked. Throws what `present` throws. */
export async function proveTo(
  setting: PepSetting,
  holding: Extract<Holding, { readonly kind: "chain" }>,
  asked: Asked,
  leaf?: HeldChain["leaf"],
): Promise<TokenPresentation> {
  const key = setting.keys.get(setting.agent);
  if (key === undefined) throw new AmbitError("holder_mismatch", `there is no key of \`${setting.agent}\` to prove a call with; give it in \`keys\``);
  const terms = await setting.pdp.terms();
  const pop = await signPop(
    {
      leaf: leaf ?? held(holding).leaf,
      tool: (terms.toolId(asked.name, asked.server) ?? asked.name).toWellFormed(),
      args: asked.args,
      audience: asked.audience ?? audienceOf(terms),
      now: setting.now(),
    },
    key,
  );
  return { chain: holding.chain, pop };
}

/** What somebody else has shown, with a proof that is made already, and good for one call. */
export function isShown(holding: Holding | Presentation): holding is Extract<Presentation, { readonly kind: "chain" }> {
  return holding.kind === "chain" && "pop" in holding;
}

function audienceOf({ audience: [first] }: Terms): string {
  if (first === undefined) throw new AmbitError("pdp_response_invalid", "the decision point does not say what its name is");
  return first;
}

/** Reading a chain costs more than signing a proof, and a task is asked for under many times. */
const known = new WeakMap<Holding, HeldChain>();

/** The chain that a task holds, its leaf read. Throws `envelope_malformed` for one that cannot be. */
export function held(holding: Extract<Holding, { readonly kind: "chain" }>): HeldChain {
  let chain = known.get(holding);
  if (chain === undefined) known.set(holding, (chain = holdChain(holding.chain)));
  return chain;
}
