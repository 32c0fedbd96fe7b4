import { definitionDigest, digestOf, type EnvelopeSource, type ToolCall } from "@ambit/core";
import { asSchema } from "ai";

/** The part of a message that ai 5, 6 and 7 share. */
interface Message {
  readonly role: string;
  readonly content: string | readonly { readonly type: string; readonly text?: string; readonly toolCallId?: string }[];
}

/** The part of the options of `execute` that ai 5, 6 and 7 share; everything else in them is passed on untouched. */
export interface ExecuteOptions {
  readonly toolCallId: string;
  readonly messages: readonly Message[];
  readonly abortSignal?: AbortSignal | undefined;
}

/** A tool under protection: what of a call does not depend on the call. */
export interface Subject {
  readonly envelope: EnvelopeSource;
  readonly name: string;
  readonly definition: () => Promise<string | undefined>;
}

/** The call as core asks about it. The arguments are what `execute` gets: validated, with defaults, transformed, refined. */
export async function toCall(subject: Subject, input: unknown, options: ExecuteOptions | undefined): Promise<ToolCall> {
  const callId = options?.toolCallId;
  return {
    envelope: subject.envelope,
    tool: subject.name,
    definition: await subject.definition(),
    arguments: input,
    callId,
    turn: callId === undefined ? undefined : turnOf(options?.messages, callId),
    signal: options?.abortSignal,
  };
}

/**
 * Tells the turns of a model apart. The SDK has no id for a turn, and a call id alone is none: some models count their calls anew in every
 * conversation. So it is the number of messages that the model answered to, and what the last of them said or which calls it answered.
 *
 * A call that waited for an approval runs with a history in which it already stands, without a result. What stood before it there is what
 * the model answered to, so the turn is the same before and after the wait, and a history that is sent once more is a repetition.
 *
 * @internal exported for its test
 */
export function turnOf(messages: readonly Message[] | undefined, callId: string): string | undefined {
  if (!Array.isArray(messages)) return undefined;
  const asked = openCall(messages, callId);
  const before: readonly Message[] = asked === -1 ? messages : messages.slice(0, asked);
  const last = before.at(-1);
  // Texts and ids only: images and files would make a digest of megabytes for each call.
  const marks = typeof last?.content === "string" ? [last.content] : (last?.content ?? []).map((part) => part.toolCallId ?? part.text ?? part.type);
  return `${before.length}.${digestOf([last?.role ?? "", ...marks])}`;
}

/** Whether a call comes back from a wait for an approval, or the history says so. Agents of `@ai-sdk/workflow` show new calls in their history, too, without a request. */
export function isWaiting(messages: readonly Message[] | undefined, callId: string): boolean {
  if (!Array.isArray(messages)) return false;
  const asked = openCall(messages, callId);
  return asked !== -1 && messages.slice(asked).some((message) => mentions(message, "tool-approval-request", callId));
}

/** Where the call stands in the history without a result; -1 where it does not. */
function openCall(messages: readonly Message[], callId: string): number {
  const asked = messages.findLastIndex((message) => mentions(message, "tool-call", callId));
  return asked !== -1 && messages.slice(asked).some((message) => mentions(message, "tool-result", callId)) ? -1 : asked;
}

function mentions({ content }: Message, type: "tool-call" | "tool-result" | "tool-approval-request", callId: string): boolean {
  return typeof content !== "string" && content.some((part) => part.type === type && part.toolCallId === callId);
}

/**
 * The digest of a tool's definition, computed at its first call, since the schema may be lazy or a promise. `undefined`, which no pin matches, for a
 * description that is a function and a schema that has no JSON form.
 */
export function definitionOf(name: string, tool: Readonly<Record<string, unknown>>): () => Promise<string | undefined> {
  let digest: Promise<string | undefined> | undefined;
  const compute = async (): Promise<string | undefined> => {
    try {
      const inputSchema = await asSchema(tool["inputSchema"] as Parameters<typeof asSchema>[0]).jsonSchema;
      return definitionDigest({ name, description: tool["description"] as string | undefined, inputSchema });
    } catch {
      // INVARIANT I1: without a digest the pin does not match, and an unmatched pin is a deny.
      return undefined;
    }
  };
  return () => (digest ??= compute());
}
