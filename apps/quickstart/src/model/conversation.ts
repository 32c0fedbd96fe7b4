import type { JsonObject } from "@ambit/core";

/** A call that the model asks for. */
export interface Call {
  readonly id: string;
  readonly tool: string;
  readonly input: JsonObject;
}

/** What a call brought back, as the model reads it. */
export interface Seen {
  readonly call: Call;
  readonly text: string;
}

/** All that a model knows: what it was told, and what its calls brought back. */
export interface Conversation {
  readonly prompt: string;
  readonly seen: readonly Seen[];
}

/** What a model does next. */
export type Turn = { readonly calls: readonly Call[] } | { readonly text: string };

/** A model without a model: the next turn as a function of the conversation alone. */
export type Script = (conversation: Conversation) => Turn;

/** The data in the first answer of a tool that is JSON. */
export function answerOf(conversation: Conversation, tool: string): JsonObject | undefined {
  return answersOf(conversation, tool)[0];
}

/** The data in all answers of a tool that are JSON objects; refusals carry an `error` and are left out. */
export function answersOf(conversation: Conversation, tool: string): readonly JsonObject[] {
  return conversation.seen
    .filter(({ call }) => call.tool === tool)
    .flatMap(({ text }) => {
      const data = parseObject(text);
      return data === undefined || Object.hasOwn(data, "error") ? [] : [data];
    });
}

export function parseObject(text: string): JsonObject | undefined {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === "object" && data !== null && !Array.isArray(data) ? (data as JsonObject) : undefined;
  } catch {
    return undefined; // an answer in words
  }
}
