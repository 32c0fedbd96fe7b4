import type { BeginRequest, Envelope } from "@ambit/core";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { takeClaims } from "./claims.ts";

/**
 * Who vouches for the delegator, for the record: the application (`app`, behind a service `app` and the caller's name), or whoever signed the proof. A proof is of exactly the delegator, the tenant and, where it
 * names one, the agent of the envelope; what its claims say of the delegator counts from here on (`takeClaims`). It is good for as long as its issuer says: what is given out for it is bound to a key that is registered.
 */
export async function checkDelegator(setting: Setting, { assertedBy, caller, proof }: BeginRequest, envelope: Envelope): Promise<string> {
  if (assertedBy === "app" && proof === undefined && !setting.requireProof) return caller === undefined ? assertedBy : `${assertedBy} ${caller}`;
  if (assertedBy !== "proof" || typeof proof !== "string")
    throw new Refused("envelope", "proof_invalid", "a task begins with a proof of its delegator", "give `delegatorProof`: an OIDC token or a JWT-SVID");
  if (setting.proofs === undefined)
    throw new Refused("envelope", "proof_invalid", "proofs of delegators are not taken here", "configure the issuers of `identity`");
  const answer = await setting.proofs.verify(proof);
  if (!answer.verified) throw new Refused("envelope", answer.refusal.code, answer.refusal.reason.text);
  const { tenantId, delegatorId, agentId, kind, issuer } = answer.identity;
  if (tenantId !== envelope.tenantId) throw new Refused("envelope", "tenant_mismatch", "the proof is for another tenant than the envelope");
  if (delegatorId !== envelope.delegatorId) throw new Refused("envelope", "proof_invalid", "the proof is of another delegator than the envelope names");
  if (agentId !== undefined && agentId !== envelope.agentId) throw new Refused("envelope", "holder_mismatch", "the proof is for another agent");
  await checkFresh(setting, tenantId, delegatorId, answer.identity.authenticatedAt);
  await takeClaims(setting, answer.identity);
  return `${kind} ${issuer}`;
}

/** INVARIANT I7: who was revoked begins again with a proof from after that. */
async function checkFresh(setting: Setting, tenantId: string, delegatorId: string, authenticatedAt: number | undefined): Promise<void> {
  const message = "it cannot be told whether the delegator was revoked";
  const times: unknown = await orRefuse("envelope", "state_unavailable", message, () =>
    setting.state.revokedAt(tenantId, [`delegator:${delegatorId}`, "tenant"]),
  );
  if (!Array.isArray(times) || times.length !== 2 || times.some((time) => time !== null && !Number.isFinite(time)))
    throw new Refused("envelope", "state_unavailable", message);
  const last = Math.max(...times.map((time: number | null) => time ?? -Infinity));
  if (last !== -Infinity && !(authenticatedAt !== undefined && authenticatedAt > last))
    throw new Refused("envelope", "proof_invalid", "the proof is from before the delegator was revoked");
}
