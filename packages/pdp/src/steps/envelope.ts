import { clock } from "../clock.ts";
import { leafOf, type Chain, type ChainLink } from "../envelope-store.ts";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";

/**
 * Step 1: the envelope is held by the agent that asks, not expired, not revoked; every agent of its chain is registered.
 * INVARIANT I7: expiry and revocation of every ancestor count.
 */
export async function checkEnvelope(setting: Setting, chain: Chain, agent: string): Promise<void> {
  if (leafOf(chain).envelope.agentId !== agent) throw new Refused("envelope", "holder_mismatch", "the envelope belongs to another agent");
  for (const { envelope } of chain.links) {
    if (!setting.agents.has(envelope.agentId))
      throw new Refused("envelope", "agent_unknown", `the agent \`${envelope.agentId}\` is not registered`, "add it to the agents");
  }
  const now = clock(setting);
  for (const { envelope, issuedAt } of chain.links) {
    if (!(issuedAt <= now)) throw new Refused("envelope", "envelope_not_yet_valid", "the envelope is from the future; the clock went backwards");
    if (!(envelope.expiresAt > now)) throw new Refused("envelope", "envelope_expired", `the envelope expired at ${new Date(envelope.expiresAt).toISOString()}`);
  }
  await checkRevocation(setting, chain);
}

/** The chain that a presentation stands for; who it is about is known even when it is refused afterwards. */
export function openEnvelope(setting: Setting, presentation: unknown): Chain {
  const chain = setting.envelopes.open(presentation);
  if (chain === undefined) throw new Refused("envelope", "envelope_malformed", "the envelope is not one of this decision point");
  return chain;
}

async function checkRevocation(setting: Setting, chain: Chain): Promise<void> {
  const tenantId = chain.links[0].envelope.tenantId;
  const message = "it cannot be told whether the envelope was revoked";
  await orRefuse("envelope", "state_unavailable", message, async () => {
    for (const link of chain.links) {
      const revokedAt: unknown = await setting.state.revokedAt(tenantId, scopesOf(link));
      if (revokedAt === undefined) continue;
      if (!Number.isFinite(revokedAt)) throw new Refused("envelope", "state_unavailable", message);
      if ((revokedAt as number) >= link.issuedAt)
        throw new Refused("envelope", "envelope_revoked", "the envelope was revoked; its task has ended or was stopped");
    }
  });
}

/** What an envelope can be revoked by. */
function scopesOf({ id, envelope }: ChainLink): readonly string[] {
  return [
    `envelope:${id}`,
    `task:${envelope.taskId}`,
    `session:${envelope.sessionId}`,
    `agent:${envelope.agentId}`,
    `delegator:${envelope.delegatorId}`,
    "tenant",
  ];
}
