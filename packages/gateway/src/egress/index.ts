/**
 * The way out: where a connector's requests may go, what they may carry, and how much may come back.
 *
 * @module
 */
export { createEgress, type Egress, type EgressOptions } from "./egress.ts";
export { connectorHeaders } from "./headers.ts";
