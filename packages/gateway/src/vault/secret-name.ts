/** Whose secret it is, for which end service, and which of that service's. INVARIANT I12: the tenant is part of every key. */
export interface SecretName {
  readonly tenant: string;
  readonly connector: string;
  readonly id: string;
}
