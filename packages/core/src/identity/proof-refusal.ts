import type { RefusalCode } from "../errors.ts";
import { because, type Reason } from "../token/reason.ts";

/** Why a proof was not taken. The codes are `proof_invalid`, `proof_expired`, `audience_mismatch`, `tenant_mismatch` and `state_unavailable`. */
export interface ProofRefusal {
  readonly code: RefusalCode;
  readonly reason: Reason;
}

export interface ProofRefused {
  readonly verified: false;
  readonly refusal: ProofRefusal;
}

export function proofRefused(code: RefusalCode, reason: string): ProofRefused {
  return { verified: false, refusal: { code, reason: because(reason) } };
}
