/**
 * The Cedar policy engine.
 *
 * @module
 */
export { createCedarEngine } from "./cedar-engine.ts";
export type { PolicyFile } from "./policies.ts";
