import { mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CliError, reasonOf } from "../cli-error.ts";

/** Writes files below a folder. Refuses (`files_exist`) when any of them is there already, unless told to overwrite. */
export async function writeFiles(folder: string, files: ReadonlyMap<string, string>, overwrites: boolean): Promise<void> {
  if (!overwrites) {
    const present = await Promise.all([...files.keys()].map(async (path) => ((await exists(join(folder, path))) ? [path] : [])));
    const list = present.flat();
    if (list.length > 0)
      throw new CliError("files_exist", `nothing was written, because there are already:\n${list.join("\n")}\ngive \`--force\` to overwrite them`);
  }
  try {
    for (const [path, text] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text, { flag: overwrites ? "w" : "wx" });
    }
  } catch (cause) {
    throw new CliError("files_unwritable", `the files cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false; // cannot be looked at: writing it will say why
  }
}
