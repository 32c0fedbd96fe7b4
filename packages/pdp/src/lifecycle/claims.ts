import { AmbitError } from "@ambit/core";
import type { ProvenIdentity } from "@ambit/core/identity";
import { readClaims } from "../directory/read-claims.ts";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";

/**
 * Takes from the claims of a proof who the delegator is, where `users.issuers` says which roles or attributes they name. What was said later, in claims or by a call, stays: an older token that is
 * still good brings no role back. Whoever was removed stays removed, whatever token they have (`proof_invalid`).
 *
 * Refuses (`proof_invalid`, `tenant_mismatch`) claims that cannot be read, and claims of another user or tenant than the proof: then `identity` and `users` disagree about who somebody is.
 * `state_unavailable` where it cannot be written.
 */
export async function takeClaims(
  { directory }: Pick<Setting, "directory">,
  { kind, issuer, tenantId, delegatorId, issuedAt, claims }: ProvenIdentity,
): Promise<void> {
  // The `iss` of an SVID is nobody's signature.
  const described = kind === "oidc" ? directory?.model.issuers.get(issuer) : undefined;
  if (directory === undefined || described === undefined || (described.roles === undefined && described.attributes.size === 0)) return;
  await orRefuse("envelope", "state_unavailable", "who the delegator is cannot be written", async () => {
    try {
      const told = readClaims(directory.model, claims);
      // INVARIANT I12.
      if (told.tenantId !== tenantId) throw new AmbitError("tenant_mismatch", "the claims are of another tenant than the proof");
      if (told.user.id !== delegatorId || told.user.source !== issuer) throw new AmbitError("proof_invalid", "the claims are of another user than the proof");
      if (issuedAt === undefined) throw new AmbitError("proof_invalid", "the claims do not say when they were true");
      await directory.upsertUser(tenantId, told.user, { saidAt: issuedAt });
    } catch (error) {
      if (AmbitError.isInstance(error) && (error.code === "proof_invalid" || error.code === "tenant_mismatch"))
        throw new Refused("envelope", error.code, error.summary);
      throw error;
    }
  });
}
