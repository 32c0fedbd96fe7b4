/**
 * Ambit for the Model Context Protocol: an enforcement point inside the transport of a client, and one inside that of a server.
 *
 * @module
 */

export { coverage, type McpApp, type McpClientLike } from "./coverage.ts";
export { protect, type ProtectOptions } from "./protect.ts";
export { protectServer, type McpServerLike, type ProtectServerOptions } from "./protect-server.ts";
export type { McpTransport } from "./transport.ts";
