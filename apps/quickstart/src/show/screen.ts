import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Where a run is shown, a line at a time. */
export interface Screen {
  /** Characters in a line. */
  readonly width: number;
  readonly paint: (style: Style, text: string) => string;
  readonly line: (text?: string) => void;
  /** Begins a section. */
  readonly heading: (text: string) => void;
}

/** Colours only where they can be seen: not in a pipe, not with `NO_COLOR`. */
export function createScreen(stream: NodeJS.WritableStream & { readonly columns?: number }): Screen {
  const paint: Screen["paint"] = (style, text) => styleText(style, text, { stream });
  const line = (text = ""): void => void stream.write(`${text}\n`);
  return { width: Math.max(80, Math.min(stream.columns ?? 110, 140)), paint, line, heading: (text) => line(`\n${paint("bold", text)}\n`) };
}

/** Breaks text at blanks so that it fits into the width; the lines after the first are indented as the first one is. */
export function wrapped(text: string, indent: string, width: number): string {
  const lines: string[] = [];
  let current = "";
  for (const word of printable(text).split(" ")) {
    if (current !== "" && indent.length + current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else {
      current = current === "" ? word : `${current} ${word}`;
    }
  }
  return [...lines, current].map((line) => indent + line).join("\n");
}

/** Arguments on one line, long text cut. */
export function brief(input: unknown, width: number): string {
  if (typeof input !== "object" || input === null) return cut(String(input), width);
  const members = Object.entries(input).map(([name, value]) => `${name}=${cut(typeof value === "string" ? value : JSON.stringify(value), 40)}`);
  return cut(members.join(" "), width);
}

/** Names and texts may come from a model or a document: what would move the cursor or turn the text around is spelled out. */
function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `<${(character.codePointAt(0) ?? 0).toString(16)}>`);
}

function cut(text: string, length: number): string {
  const line = printable(text.replaceAll(/\s+/g, " "));
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`;
}
