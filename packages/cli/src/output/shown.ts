import { printable } from "../infer/printable.ts";

const UNSHOWABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** JSON for programs that is safe on a screen too: what a terminal would obey is escaped, and stays the same JSON. */
export function jsonText(value: unknown, form: "lines" | "line" = "lines"): string {
  const text = form === "line" ? JSON.stringify(value) : JSON.stringify(value, null, 2);
  return text.replaceAll(UNSHOWABLE, (character) => (character === "\n" ? character : escaped(character)));
}

function escaped(character: string): string {
  return Array.from({ length: character.length }, (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`).join("");
}

/** Somebody else's value on a line of ours: names as they are, everything else in quotes, so that no value can look like our own words. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "nothing" : value.map(shown).join(", ");
  const isName = typeof value === "string" && /^[!#-+\--~]{1,256}$/.test(value);
  return isName ? printable(value, 256) : printable(JSON.stringify(value), 256);
}
