import type { AccessRequest, OnceKey } from "@ambit/core";
import type { Act } from "@ambit/core/token";
import { isRefused, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { leafOf, type Chain } from "./chain.ts";
import type { SignedChains, SignedPresentation } from "./signed-chains.ts";

/** What a presentation turns out to be, before anything of it is believed. */
type Shown = { readonly kind: "handle"; readonly handle: unknown } | ({ readonly kind: "chain" } & SignedPresentation);

/** The chain that a presentation stands for now, whoever shows it. Refuses (`envelope_malformed`) what stands for none. */
export async function openChain(setting: Setting, presentation: unknown): Promise<Chain> {
  const shown = read(presentation);
  return shown.kind === "handle" ? behind(setting, shown.handle) : signedChains(setting).open(shown.chain);
}

/** Whose a presentation is, be it expired by now: for what has to be said of a call after it ran. */
export async function recogniseChain(setting: Setting, presentation: unknown): Promise<Chain> {
  const shown = read(presentation);
  return shown.kind === "handle" ? behind(setting, shown.handle) : signedChains(setting).recognise(shown.chain);
}

/** The chain under which a call is asked for, and the proof that its commit uses up: a handle is proof enough by itself. */
export async function openCall(setting: Setting, { action, context }: AccessRequest): Promise<{ readonly chain: Chain; readonly once: readonly OnceKey[] }> {
  const shown = read(context.presentation);
  if (shown.kind === "handle") return { chain: behind(setting, shown.handle), once: [] };
  const tool = setting.terms.toolId(action.name, action.properties?.server);
  try {
    const { chain, once } = await signedChains(setting).openCall(shown, { tool: tool ?? action.name.toWellFormed(), args: context.arguments });
    return { chain, once: [once] };
  } catch (error) {
    // The leaf cannot name a tool that nobody knows; what the operator has to do about it is told by the step that looks for the tool.
    const isUnknownTool = tool === undefined && isRefused(error) && error.refusal.code === "tool_not_allowed";
    if (!isUnknownTool) throw error;
    return { chain: await signedChains(setting).open(shown.chain), once: [] };
  }
}

/** The chain of which a holder asks for something that is no call. */
export async function openAct(
  setting: Setting,
  presentation: unknown,
  act: (chain: Chain) => Act,
): Promise<{ readonly chain: Chain; readonly by: "leaf" | "above" }> {
  const shown = read(presentation);
  if (shown.kind === "handle") return { chain: behind(setting, shown.handle), by: "leaf" };
  const chains = signedChains(setting);
  return chains.openAct(shown, act(await chains.open(shown.chain)));
}

/** The envelope's id is what an end is about, so that a proof ends one envelope and no other. */
export function endOf(chain: Chain): Act {
  return { name: "ambit:end", args: { envelope: leafOf(chain).id } };
}

function behind(setting: Setting, handle: unknown): Chain {
  const chain = setting.handles.open(handle);
  if (chain === undefined) throw unknown();
  return chain;
}

function signedChains({ signed }: Setting): SignedChains {
  if (signed === undefined)
    throw new Refused("envelope", "envelope_malformed", "signed envelopes are not taken here", "configure `signing` or `anchors`, and `audience`");
  return signed;
}

function read(presentation: unknown): Shown {
  if (typeof presentation !== "object" || presentation === null) throw unknown();
  const { kind, handle, chain, pop } = presentation as { readonly [member: string]: unknown };
  if (kind === "handle") return { kind, handle };
  if (kind !== "chain" || !Array.isArray(chain) || !chain.every((token) => typeof token === "string") || typeof pop !== "string") throw unknown();
  return { kind, chain: chain as readonly string[], pop };
}

function unknown(): Refused {
  return new Refused("envelope", "envelope_malformed", "the envelope is not one of this decision point");
}
