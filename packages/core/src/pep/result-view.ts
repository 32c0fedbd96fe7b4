import { copyData, isJsonObject, own, type Json, type JsonObject } from "../data/json.ts";

/** Results may be larger than arguments, but not without end. */
const RESULT_LIMITS = { depth: 64, nodes: 1_000_000, characters: 16_777_216 };

/** The data inside a result, in whatever wrapping a framework has put it. */
export interface ResultView {
  /** What pointers of the manifest refer to. */
  readonly value: Json;
  /** The tool reports that it failed. */
  readonly isError: boolean;
  /** The same wrapping around other data. */
  replace(value: Json): unknown;
}

/**
 * Looks into a result. An MCP result (an object with a list `content`) is its `structuredContent`, else the JSON of its only text; text that is JSON is
 * that JSON; plain data is itself. `undefined` when the result is not plain data: nothing can be checked in it.
 */
export function viewResult(result: unknown): ResultView | undefined {
  const data = tryCopy(result);
  if (data === undefined) return undefined;
  if (isJsonObject(data) && Array.isArray(own(data, "content"))) return viewMcpResult(data);
  const parsed = typeof data === "string" ? parseStructure(data) : undefined;
  if (parsed !== undefined) return { value: parsed, isError: false, replace: (value) => JSON.stringify(value) };
  return { value: data, isError: false, replace: (value) => value };
}

/** Members of a tool's result that say how it is to be read (MCP 2025-11-25, 2026-07-28). */
const PROTOCOL_MEMBERS = ["isError", "resultType"] as const;

function viewMcpResult(data: JsonObject): ResultView {
  const isError = own(data, "isError") === true;
  const structured = own(data, "structuredContent");
  // What else a server puts in (`_meta`, members of its own) is not checked, so it does not stay either.
  const kept = Object.fromEntries(
    PROTOCOL_MEMBERS.flatMap((member) => (own(data, member) === undefined ? [] : [[member, own(data, member) as Json] as const])),
  );
  const withText = (value: Json): readonly Json[] => [{ type: "text", text: JSON.stringify(value) }];
  if (isJsonObject(structured)) {
    // The text blocks say the same again, so they cannot stay when the data changes.
    return { value: structured, isError, replace: (value) => ({ ...kept, content: withText(value), structuredContent: value }) };
  }
  const blocks = data["content"] as readonly Json[];
  const [block] = blocks;
  const text = blocks.length === 1 && isJsonObject(block) && own(block, "type") === "text" ? own(block, "text") : undefined;
  const parsed = typeof text === "string" ? parseStructure(text) : undefined;
  if (parsed !== undefined) return { value: parsed, isError, replace: (value) => ({ ...kept, content: withText(value) }) };
  return { value: data, isError, replace: (value) => value };
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
