import { digestOf } from "../data/digest.ts";
import type { Json, JsonObject } from "../data/json.ts";
import type { EnvelopeSource } from "./task.ts";

/** What an adapter makes of a framework's call. */
export interface ToolCall {
  readonly envelope: EnvelopeSource;
  /** The tool's name, exactly as the framework or server has it. */
  readonly tool: string;
  /** The operator's name for the server that offers the tool, never what the server says of itself. */
  readonly server?: string | undefined;
  /** `definitionDigest()` of the tool as the framework sees it now. */
  readonly definition?: string | undefined;
  /** The arguments that would be executed: after the framework's validation, defaults and transforms. Untrusted. */
  readonly arguments: unknown;
  /** The framework's own id of the call, where it has one. */
  readonly callId?: string | undefined;
  /** What tells this turn of the model from others that reuse call ids; a call with an id but no turn never counts as a repetition. */
  readonly turn?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a tool says of itself. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
  readonly annotations?: unknown;
}

/**
 * INVARIANT I4: what was decided is what runs. The digest binds the decision to the tool and to the exact arguments.
 */
export function callDigest(tool: string, server: string | undefined, args: JsonObject): string {
  return digestOf({ tool, server: server ?? null, arguments: args as Json });
}
