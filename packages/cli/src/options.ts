import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { reasonOf, usageError } from "./cli-error.ts";

type Values<T extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ readonly options: T; readonly strict: true; readonly allowPositionals: true }>
>["values"];

/** Options and what stands beside them. Throws a usage error for an unknown option and for more than `most` further words. */
export function readOptions<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
  most = 0,
): { readonly values: Values<T>; readonly words: readonly string[] } {
  const { values, positionals } = parse(args, options);
  // Not quoted: it may be a key that somebody put where a file belongs.
  if (positionals.length > most) throw usageError(most === 0 ? "only options are expected" : `${positionals.length} files are given, ${most} is expected`);
  return { values, words: positionals };
}

function parse<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
): { readonly values: Values<T>; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true });
  } catch (error) {
    throw usageError(reasonOf(error));
  }
}

/** The value of an option that must be there. */
export function needed(value: string | undefined, option: string): string {
  if (value === undefined || value === "") throw usageError(`\`--${option}\` is needed`);
  return value;
}

/** The values of an option that may be repeated, each of them something. */
export function listed(values: readonly string[] | undefined, option: string): readonly string[] {
  if (values?.includes("") === true) throw usageError(`\`--${option}\` is empty`);
  return values ?? [];
}
