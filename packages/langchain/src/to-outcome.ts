import { modelRefusal, type Refused } from "@ambit/core";
import { ToolMessage } from "@langchain/core/messages";

/** What the model is told of a refused call; an error to LangChain, and the run goes on. */
export function toDenial(refused: Refused, tool: string, callId: string | undefined): ToolMessage {
  return new ToolMessage({ status: "error", content: JSON.stringify(modelRefusal(refused)), name: tool, tool_call_id: callId ?? "" });
}

/** What the model is told of an error by LangChain itself, in agents whose middleware leaves tools alone. */
export function toFailure(error: unknown, tool: string, callId: string | undefined): ToolMessage {
  return new ToolMessage({ status: "error", content: `${String(error)}\n Please fix your mistakes.`, name: tool, tool_call_id: callId ?? "" });
}

/** Whether LangGraph threw to pause or to redirect the run. Tested by shape, as LangGraph does. */
export function isGraphBubbleUp(error: unknown): boolean {
  return typeof error === "object" && error !== null && "is_bubble_up" in error && error.is_bubble_up === true;
}

/** Whether a graph only pauses; of what bubbles up, a command to a parent graph ends the run as a return does. */
export function isInterrupt(error: unknown): boolean {
  return isGraphBubbleUp(error) && ["GraphInterrupt", "NodeInterrupt"].includes((error as { readonly name?: string }).name ?? "");
}

/** By shape: that of `@langchain/core` 0.3 takes messages only. */
function isToolMessage(value: unknown): value is ToolMessage {
  return typeof value === "object" && value !== null && "tool_call_id" in value && "_getType" in value && ToolMessage.isInstance(value as ToolMessage);
}

/** What obligations are carried out on, and the way back into the wrapping. */
interface Part<T> {
  readonly data: unknown;
  replace(data: unknown): T;
}

/**
 * The data of a result in LangChain's wrapping: a pair of content and artifact (`isPair`), a `ToolMessage`, blocks of text. The data of a pair is its
 * artifact when that is an object, else its content. The other half was not checked, so `replace` writes it anew or leaves it out.
 */
export function partOf(result: unknown, isPair: boolean): Part<unknown> {
  if (isPair && Array.isArray(result) && result.length === 2) return partOfPair(result[0], result[1], false);
  if (!isToolMessage(result)) return partOfContent(result, false);
  const { name, status, tool_call_id: callId } = result;
  const pair = partOfPair(result.content, result.artifact, status === "error");
  return {
    data: pair.data,
    replace: (data) => {
      const [content, artifact] = pair.replace(data);
      return new ToolMessage({
        ...(name === undefined ? {} : { name }),
        ...(status === undefined ? {} : { status }),
        tool_call_id: callId,
        content: content as string,
        artifact,
      });
    },
  };
}

function partOfPair(content: unknown, artifact: unknown, isError: boolean): Part<readonly [content: unknown, artifact: unknown]> {
  if (!isError && typeof artifact === "object" && artifact !== null && !Array.isArray(artifact))
    return { data: artifact, replace: (data) => [JSON.stringify(data), data] };
  const part = isToolMessage(content) ? partOf(content, false) : partOfContent(content, isError);
  return { data: part.data, replace: (data) => [part.replace(data), undefined] };
}

/** Text goes to core in MCP's form, which it knows to look into and which says whether the tool failed. */
function partOfContent(content: unknown, isError: boolean): Part<unknown> {
  const blocks: unknown = typeof content === "string" ? [{ type: "text", text: content }] : content;
  if (!isTextBlocks(blocks)) return { data: content, replace: (data) => data };
  return {
    data: { isError, content: blocks },
    replace: (data) => {
      const { content: shown } = data as { readonly content: TextBlocks };
      return typeof content === "string" ? shown[0]?.text : shown;
    },
  };
}

type TextBlocks = readonly { readonly type: "text"; readonly text: string }[];

function isTextBlocks(value: unknown): value is TextBlocks {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((block: Partial<TextBlocks[number]> | null) => block?.type === "text" && typeof block.text === "string")
  );
}
