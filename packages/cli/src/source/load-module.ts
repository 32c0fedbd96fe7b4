import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { CliError, reasonOf } from "../cli-error.ts";

/** A module of the application, as an absolute path. Throws `module_unreadable` for a file that is not there. */
export async function moduleFile(cwd: string, path: string): Promise<string> {
  const file = resolve(cwd, path);
  const isFile = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isFile) throw new CliError("module_unreadable", `\`${path}\` is not a file`, { exitCode: 2 });
  return file;
}

/**
 * The exports of a module of the application, which runs by being loaded. TypeScript is loaded where Node strips types (22.18 and later).
 * Throws `module_unreadable` for a file that is not there, `module_failed` for one that cannot be loaded.
 */
export async function loadModule(cwd: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const file = await moduleFile(cwd, path);
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new CliError("module_failed", `\`${path}\` cannot be loaded: ${reasonOf(cause)}`, { cause });
  }
}
