import type { LanguageModelV4, LanguageModelV4FunctionTool, LanguageModelV4Message } from "@ai-sdk/provider";
import { BaseChatModel, type BaseChatModelCallOptions, type BindToolsInput } from "@langchain/core/language_models/chat_models";
import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import { AIMessage, type AIMessageChunk, type BaseMessage, type ToolMessage } from "@langchain/core/messages";
import type { ChatResult } from "@langchain/core/outputs";
import type { Runnable } from "@langchain/core/runnables";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";

interface CallOptions extends BaseChatModelCallOptions {
  readonly tools?: readonly BindToolsInput[];
}

/** A LangChain chat model that thinks with a model of the AI SDK, so that both agents can share an endpoint or a script. */
export class BridgedChatModel extends BaseChatModel<CallOptions, AIMessageChunk> {
  readonly #model: LanguageModelV4;

  constructor(model: LanguageModelV4) {
    super({});
    this.#model = model;
  }

  override _llmType(): string {
    return "ai-sdk";
  }

  override bindTools(tools: BindToolsInput[], options?: Partial<CallOptions>): Runnable<BaseLanguageModelInput, AIMessageChunk, CallOptions> {
    return this.withConfig({ tools, ...options });
  }

  override async _generate(messages: BaseMessage[], { tools = [], signal }: this["ParsedCallOptions"]): Promise<ChatResult> {
    const answer = await this.#model.doGenerate({
      prompt: messages.map(toPrompt),
      tools: tools.map(toFunctionTool),
      ...(signal === undefined ? {} : { abortSignal: signal }),
    });
    const text = answer.content.map((part) => (part.type === "text" ? part.text : "")).join("");
    const calls = answer.content.flatMap((part) =>
      part.type === "tool-call"
        ? [{ type: "tool_call" as const, id: part.toolCallId, name: part.toolName, args: JSON.parse(part.input) as Record<string, unknown> }]
        : [],
    );
    return { generations: [{ text, message: new AIMessage({ content: text, tool_calls: calls }) }] };
  }
}

function toPrompt(message: BaseMessage): LanguageModelV4Message {
  switch (message.type) {
    case "system":
      return { role: "system", content: message.text };
    case "human":
      return { role: "user", content: [{ type: "text", text: message.text }] };
    case "ai": {
      const calls = (message as AIMessage).tool_calls ?? [];
      return {
        role: "assistant",
        content: [
          ...(message.text === "" ? [] : [{ type: "text" as const, text: message.text }]),
          ...calls.map(({ id = "", name, args }) => ({ type: "tool-call" as const, toolCallId: id, toolName: name, input: args })),
        ],
      };
    }
    case "tool": {
      const { tool_call_id, name = "", status } = message as ToolMessage;
      const output = { type: status === "error" ? ("error-text" as const) : ("text" as const), value: message.text };
      return { role: "tool", content: [{ type: "tool-result", toolCallId: tool_call_id, toolName: name, output }] };
    }
    default:
      throw new TypeError(`a message of type \`${message.type}\` cannot be passed on`);
  }
}

function toFunctionTool(tool: BindToolsInput): LanguageModelV4FunctionTool {
  const { function: definition } = convertToOpenAITool(tool);
  const { name, description, parameters } = definition;
  return {
    type: "function",
    name,
    inputSchema: parameters as LanguageModelV4FunctionTool["inputSchema"],
    ...(description === undefined ? {} : { description }),
  };
}
