import type { KeyWrapper } from "./key-wrapper.ts";
import type { SecretName } from "./secret-name.ts";

export interface LeaseOptions {
  /** Exactly this version; any other is refused. @defaultValue the newest */
  readonly version?: number | undefined;
  /** Gives up when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A secret that is out of the vault until it is disposed of.
 * INVARIANT I10: the value goes to the end service alone: into no envelope, record, span or result.
 */
export interface Lease extends AsyncDisposable {
  /** Zeros once the lease is disposed of. Not enumerable. */
  readonly value: Uint8Array;
  /** Of the secret; 0 where secrets are made for each lease. */
  readonly version: number;
  /** Milliseconds since the epoch after which the end service takes it no more, where anybody knows that. */
  readonly expiresAt: number | undefined;
  /** Asks for more time, where there is an end; `expiresAt` says what came of it. Rejects with `credential_unavailable`. */
  renew(): Promise<void>;
}

/** Where the credentials of end services are. */
export interface Vault {
  /**
   * Takes a secret out. Rejects with `credential_unavailable` when there is none of that name and version, and whenever the vault cannot be opened, reached or
   * believed (I8).
   */
  lease(name: SecretName, options?: LeaseOptions): Promise<Lease>;
}

/** What may be told of a secret. */
export interface SecretEntry extends SecretName {
  /** The version of the vault in which it was set: of two values of one name, also when it was removed in between, none has the other's. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly setAt: number;
}

/** What an operator does with a vault. The gateway gets a `Vault` and none of this. */
export interface VaultAdministration {
  /** What is in it, without the values, and how often it was changed. */
  list(): Promise<{ readonly version: number; readonly secrets: readonly SecretEntry[] }>;
  /** Puts a value in, in the place of the one of that name. Throws `option_invalid` for a name or value that cannot be kept. */
  set(name: SecretName, value: Uint8Array): Promise<SecretEntry>;
  /** Seals a secret anew, under a new data key; the value and its version stay. */
  rotateDataKey(name: SecretName): Promise<SecretEntry>;
  /** Wraps every data key with another key, which opens the vault from now on; values are not touched. */
  rotateKey(next: KeyWrapper): Promise<void>;
  /** Whether there was one. */
  remove(name: SecretName): Promise<boolean>;
}
