import type { Json, JsonObject } from "@ambit/core";

/** A tool as whoever offers it describes it. Untrusted. */
export interface ToolFacts {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema?: Json | undefined;
  readonly outputSchema?: Json | undefined;
  readonly annotations?: Json | undefined;
  /** The HTTP method, for an operation of an API. */
  readonly method?: string | undefined;
  /** What `$ref` in the schemas refers into; default: the schema itself. */
  readonly document?: JsonObject | undefined;
}
