import type { LanguageModelV4, LanguageModelV4GenerateResult, LanguageModelV4Prompt, LanguageModelV4ToolResultOutput } from "@ai-sdk/provider";
import type { JsonObject } from "@ambit/core";
import { MockLanguageModelV4 } from "ai/test";
import type { Call, Conversation, Script, Seen } from "./conversation.ts";

const UNKNOWN_USAGE = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

/** The AI SDK's own mock model, driven by a script. */
export function scriptedModel(script: Script): LanguageModelV4 {
  return new MockLanguageModelV4({ modelId: "gullible-script", doGenerate: async ({ prompt }) => generate(script, conversationOf(prompt)) });
}

function generate(script: Script, conversation: Conversation): LanguageModelV4GenerateResult {
  const turn = script(conversation);
  if ("text" in turn) {
    return { content: [{ type: "text", text: turn.text }], finishReason: { unified: "stop", raw: undefined }, usage: UNKNOWN_USAGE, warnings: [] };
  }
  const content = turn.calls.map(({ id, tool, input }) => ({ type: "tool-call" as const, toolCallId: id, toolName: tool, input: JSON.stringify(input) }));
  return { content, finishReason: { unified: "tool-calls", raw: undefined }, usage: UNKNOWN_USAGE, warnings: [] };
}

function conversationOf(prompt: LanguageModelV4Prompt): Conversation {
  const calls = new Map<string, Call>();
  const seen: Seen[] = [];
  const told: string[] = [];
  for (const message of prompt) {
    if (message.role === "system") continue;
    for (const part of message.content) {
      if (message.role === "user" && part.type === "text") told.push(part.text);
      if (part.type === "tool-call") calls.set(part.toolCallId, { id: part.toolCallId, tool: part.toolName, input: part.input as JsonObject });
      const call = part.type === "tool-result" ? calls.get(part.toolCallId) : undefined;
      if (part.type === "tool-result" && call !== undefined) seen.push({ call, text: textOf(part.output) });
    }
  }
  return { prompt: told.join("\n"), seen };
}

function textOf(output: LanguageModelV4ToolResultOutput): string {
  switch (output.type) {
    case "text":
    case "error-text":
      return output.value;
    case "json":
    case "error-json":
      return JSON.stringify(output.value);
    case "execution-denied":
      return output.reason ?? "";
    case "content":
      return output.value.map((part) => (part.type === "text" ? part.text : "")).join("\n");
  }
}
