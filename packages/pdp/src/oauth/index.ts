/**
 * OAuth endpoints around the envelope.
 *
 * @module
 */
export { oauthRoutes, type OauthOptions, type OauthPdp } from "./routes.ts";
export { CHAIN_TYPE } from "./exchange-token.ts";
export type { Inspection } from "./inspect-chain.ts";
