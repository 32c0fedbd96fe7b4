import { AmbitError } from "@ambit/core";

/** A request or an answer that breaks a rule: the same again is refused again. */
export function refused(reason: string): AmbitError {
  return new AmbitError("egress_refused", reason);
}

/** There is no complete answer. */
export function unavailable(reason: string): AmbitError {
  return new AmbitError("upstream_unavailable", reason);
}

/**
 * What a request failed with, as an error that can be shown. INVARIANT I10: of what others threw only the code stays, neither message nor cause: undici's errors carry the headers and
 * bytes of the answer, and an answer may repeat the credential.
 */
export function failure(error: unknown): AmbitError {
  if (AmbitError.isInstance(error)) return error;
  const code: unknown = (error as { readonly code?: unknown } | null | undefined)?.code;
  return unavailable(typeof code === "string" && /^[A-Z_]{1,64}$/.test(code) ? `the request failed (${code})` : "the request failed");
}
