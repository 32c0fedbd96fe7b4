import type { EndRequest } from "@ambit/core";
import { keepUntil, leafOf, LONGEST_LIFE, purposeScope, type Chain } from "../envelopes/chain.ts";
import { endOf, openAct } from "../envelopes/open.ts";
import { isRefused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { partyOf, record } from "../steps/log.ts";

/**
 * Revokes an envelope and with it everything derived from it, when its holder or a holder above it asks. Recorded, and refused to nobody else: ending what is not there,
 * or not there any longer, is nothing.
 */
export async function end(setting: Setting, request: EndRequest): Promise<{ readonly ended: true }> {
  const chain = await openOwn(setting, request);
  if (chain === undefined) return { ended: true };
  await revokeEnvelope(setting, chain);
  await recordEnd(setting, chain, request.agent);
  return { ended: true };
}

async function openOwn(setting: Setting, { presentation }: EndRequest): Promise<Chain | undefined> {
  try {
    return (await openAct(setting, presentation, endOf)).chain;
  } catch (error) {
    const isGone = isRefused(error) && (error.refusal.code === "envelope_malformed" || error.refusal.code === "envelope_expired");
    if (isGone) return undefined;
    throw error;
  }
}

/**
 * INVARIANT I7: up to when it was issued is all of it, and asks no clock, which may be slow, stepped back or broken. With an envelope that goes on from
 * another one ends that one too: who keeps the last of them knows of no other.
 */
async function revokeEnvelope(setting: Setting, chain: Chain): Promise<void> {
  const { id, envelope, issuedAt } = leafOf(chain);
  await setting.state.revoke(envelope.tenantId, [`envelope:${id}`], issuedAt, keepUntil(chain));
  if (chain.links.length === 1 && id !== chain.lineage) await setting.state.revoke(envelope.tenantId, [purposeScope(chain)], issuedAt, issuedAt + LONGEST_LIFE);
}

/** Records an end once, however often it is asked for; one that could not be recorded is tried again. */
function recordEnd(setting: Setting, chain: Chain, agent: string): Promise<void> {
  const link = leafOf(chain);
  const earlier = setting.ends.get(link);
  if (earlier !== undefined) return earlier;
  const recorded = record(setting, "end", partyOf(chain, agent), `end_${link.id}`, {}).catch((error: unknown) => {
    setting.ends.delete(link);
    throw error;
  });
  setting.ends.set(link, recorded);
  return recorded;
}
