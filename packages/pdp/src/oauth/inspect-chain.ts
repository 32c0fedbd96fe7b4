import { leafOf, type Chain } from "../envelopes/chain.ts";
import type { Setting } from "../setting.ts";
import { checkEnvelope } from "../steps/envelope.ts";

/** A chain that was shown without any proof of who shows it: what it says, and whether it stands. */
export interface Inspection {
  /** Absent for what is no chain of this decision point. One that has expired or was revoked is still recognised. */
  readonly chain?: Chain | undefined;
  /** INVARIANT I8: signed, in time, not revoked in any link and let in, every one of them; anything that cannot be told is a no. */
  readonly isActive: boolean;
}

/** Looks at a signed chain. Decides nothing, records nothing, lets nothing in. Never rejects. */
export async function inspectChain(setting: Setting, tokens: readonly string[]): Promise<Inspection> {
  const { signed } = setting;
  if (signed === undefined) return { isActive: false };
  const chain = await signed.recognise(tokens).catch(() => undefined);
  if (chain === undefined) return { isActive: false };
  const isActive = await stands(setting, tokens).catch(() => false);
  return { chain, isActive };
}

async function stands(setting: Setting, tokens: readonly string[]): Promise<boolean> {
  const chain = await setting.signed?.open(tokens);
  if (chain === undefined) return false;
  await checkEnvelope(setting, chain, leafOf(chain).envelope.agentId);
  const ids = chain.links.map(({ id }) => id);
  const admitted: unknown = await setting.state.admitted(chain.links[0].envelope.tenantId, ids);
  return Array.isArray(admitted) && admitted.length === ids.length && admitted.every((isIn) => isIn === true);
}
