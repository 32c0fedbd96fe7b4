import type { JsonObject } from "@ambit/core";
import { parseObject } from "./conversation.ts";

export interface Instruction {
  readonly tool: string;
  readonly input: JsonObject;
}

/**
 * Every "call TOOL with {…}" in a text, in order: what a gullible reader takes for an order. Text that is JSON is read member by member,
 * as a model does that sees through the quoting.
 */
export function findInstructions(text: string): readonly Instruction[] {
  return textsIn(text).flatMap(instructionsIn);
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") {
    const data = parseObject(value);
    return data === undefined ? [value] : textsIn(data);
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

function instructionsIn(text: string): readonly Instruction[] {
  const found: Instruction[] = [];
  const pattern = /\bcall ([A-Za-z0-9_.-]+) with (?=\{)/g;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const json = objectAt(text, pattern.lastIndex);
    const input = parseObject(json);
    if (input === undefined) continue;
    found.push({ tool: match[1] as string, input });
    // What is quoted inside the arguments is for somebody else.
    pattern.lastIndex += json.length;
  }
  return found;
}

/** The text from an opening brace to the one that closes it. */
function objectAt(text: string, start: number): string {
  let depth = 0;
  let isQuoted = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (isQuoted) {
      if (character === "\\") at += 1;
      else if (character === '"') isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === "{") depth += 1;
    else if (character === "}" && --depth === 0) return text.slice(start, at + 1);
  }
  return "";
}
