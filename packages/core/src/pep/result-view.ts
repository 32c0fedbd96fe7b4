import { copyData, isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";

/** Results may be larger than arguments, but not without end. */
const RESULT_LIMITS = { depth: 64, nodes: 1_000_000, characters: 16_777_216 };

/** The data inside a result, in whatever wrapping a framework has put it. */
export interface ResultView {
  /** What pointers of the manifest refer to. */
  readonly value: Json;
  readonly kind:
    /** What the tool returned, as data. */
    | "data"
    /** Blocks of text and the like instead of data: they can be counted, but nothing can be looked for in them. */
    | "content"
    /** The tool reports that it failed: the beginning of what it says. */
    | "error";
  /** The same wrapping around other data. */
  replace(value: Json): unknown;
}

/**
 * Looks into a result. An MCP result (an object with a list `content`) is its `structuredContent`, else its content. Content is the JSON of its only text, else the
 * list of its blocks. Text that is JSON is that JSON; plain data is itself. `undefined` when the result is not plain data: nothing can be checked in it.
 */
export function viewResult(result: unknown): ResultView | undefined {
  const data = tryCopy(result);
  if (data === undefined) return undefined;
  if (isContent(data)) return viewContent(data, (content) => content);
  const content = isJsonObject(data) ? own(data, "content") : undefined;
  if (isList(content)) return viewMcpResult(data as JsonObject, content);
  const parsed = typeof data === "string" ? parseStructure(data) : undefined;
  if (parsed !== undefined) return { value: parsed, kind: "data", replace: (value) => JSON.stringify(value) };
  return { value: data, kind: "data", replace: (value) => value };
}

/** Whether a result in MCP's form says that the tool has failed. */
export function isErrorResult(result: unknown): boolean {
  if (typeof result !== "object" || result === null) return false;
  const valueOf = (member: string): unknown => Object.getOwnPropertyDescriptor(result, member)?.value;
  return valueOf("isError") === true && Array.isArray(valueOf("content"));
}

function viewMcpResult(data: JsonObject, content: readonly Json[]): ResultView {
  const isError = own(data, "isError");
  // Only what says how a result is to be read (MCP 2025-11-25, 2026-07-28). `_meta` and members of the server's own are not checked, so they do not stay.
  const kept: JsonObject = {
    ...(typeof isError === "boolean" ? { isError } : {}),
    ...(own(data, "resultType") === "complete" ? { resultType: "complete" } : {}),
  };
  const withContent = (blocks: Json): JsonObject => ({ ...kept, content: blocks });
  if (isErrorResult(data)) return { value: errorText(content), kind: "error", replace: withContent };
  const structured = own(data, "structuredContent");
  if (!isJsonObject(structured)) return viewContent(content, withContent);
  // The text blocks say the same again, so they cannot stay when the data changes.
  return { value: structured, kind: "data", replace: (value) => ({ ...withContent(textOf(value)), structuredContent: value }) };
}

function viewContent(content: readonly Json[], replace: (content: Json) => unknown): ResultView {
  const [block, second] = content;
  const text = second === undefined && isTextBlock(block) ? parseStructure(block.text) : undefined;
  if (text === undefined) return { value: content, kind: "content", replace };
  return { value: text, kind: "data", replace: (value) => replace(textOf(value)) };
}

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
const textOf = (value: Json): Json => [{ type: "text", text: JSON.stringify(value) }];

function isTextBlock(block: Json | undefined): block is { readonly type: "text"; readonly text: string } {
  return isJsonObject(block) && own(block, "type") === "text" && typeof own(block, "text") === "string";
}

/** A list of blocks without the object that MCP has around it, as LangChain has it. */
function isContent(data: Json): data is readonly Json[] {
  const isResource = (block: Json): boolean => isJsonObject(block) && own(block, "type") === "resource" && isJsonObject(own(block, "resource"));
  return isList(data) && data.some((block) => isTextBlock(block) || isResource(block));
}

/** A reason for the model, not room for records. */
const ERROR_CHARACTERS = 2000;

function errorText(content: readonly Json[]): readonly Json[] {
  let left = ERROR_CHARACTERS;
  return content.flatMap((block) => {
    if (!isTextBlock(block) || left <= 0) return [];
    const text = block.text.slice(0, left).toWellFormed();
    left -= text.length;
    return [{ type: "text", text }];
  });
}

/** Objects and lists only: the text `12` is text. */
function parseStructure(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return tryCopy(JSON.parse(text));
  } catch {
    return undefined; // text that is not JSON is text
  }
}

function tryCopy(value: unknown): Json | undefined {
  if (value === undefined) return null;
  try {
    return copyData(value, "obligation_unsupported", "the result", RESULT_LIMITS);
  } catch {
    return undefined; // not plain data: the caller withholds it when something had to be checked in it
  }
}
