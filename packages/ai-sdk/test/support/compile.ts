import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");

/** What the compiler says of files, with the types of one version of the SDK in the place of `ai`; empty when nothing. */
export async function compile(files: readonly string[], types: string): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "ambit-types-"));
  const config = {
    extends: join(root, "tsconfig.test.json"),
    compilerOptions: { typeRoots: [join(root, "node_modules/@types")], paths: { ai: [join(root, "node_modules", types)] } },
    include: files,
  };
  try {
    await writeFile(join(made, "tsconfig.json"), JSON.stringify(config));
    await promisify(execFile)(process.execPath, [tsc, "-p", made]);
    return "";
  } catch (error) {
    return String((error as { readonly stdout?: unknown }).stdout ?? error);
  } finally {
    await rm(made, { recursive: true });
  }
}
