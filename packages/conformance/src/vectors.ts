import { existsSync, readFileSync } from "node:fs";

/** `hostile/tool-names.json`. */
export interface ToolNames {
  readonly vectors: readonly { readonly name: unknown; readonly allow: boolean; readonly why: string }[];
}

/** `hostile/tool-args.json`: `raw` is what a model wrote. */
export interface ToolArguments {
  readonly vectors: readonly { readonly raw: string; readonly expect: string; readonly why: string }[];
}

/** A file of vectors, which are read in place; `undefined` where they are not. */
export function readVectors<T>(folder: URL | undefined, path: string): T | undefined {
  const file = folder === undefined ? undefined : new URL(path, folder);
  return file !== undefined && existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : undefined;
}
