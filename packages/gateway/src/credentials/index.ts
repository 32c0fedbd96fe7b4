/**
 * Credentials for one action each, from the vault or from whoever gives them out.
 *
 * @module
 */

export type { Action, Carried, Connector, Credential } from "./connector.ts";

// What goes along.
export { vaultConnector, type Injection, type VaultConnectorOptions } from "./vault-connector.ts";
export { oauthConnector, type OauthConnectorOptions, type SubjectToken } from "./oauth/oauth-connector.ts";
export type { AuthorizationServerOptions } from "./oauth/authorization-server.ts";
export type { ClientAuthentication } from "./oauth/client-authentication.ts";
export { signedJwtConnector, type SignedJwtConnectorOptions } from "./signed-jwt-connector.ts";
