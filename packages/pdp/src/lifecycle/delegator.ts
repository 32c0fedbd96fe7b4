import type { BeginRequest, Envelope } from "@ambit/core";
import { Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";

/**
 * Who vouches for the delegator, for the record: the application, or whoever signed the proof. A proof is of exactly the delegator, the tenant and, where it
 * names one, the agent of the envelope. It is good for as long as its issuer says: what is given out for it is bound to a key that is registered.
 */
export async function checkDelegator(setting: Setting, { assertedBy, proof }: BeginRequest, envelope: Envelope): Promise<string> {
  if (assertedBy === "app" && proof === undefined && !setting.requireProof) return assertedBy;
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
  return `${kind} ${issuer}`;
}
