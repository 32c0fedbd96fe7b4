import type { ToolFacts } from "../infer/tool-facts.ts";

/** What a source says, and what of it could not be read. */
export interface ToolsRead {
  readonly tools: readonly ToolFacts[];
  readonly flaws: readonly string[];
}
