/**
 * What `ambit init` guesses about tools, as pure functions.
 *
 * @module
 */
export { inferManifest, type InferredManifest, type InferredTool } from "./manifest.ts";
export type { ToolFacts } from "./tool-facts.ts";
