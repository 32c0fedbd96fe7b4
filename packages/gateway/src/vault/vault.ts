import type { SecretName } from "./secret-name.ts";

export interface LeaseOptions {
  /** Exactly this version; any other is refused. @defaultValue the newest */
  readonly version?: number | undefined;
  /** Gives up when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A secret that is out of the vault, until it is disposed of.
 * INVARIANT I10: the value goes to the end service alone: into no envelope, record, span or result.
 */
export interface Lease extends AsyncDisposable {
  /** Zeros once the lease is disposed of. */
  readonly value: Uint8Array;
  readonly version: number;
  /** Milliseconds since the epoch after which the end service takes it no more, where anybody knows that. */
  readonly expiresAt: number | undefined;
}

/** Where the credentials of end services are. */
export interface Vault {
  /**
   * Takes a secret out. Rejects with `credential_unavailable` when there is none of that name and version, and whenever the vault cannot be opened, reached or
   * believed (I8).
   */
  lease(name: SecretName, options?: LeaseOptions): Promise<Lease>;
}
