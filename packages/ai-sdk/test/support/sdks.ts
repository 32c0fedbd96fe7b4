import type { ServerResponse } from "node:http";
import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import * as ai7 from "ai";
import * as ai5 from "ai-5";
import * as test5 from "ai-5/test";
import * as ai6 from "ai-6";
import * as test6 from "ai-6/test";
import * as test7 from "ai/test";

/** A model of any version: what it was asked is the same in all of them as far as tests look at it. */
export interface Model {
  readonly doGenerateCalls: readonly LanguageModelV4CallOptions[];
  readonly doStreamCalls: readonly LanguageModelV4CallOptions[];
}

export interface Part {
  readonly type: string;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly preliminary?: boolean;
  readonly approvalId?: string;
  readonly toolCall?: { readonly toolCallId: string };
}

export interface Message {
  readonly role: string;
  readonly content: unknown;
}

export interface Result {
  readonly text: string;
  readonly content: readonly Part[];
  readonly steps: readonly { readonly content: readonly Part[] }[];
  readonly response: { readonly messages: readonly Message[] };
  readonly responseMessages?: readonly Message[];
}

export interface StreamResult {
  readonly text: PromiseLike<string>;
  readonly content: PromiseLike<readonly Part[]>;
  readonly steps: PromiseLike<readonly { readonly content: readonly Part[] }[]>;
  readonly response: PromiseLike<{ readonly messages: readonly Message[] }>;
  readonly responseMessages?: PromiseLike<readonly Message[]>;
  readonly fullStream: ReadableStream<Part>;
  readonly textStream: ReadableStream<string>;
  toUIMessageStream(): ReadableStream<Part>;
  toUIMessageStreamResponse(): Response;
  toTextStreamResponse(): Response;
  pipeUIMessageStreamToResponse(response: ServerResponse): unknown;
  consumeStream(): PromiseLike<void>;
}

export interface RunOptions {
  readonly model: Model;
  readonly tools: object;
  readonly prompt?: string;
  readonly messages?: readonly Message[];
  readonly [option: string]: unknown;
}

export interface Agent {
  generate(options: object): Promise<Result>;
  stream(options: object): PromiseLike<StreamResult> | StreamResult;
}

/** One version of the SDK, as tests use it: its own functions, and its own mock of a model. */
export interface Sdk {
  readonly major: 5 | 6 | 7;
  readonly generateText: (options: RunOptions) => Promise<Result>;
  readonly streamText: (options: RunOptions) => StreamResult;
  readonly tool: (tool: object) => object;
  readonly dynamicTool: (tool: object) => object;
  readonly jsonSchema: (schema: object) => unknown;
  readonly stopAfter: (steps: number) => unknown;
  readonly Agent: new (settings: object) => Agent;
  readonly Mock: new (answers: object) => Model;
  /** How the provider's part of this version says why it stopped, and what it used. */
  readonly finish: (reason: "stop" | "tool-calls" | "length") => object;
}

const tokens = { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined, text: 1, reasoning: undefined };
const since6 = (reason: string): object => ({ finishReason: { unified: reason, raw: reason }, usage: { inputTokens: tokens, outputTokens: tokens } });

type Functions = Pick<Sdk, "generateText" | "streamText" | "tool" | "dynamicTool" | "jsonSchema">;

function sdk(
  major: Sdk["major"],
  functions: unknown,
  agent: () => unknown,
  more: { readonly stopAfter: unknown; readonly Mock: unknown; readonly finish?: Sdk["finish"] },
): Sdk {
  const { generateText, streamText, tool, dynamicTool, jsonSchema } = functions as Functions;
  const { stopAfter, Mock, finish = since6 } = more as Pick<Sdk, "stopAfter" | "Mock" | "finish">;
  const made = { major, generateText, streamText, tool, dynamicTool, jsonSchema, stopAfter, Mock, finish };
  // Late: where a test has put another version in the place of `ai`, there may be no such class.
  return Object.defineProperty(made, "Agent", { get: agent }) as Sdk;
}

export const sdk7: Sdk = sdk(7, ai7, () => ai7.ToolLoopAgent, { stopAfter: ai7.stepCountIs, Mock: test7.MockLanguageModelV4 });
export const sdk6: Sdk = sdk(6, ai6, () => ai6.ToolLoopAgent, { stopAfter: ai6.stepCountIs, Mock: test6.MockLanguageModelV3 });
export const sdk5: Sdk = sdk(5, ai5, () => ai5.Experimental_Agent, {
  stopAfter: ai5.stepCountIs,
  Mock: test5.MockLanguageModelV2,
  finish: (finishReason) => ({ finishReason, usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } }),
});

/** For `describe.each`. */
export const named: readonly [string, Sdk][] = [sdk5, sdk6, sdk7].map((each) => [`ai ${each.major}`, each]);

/** The messages that a run has added, wherever its version has them. */
export async function addedMessages(result: Result | StreamResult): Promise<readonly Message[]> {
  return (await result.responseMessages) ?? (await result.response).messages;
}
