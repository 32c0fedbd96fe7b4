/**
 * The vault: where the credentials of end services are, and how one of them is taken out for one call.
 *
 * @module
 */
export type { Lease, LeaseOptions, Vault } from "./vault.ts";
export type { SecretName } from "./secret-name.ts";
