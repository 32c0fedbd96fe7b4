import { digestOf } from "../data/digest.ts";
import { copyData } from "../data/json.ts";
import type { ToolDefinition } from "./tool-call.ts";

/**
 * The pin of a tool: a digest of its name, description, schemas and annotations. A tool whose description or schema changes has
 * another one. `undefined` for a definition that is not plain data, which no pin matches.
 */
export function definitionDigest(definition: ToolDefinition): string | undefined {
  const { name, description, inputSchema, outputSchema, annotations } = definition;
  try {
    return digestOf(
      copyData({ name, description, input_schema: inputSchema, output_schema: outputSchema, annotations }, "tool_changed", "the tool definition"),
    );
  } catch {
    // INVARIANT I1: without a digest the pin does not match, and an unmatched pin is a deny.
    return undefined;
  }
}
