import type { Check } from "../run/checks.ts";
import { wrapped, type Screen } from "./screen.ts";

/** Shows what was found, a line each. */
export function showChecks({ line, paint, width }: Screen, checks: readonly Check[]): void {
  for (const { name, found, holds } of checks) {
    line(`  ${holds ? paint("green", "✔") : paint("red", "✘")} ${name.padEnd(28)} ${wrapped(found, " ".repeat(33), width).trimStart()}`);
  }
}

/** Shows text of several lines as it was written, set off. */
export function showQuote({ line, paint, width }: Screen, text: string): void {
  for (const part of text.split("\n")) line(paint("dim", wrapped(part, " ".repeat(33), width)));
}
