import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const run = promisify(execFile);
const FLAGS = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

describe.each(["langchain", "ai-sdk", "mcp"])("the example for %s", (name) => {
  test("runs, and finds what it says", { timeout: 60_000 }, async () => {
    const { stdout, stderr } = await run(process.execPath, [...FLAGS, at(`../src/${name}.ts`)]);
    expect({ stdout, stderr }).toEqual({ stdout: "one contract was read, the other was refused\n", stderr: "" });
  });

  test("is one file of at most 60 lines", async () => {
    expect((await readFile(at(`../src/${name}.ts`), "utf8")).split("\n").length - 1).toBeLessThanOrEqual(60);
  });
});

/** Lines of an example, without what differs: that it checks itself, has a model, and ends what the README ends by leaving its scope. */
function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) =>
      line
        .replace(/ *\/\/.*$/, "")
        .replace("await using ", "const ")
        .trim(),
    )
    .filter((line) => line !== "");
}

// The README of MCP is run as it stands by the tests of that package.
describe.each(["langchain", "ai-sdk"])("the README of %s", (name) => {
  test("shows the example", async () => {
    const readme = await readFile(at(`../../../packages/${name}/README.md`), "utf8");
    const [, code = ""] = /^```ts\n(.*?)^```$/ms.exec(readme) ?? [];
    const example = linesOf(await readFile(at(`../src/${name}.ts`), "utf8"));
    // What it prints (`; // =>`) the example asserts; where the configuration is, and which imports a check needs, differs.
    const shown = linesOf(code.replaceAll(/^.*; \/\/ =>.*$/gm, "")).filter((line) => !/^(import|const pdp)/.test(line));
    expect(shown.length).toBeGreaterThan(15);
    expect(shown.filter((line) => !example.includes(line))).toEqual([]);
  });
});
