import { clock } from "../clock.ts";
import { leafOf, purposeScope, type Chain, type ChainLink } from "../envelopes/chain.ts";
import { unknownKey } from "../envelopes/signed-chains.ts";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";

/**
 * Step 1: the envelope is held by the agent that asks, not expired, not revoked; every agent of its chain is registered.
 * INVARIANT I7: expiry and revocation of every ancestor count.
 */
export async function checkEnvelope(setting: Setting, chain: Chain, agent: string): Promise<void> {
  if (leafOf(chain).envelope.agentId !== agent) throw new Refused("envelope", "holder_mismatch", "the envelope belongs to another agent");
  for (const [index, { envelope, holder }] of chain.links.entries()) {
    const registered = setting.agents.get(envelope.agentId);
    if (registered === undefined)
      throw new Refused("envelope", "agent_unknown", `the agent \`${envelope.agentId}\` is not registered`, `${at(index)}: add it to the agents`);
    if (holder !== undefined && !registered.keys.has(holder)) throw unknownKey(envelope.agentId, at(index));
  }
  const now = clock(setting);
  for (const [index, { envelope, issuedAt }] of chain.links.entries()) {
    if (!(issuedAt <= now)) throw new Refused("envelope", "envelope_not_yet_valid", "the envelope is from the future; the clock went backwards", at(index));
    if (!(envelope.expiresAt > now))
      throw new Refused("envelope", "envelope_expired", `the envelope expired at ${new Date(envelope.expiresAt).toISOString()}`, at(index));
  }
  await checkRevocation(setting, chain);
}

/** INVARIANT I7: who revokes an envelope revokes all below it, because every envelope of the chain is asked about. */
export async function checkRevocation(setting: Setting, chain: Chain): Promise<void> {
  const tenantId = chain.links[0].envelope.tenantId;
  const message = "it cannot be told whether the envelope was revoked";
  const asked = chain.links.flatMap((link, token) => scopesOf(link).map((scope) => ({ scope, issuedAt: link.issuedAt, token })));
  asked.push({ scope: purposeScope(chain), issuedAt: chain.links[0].issuedAt, token: 0 });
  const times: unknown = await orRefuse("envelope", "state_unavailable", message, () =>
    setting.state.revokedAt(
      tenantId,
      asked.map(({ scope }) => scope),
    ),
  );
  // INVARIANT I8: an answer that leaves something out, or that is no time, has told nothing.
  if (!Array.isArray(times) || times.length !== asked.length) throw new Refused("envelope", "state_unavailable", message);
  for (const [index, { scope, issuedAt, token }] of asked.entries()) {
    const revokedAt: unknown = times[index];
    if (revokedAt === null) continue;
    if (!Number.isFinite(revokedAt)) throw new Refused("envelope", "state_unavailable", message);
    if ((revokedAt as number) >= issuedAt)
      throw new Refused("envelope", "envelope_revoked", "the envelope was revoked; its task has ended or was stopped", `${at(token)}, by \`${scope}\``);
  }
}

/** Where in the chain, for an operator: the root is 0. */
function at(index: number): string {
  return `envelope ${index} of the chain`;
}

/** What an envelope can be revoked by. A part of a task is revoked with the task. */
function scopesOf({ id, envelope }: ChainLink): readonly string[] {
  const parts = envelope.taskId.split("/");
  return [
    `envelope:${id}`,
    ...parts.map((_, index) => `task:${parts.slice(0, index + 1).join("/")}`),
    `session:${envelope.sessionId}`,
    `agent:${envelope.agentId}`,
    `delegator:${envelope.delegatorId}`,
    "tenant",
  ];
}
