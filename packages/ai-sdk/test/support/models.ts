import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { MockLanguageModelV4 } from "ai/test";
import { sdk7, type Model, type Sdk } from "./sdks.ts";

export interface Call {
  readonly id: string;
  readonly name: string;
  readonly input: unknown;
  /** What the model wrote; default: the JSON of `input`. */
  readonly text?: string;
}

type Content = { readonly type: "text"; readonly text: string } | ReturnType<typeof callsOf>[number];

/** A model that makes the calls of one turn after the other, and then says `done`. Like a real one, it does not answer whoever has given up. */
export function callingModel(...turns: readonly (readonly Call[])[]): MockLanguageModelV4 {
  return callingModelOf(sdk7, ...turns) as MockLanguageModelV4;
}

/** The same, in any version. */
export function callingModelOf(sdk: Sdk, ...turns: readonly (readonly Call[])[]): Model {
  const answers: readonly (readonly Content[])[] = [...turns.map(callsOf), [{ type: "text", text: "done" }]];
  let asked = 0;
  const next = ({ abortSignal }: { readonly abortSignal?: AbortSignal }) => {
    abortSignal?.throwIfAborted();
    const content = answers[asked++] ?? [];
    return { content, ...sdk.finish(content.some(({ type }) => type === "tool-call") ? "tool-calls" : "stop"), warnings: [] };
  };
  return new sdk.Mock({
    doGenerate: async (options: object) => next(options),
    doStream: async (options: object) => ({ stream: ReadableStream.from(partsOf(next(options))) }),
  });
}

function callsOf(calls: readonly Call[]) {
  return calls.map(({ id, name, input, text }) => ({ type: "tool-call" as const, toolCallId: id, toolName: name, input: text ?? JSON.stringify(input) }));
}

function partsOf({ content, warnings, ...finish }: { readonly content: readonly Content[]; readonly warnings: readonly never[] }): readonly object[] {
  const parts = content.flatMap((part): object[] => {
    if (part.type === "text") {
      return [
        { type: "text-start", id: "text" },
        { type: "text-delta", id: "text", delta: part.text },
        { type: "text-end", id: "text" },
      ];
    }
    const { toolCallId: id, toolName, input } = part;
    return [{ type: "tool-input-start", id, toolName }, { type: "tool-input-delta", id, delta: input }, { type: "tool-input-end", id }, part];
  });
  return [{ type: "stream-start", warnings }, ...parts, { type: "finish", ...finish }];
}

/** What the model was shown of its calls, in the order of the calls, by the id of the call. */
export function shownToModel(calls: readonly LanguageModelV4CallOptions[]): readonly { readonly id: string; readonly output: unknown }[] {
  const last = calls.at(-1)?.prompt ?? [];
  return last.flatMap(({ role, content }) =>
    role === "tool" ? content.flatMap((part) => (part.type === "tool-result" ? [{ id: part.toolCallId, output: part.output }] : [])) : [],
  );
}
