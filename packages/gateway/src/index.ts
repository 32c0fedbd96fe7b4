/**
 * The gateway of Ambit: the boundary that an agent cannot step around, because the credentials are behind it.
 *
 * @module
 */

export { createGateway, type Gateway, type GatewayOptions, type LetIn } from "./gateway.ts";
export { httpUpstream, stdioUpstream, type HttpUpstreamOptions, type StdioUpstreamOptions } from "./upstream/mcp-upstream.ts";
export { openApiUpstream, type OpenApiUpstream, type OpenApiUpstreamOptions } from "./upstream/openapi/openapi-upstream.ts";
export { manifestOf } from "./upstream/openapi/manifest-of.ts";
export type { RequestOptions, Upstream, UpstreamClient, UpstreamConnection } from "./upstream/upstream.ts";
export { serveGateway, type RunningGateway, type ServeGatewayOptions } from "./front/serve.ts";
export type { Action, Connector, Credential } from "./credentials/connector.ts";
export { createClientAccess, type ClientAccess } from "./oauth/client-access.ts";
export type { ClientAccessOptions, OfferedPurpose, SignInOptions, User } from "./oauth/options.ts";
