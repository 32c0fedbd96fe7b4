import { usageError } from "../cli-error.ts";

/** The words of an option as a shell has them, with quotes and without everything else: the command is started without a shell. */
export function splitCommand(text: string, option: string): readonly [string, ...string[]] {
  const words = [...text.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
  if (/["']/.test(text.replaceAll(/"[^"]*"|'[^']*'/g, ""))) throw usageError(`\`--${option}\` has a quote that is not closed`);
  const [first, ...rest] = words;
  if (first === undefined || first === "") throw usageError(`\`--${option}\` must be a command`);
  return [first, ...rest];
}
