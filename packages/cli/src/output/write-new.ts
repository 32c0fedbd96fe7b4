import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileError } from "../cli-error.ts";
import type { Terminal } from "../terminal.ts";

/** Writes a file that was not there (`file_exists`), or one of which it was said that it may be overwritten. */
export async function writeNew(
  terminal: Terminal,
  path: string,
  text: string,
  options: { readonly mode?: number; readonly overwrites?: boolean } = {},
): Promise<void> {
  const { mode = 0o666, overwrites = false } = options;
  try {
    await writeFile(resolve(terminal.cwd, path), text, { mode, flag: overwrites ? "w" : "wx" });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") throw fileError("exists", `\`${path}\` is there already, and nothing was written`);
    throw fileError("unwritable", `\`${path}\` cannot be written (${String(code)})`);
  }
}
