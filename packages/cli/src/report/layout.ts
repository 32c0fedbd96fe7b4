import type { Paint } from "../output/paint.ts";

/** How lines are set. */
export interface Layout {
  readonly paint: Paint;
  /** Characters in a line; absent where lines have no end: in a file or a pipe. */
  readonly columns: number | undefined;
}

/** Width of the column of labels; longer ones have a line of their own. */
const LEAST_LABEL = 13;
const MOST_LABEL = 32;
/** Below it, labels have a line of their own. */
const NARROW = 60;
/** No narrower than that, however narrow the screen. */
const LEAST = 20;

/** Breaks text at blanks; a word that is too long, such as an id, stays whole so that it can be copied. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Text as a paragraph, indented. */
export function paragraph(text: string, indent: number, { columns }: Layout): readonly string[] {
  return wrapped(text, widthFor(columns, indent)).map((line) => " ".repeat(indent) + line);
}

/** Labels and their texts beside them, or below where there is no room; further lines stand under the text. */
export function rows(list: readonly (readonly [label: string, text: string])[], layout: Layout, indent = 2): readonly string[] {
  const { paint, columns } = layout;
  const start = " ".repeat(indent);
  const label = Math.max(LEAST_LABEL, ...list.map(([name]) => (name.length > MOST_LABEL ? 0 : name.length)));
  const left = indent + label + 2;
  return list.flatMap(([name, text]) => {
    const isBelow = name.length > label || (columns !== undefined && columns < NARROW);
    if (isBelow) return [`${start}${paint.dim(name)}`, ...paragraph(text, indent + 2, layout)];
    const [first = "", ...rest] = wrapped(text, widthFor(columns, left));
    return [`${start}${paint.dim(name.padEnd(label))}  ${first}`, ...rest.map((line) => " ".repeat(left) + line)];
  });
}

function widthFor(columns: number | undefined, indent: number): number {
  return columns === undefined ? Number.POSITIVE_INFINITY : Math.max(LEAST, columns - indent);
}

/** What was printed, as one text. */
export function textOf(sections: readonly (readonly string[])[]): string {
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n")}\n`;
}
