import { definitionDigest, randomText, type EnvelopeSource, type ToolCall } from "@ambit/core";
import type { ToolRunnableConfig } from "@langchain/core/tools";
import { toJsonSchema } from "@langchain/core/utils/json_schema";
import type { ClientTool } from "./open-tool.ts";

/** The call as core asks about it. The arguments are what the tool's body gets: validated, with defaults, transformed. */
export function toCall(envelope: EnvelopeSource, tool: ClientTool, input: unknown, config: ToolRunnableConfig | undefined): ToolCall {
  return {
    envelope,
    tool: tool.name,
    definition: definitionOf(tool),
    arguments: isCallWithin(config) ? CALL_WITHIN : isText(input) ? { input } : input,
    // A model may leave the id out, and its call is still none of the application's own.
    callId: config?.toolCall === undefined ? undefined : (config.toolCall.id ?? randomText()),
    turn: turnOf(config),
    signal: config?.signal,
  };
}

/** No arguments: what is asked about is on the record, and refused. */
const CALL_WITHIN = "a call within the call";

/** LangChain takes arguments that look like a call for a call, and answers under the id in them, which may be that of another call. */
function isCallWithin(config: ToolRunnableConfig | undefined): boolean {
  const args: unknown = config?.toolCall?.args;
  return typeof args === "object" && args !== null && "type" in args && args.type === "tool_call";
}

/** What the tool's body gets of the arguments that were decided. */
export function toInput(input: unknown, decided: Readonly<Record<string, unknown>>): unknown {
  return isText(input) ? decided["input"] : decided;
}

/** INVARIANT I4: the config of a call carries the call once more, as the model made it: before validation, and with members that the schema has not. */
export function decidedConfig(config: ToolRunnableConfig | undefined, decided: Readonly<Record<string, unknown>>): ToolRunnableConfig | undefined {
  return config?.toolCall === undefined ? config : { ...config, toolCall: { ...config.toolCall, args: structuredClone(decided) } };
}

/** A tool without a schema of its own takes one text; the schema that the model sees has it as `input`. */
function isText(input: unknown): input is string | undefined {
  return typeof input === "string" || input === undefined;
}

/**
 * The graph task in which the tool runs: made from the checkpoint, so a resumed or retried task has the same and the next turn of the model another.
 * A tool that runs outside a graph has none.
 */
function turnOf(config: ToolRunnableConfig | undefined): string | undefined {
  const task: unknown = config?.configurable?.["checkpoint_ns"];
  return typeof task === "string" && task !== "" ? task : undefined;
}

/** Computed at every call: a description that changes while the agent runs is another definition. */
function definitionOf({ name, description, schema }: ClientTool): string | undefined {
  try {
    return definitionDigest({ name, description, inputSchema: toJsonSchema(schema as Parameters<typeof toJsonSchema>[0]) });
  } catch {
    // INVARIANT I1: a schema without a JSON form has no digest, and that matches no pin.
    return undefined;
  }
}
