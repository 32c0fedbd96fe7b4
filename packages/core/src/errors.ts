/**
 * Why a call, a hand-off or a task was refused. Codes are extended, never renamed: people match on them.
 */
export type RefusalCode =
  | "envelope_malformed"
  | "envelope_signature_invalid"
  | "envelope_expired"
  | "envelope_not_yet_valid"
  | "envelope_revoked"
  | "audience_mismatch"
  | "tenant_mismatch"
  | "holder_mismatch"
  | "agent_unknown"
  | "pop_invalid"
  | "pop_replayed"
  | "proof_invalid"
  | "proof_expired"
  | "not_narrower"
  | "chain_broken"
  | "depth_exceeded"
  | "hand_off_denied"
  | "tool_not_allowed"
  | "tool_unmapped"
  | "tool_changed"
  | "argument_not_allowed"
  | "data_class_not_allowed"
  | "constraint_unmapped"
  | "purpose_mismatch"
  | "intent_drift"
  | "policy_denied"
  | "policy_error"
  | "no_policy"
  | "budget_exhausted"
  | "approval_required"
  | "approval_invalid"
  | "approval_expired"
  | "approval_denied"
  | "obligation_unsupported"
  | "pdp_unavailable"
  | "pdp_timeout"
  | "pdp_response_invalid"
  | "state_unavailable"
  | "log_unavailable"
  | "grant_invalid"
  | "grant_replayed"
  | "credential_unavailable"
  | "egress_refused"
  | "upstream_unavailable"
  | "call_aborted"
  | "call_running";

/** What is wrong with something a person wrote: configuration, manifest, policy, an option. */
export type ConfigCode = "config_invalid" | "manifest_invalid" | "policy_invalid" | "option_invalid" | "log_corrupt";

export type ErrorCode = RefusalCode | ConfigCode;

const BRAND = Symbol.for("ambit.error");

/**
 * Broken input or a programmer's mistake. A refusal inside core is a value (`Refusal`); it becomes
 * this error only where a caller asked for something that cannot be answered otherwise (`begin`, `handOff`).
 */
export class AmbitError extends Error {
  readonly code: ErrorCode;
  /** The decision that refused, when one was taken. */
  readonly decisionId: string | undefined;
  /** The message without what a developer could change: fit to be shown to a model. */
  readonly summary: string;

  constructor(
    code: ErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly decisionId?: string | undefined; readonly hint?: string | undefined },
  ) {
    super(options?.hint === undefined ? message : `${message}; ${options.hint}`, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AmbitError";
    this.code = code;
    this.decisionId = options?.decisionId;
    this.summary = message;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** True for errors of any copy of this package in the process; own properties only. */
  static isInstance(value: unknown): value is AmbitError {
    return typeof value === "object" && value !== null && Object.hasOwn(value, BRAND);
  }
}
