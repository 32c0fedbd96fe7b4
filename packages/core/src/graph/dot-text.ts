/** Characters that a line of a label shows at most. */
const MOST = 80;

/** Control, format (direction, zero width), private and unassigned characters, halves of surrogate pairs, line and paragraph separators. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/**
 * A quoted DOT string of the lines that are there. In it a backslash would begin an escape (`\N` is the node's name), a quote would end it, and
 * `&` would begin an entity; a quoted string is never read as HTML.
 */
export function quote(lines: readonly (string | undefined)[]): string {
  return `"${lines.flatMap((line) => (line === undefined ? [] : [escape(line)])).join("\\n")}"`;
}

function escape(line: string): string {
  if (line.trim() === "") return "(empty)";
  const shown = Array.from(line.slice(0, 2 * MOST).replace(INVISIBLE, spell));
  const cut = shown.length > MOST ? [...shown.slice(0, MOST - 1), "…"] : shown;
  return cut.join("").replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("&", "&amp;");
}

function spell(character: string): string {
  return `<${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}>`;
}
