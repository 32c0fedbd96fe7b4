import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as ai7 from "ai";
import * as ai5 from "ai-5";
import * as ai6 from "ai-6";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = fileURLToPath(new URL("peers/", import.meta.url));
const tsc = join(createRequire(import.meta.url).resolve("typescript/package.json"), "../bin/tsc");

/** What the compiler says of the adapter and of an application, both with one version of the SDK in the place of `ai`. */
async function compile(types: string): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "ambit-types-"));
  const config = {
    extends: join(root, "tsconfig.test.json"),
    compilerOptions: { typeRoots: [join(root, "node_modules/@types")], paths: { ai: [join(root, "node_modules", types)] } },
    include: [join(folder, "*.ts")],
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

test.each(["ai-5/dist/index.d.mts", "ai-6/dist/index.d.mts", "ai/dist/index.d.ts"])("what the SDK infers from tools survives: %s", async (types) => {
  expect(await compile(types)).toBe("");
});

test("the check can fail", async () => {
  expect(await compile("zod/index.d.ts")).toContain("error TS");
});

test.each([ai5, ai6, ai7])("everything that the adapter imports when it runs is in every version (%#)", (sdk) => {
  expect(sdk.asSchema).toBeTypeOf("function");
});
