import type { LanguageModelV4CallOptions, LanguageModelV4Content, LanguageModelV4GenerateResult, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { MockLanguageModelV4 } from "ai/test";

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
  /** What the model wrote; default: the JSON of `input`. */
  readonly text?: string;
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
};

/** A model that makes the calls of one turn after the other, and then says `done`. */
export function callingModel(...turns: readonly (readonly Call[])[]): MockLanguageModelV4 {
  const answers = [...turns.map(callsOf), [{ type: "text", text: "done" } as const]];
  let generated = 0;
  let streamed = 0;
  return new MockLanguageModelV4({
    doGenerate: async () => answer(answers[generated++] ?? []),
    doStream: async () => ({ stream: ReadableStream.from(partsOf(answer(answers[streamed++] ?? []))) }),
  });
}

function callsOf(calls: readonly Call[]): LanguageModelV4Content[] {
  return calls.map(({ id, name, input, text }) => ({ type: "tool-call", toolCallId: id, toolName: name, input: text ?? JSON.stringify(input) }));
}

function answer(content: LanguageModelV4Content[]): LanguageModelV4GenerateResult {
  const unified = content.some(({ type }) => type === "tool-call") ? "tool-calls" : "stop";
  return { content, finishReason: { unified, raw: unified }, usage, warnings: [] };
}

function partsOf({ content, finishReason }: LanguageModelV4GenerateResult): LanguageModelV4StreamPart[] {
  const parts = content.flatMap((part): LanguageModelV4StreamPart[] => {
    if (part.type === "text") {
      return [
        { type: "text-start", id: "text" },
        { type: "text-delta", id: "text", delta: part.text },
        { type: "text-end", id: "text" },
      ];
    }
    if (part.type !== "tool-call") return [];
    const { toolCallId: id, toolName, input } = part;
    return [{ type: "tool-input-start", id, toolName }, { type: "tool-input-delta", id, delta: input }, { type: "tool-input-end", id }, part];
  });
  return [{ type: "stream-start", warnings: [] }, ...parts, { type: "finish", finishReason, usage }];
}

/** What the model was shown of its calls, in the order of the calls, by the id of the call. */
export function shownToModel(calls: readonly LanguageModelV4CallOptions[]): readonly { readonly id: string; readonly output: unknown }[] {
  const last = calls.at(-1)?.prompt ?? [];
  return last.flatMap(({ role, content }) =>
    role === "tool" ? content.flatMap((part) => (part.type === "tool-result" ? [{ id: part.toolCallId, output: part.output }] : [])) : [],
  );
}
