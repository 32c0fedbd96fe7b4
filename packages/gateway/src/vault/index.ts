/**
 * The vault: where the credentials of end services are, and how one of them is taken out for one call.
 *
 * @module
 */

// What the gateway needs.
export type { Lease, LeaseOptions, Vault } from "./vault.ts";
export type { SecretName } from "./secret-name.ts";

// One sealed file.
export { sealedFile, type SealedFile, type SealedFileOptions } from "./sealed-file.ts";
export type { SecretEntry, VaultAdministration } from "./vault.ts";

// What opens it.
export { eitherKey, type KeyWrapper } from "./key-wrapper.ts";
export { keyFile } from "./key-file.ts";
export { keyProgram } from "./key-program.ts";
export { passphrase, type PassphraseOptions } from "./passphrase.ts";

// A server.
export { openBao, type OpenBao } from "./open-bao/open-bao.ts";
export type { BaoAuth, BaoSecret, OpenBaoOptions, TextSource } from "./open-bao/options.ts";
