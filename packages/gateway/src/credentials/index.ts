/**
 * Credentials for one action each, from the vault or from whoever gives them out.
 *
 * @module
 */

export type { Action, Carried, Connector, Credential } from "./connector.ts";

// What goes along.
export { vaultConnector, type Injection, type VaultConnectorOptions } from "./vault-connector.ts";
