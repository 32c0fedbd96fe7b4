/**
 * Ambit for clients of the Model Context Protocol: an enforcement point inside the transport.
 *
 * @module
 */

export { protect, type ProtectOptions } from "./protect.ts";
export type { McpTransport } from "./transport.ts";
