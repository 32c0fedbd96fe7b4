import { AmbitError } from "@ambit/core";

/**
 * INVARIANT I8: whatever keeps a secret in the vault is this, and no call runs without its credential. `hint` is for operators: it may name files and services, and
 * neither of the two texts quotes a value (I10).
 */
export function unavailable(message: string, { cause, hint }: { readonly cause?: unknown; readonly hint?: string } = {}): AmbitError {
  return new AmbitError("credential_unavailable", message, { cause, hint });
}
