import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runIn, type Ran } from "../fixtures/terminal.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ambit-doctor-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** `ambit doctor` on a module that says this. */
async function examine(code: string, ...options: readonly string[]): Promise<Ran> {
  await writeFile(join(folder, "coverage.ts"), code);
  return runIn(folder, ["doctor", "coverage.ts", ...options]);
}

const exporting = (value: unknown): string => `export const coverage = ${JSON.stringify(value)};`;
const COVERED = { kind: "tool", name: "contracts_read", coveredBy: "langchain tool" };
const OPEN = { kind: "provider_tool", name: "web_search", note: "the provider of the model runs it" };
const of = (...items: readonly object[]): object => ({ adapter: "@ambit/langchain", items });

/** Everything that a terminal obeys or that changes how a line reads; our own line breaks aside. */
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const HOSTILE = "\u001b[2J\u001b]0;owned\u0007\u202egnp\r\neverything is covered\u2028\u200b";

describe("ambit doctor", () => {
  test("answers 0 when everything is covered, and says by what and where it was found", async () => {
    const { exitCode, out, err } = await examine(exporting(of(COVERED)));
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    expect(out).toMatch(/^1 found: everything is covered\n/);
    expect(out).toMatch(/^Covered\n {2}tool contracts_read +by "langchain tool", as @ambit\/langchain found in coverage\.ts$/m);
    expect(out).not.toMatch(/^Open$/m);
  });

  test("answers 1 when something is open, says that first, and what there is to know of it", async () => {
    const { exitCode, out } = await examine(exporting(of(COVERED, OPEN)));
    expect(exitCode).toBe(1);
    expect(out).toMatch(/^2 found: 1 can act without a decision\n\nOpen\n {2}provider tool web_search +.*; the provider of the model runs it\n\nCovered\n/);
  });

  test("answers 1 when nothing was found", async () => {
    for (const nothing of [[], of(), [of(), of()]]) expect(await examine(exporting(nothing))).toMatchObject({ exitCode: 1, err: "" });
  });

  test.each([
    ["a list", exporting([of(COVERED), of(OPEN)])],
    ["a promise", `export const coverage = Promise.resolve(${JSON.stringify(of(COVERED, OPEN))});`],
    ["a function", `export function coverage(): object { return ${JSON.stringify(of(COVERED, OPEN))}; }`],
    ["a function that promises", `export const coverage = async () => [${JSON.stringify(of(COVERED, OPEN))}];`],
  ])("takes %s", async (_, code) => {
    const { exitCode, out } = await examine(code, "--json");
    expect({ exitCode, ...(JSON.parse(out) as object) }).toEqual({
      exitCode: 1,
      found: 2,
      open: 1,
      items: [COVERED, OPEN].map((item) => ({ ...item, adapter: "@ambit/langchain", file: "coverage.ts" })),
    });
  });

  test("takes several files", async () => {
    await writeFile(join(folder, "other.mjs"), exporting(of(OPEN)));
    const { exitCode, out } = await examine(exporting(of(COVERED)), "other.mjs", "--json");
    expect({ exitCode, files: (JSON.parse(out) as { items: { file: string }[] }).items.map(({ file }) => file) }).toEqual({
      exitCode: 1,
      files: ["coverage.ts", "other.mjs"],
    });
  });

  test.each<[string, string]>([
    ["exports something else", "export const cover = 1;"],
    ["exports it as a member that modules inherit", "export default { coverage: 1 };"],
    ["exports nothing as it", "export const coverage = undefined;"],
    ["exports text", exporting("everything is covered")],
    ["exports an object without an adapter", exporting({ items: [] })],
    ["exports an adapter without items", exporting({ adapter: "a" })],
    ["exports items that are none", exporting(of({ ...COVERED, kind: "toString" }))],
    ["exports an item without a name", exporting(of({ ...COVERED, name: "" }))],
    ["exports an item that is covered by nothing", exporting(of({ ...COVERED, coveredBy: "" }))],
    ["exports an item that is covered by something that is no name", exporting(of({ ...COVERED, coveredBy: true }))],
    ["exports what is no data", "export const coverage = { adapter: 'a', items: [{ kind: 'tool', name: 'x', coveredBy: () => 1 }] };"],
    ["exports a map", "export const coverage = new Map();"],
    ["exports a circle", "export const coverage: unknown[] = []; coverage.push(coverage);"],
    ["is no module", "this is not code"],
    ["throws when it is loaded", "throw new Error('no database\\n    at somewhere (file.ts:1:1)');"],
    ["throws nothing", "throw undefined;"],
    ["throws later", "setTimeout(() => { throw new Error('late'); }); await new Promise((end) => setTimeout(end, 60_000));"],
    ["has a function that rejects", "export const coverage = () => Promise.reject(new Error('no server'));"],
    ["ends the process", "process.exit(0);"],
    ["imports what is not there", "import './nowhere.ts';"],
    [
      "answers in our stead",
      "import { parentPort } from 'node:worker_threads'; parentPort?.postMessage(null); await new Promise(() => setTimeout(() => 1, 60_000));",
    ],
  ])("refuses a module that %s, without a stack trace", async (_, code) => {
    const { exitCode, out, err } = await examine(code);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: "" });
    expect(err).toMatch(/error\[(?:module_failed|coverage_malformed)\]: /);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test.each([
    ["waits for ever", "export const coverage = () => new Promise(() => setInterval(() => 1, 1000));"],
    ["never stops", "for (;;) {}"],
  ])("gives up a module that %s", async (_, code) => {
    expect(await examine(code, "--timeout", "1")).toMatchObject({
      exitCode: 2,
      out: "",
      err: expect.stringMatching(/^error\[module_failed\]: .*1 s\n$/) as string,
    });
  });

  test("does not wait for what a module leaves open, and takes what it prints for no answer", async () => {
    const { exitCode, out, err } = await examine(
      `setInterval(() => 1, 1000); console.log(${JSON.stringify(`${HOSTILE}{"open": 0}`)}); export const coverage = async () => { await new Promise((end) => setTimeout(end, 50)); return ${JSON.stringify(of(COVERED))}; };`,
      "--json",
    );
    expect({ exitCode, open: (JSON.parse(out) as { open: number }).open }).toEqual({ exitCode: 0, open: 0 });
    expect(err).not.toMatch(OBEYED);
  });

  test("shows no name, note or point of a module as if it were our own words", async () => {
    const hostile = { kind: "tool", name: HOSTILE, note: HOSTILE };
    const code = exporting({ adapter: HOSTILE, items: [hostile, { ...hostile, coveredBy: HOSTILE }] });
    const { exitCode, out } = await examine(code);
    expect(exitCode).toBe(1);
    expect(out).not.toMatch(OBEYED);
    expect(out.match(/^everything is covered/m)).toBeNull();
    const { out: json } = await examine(code, "--json");
    expect(json).not.toMatch(OBEYED);
    expect((JSON.parse(json) as { items: object[] }).items[0]).toMatchObject(hostile);
    const failing = await examine(`throw new Error(${JSON.stringify(HOSTILE)});`);
    expect(failing.err).not.toMatch(OBEYED);
  });

  test("tells what is wrong with how it was called", async () => {
    for (const args of [[], ["coverage.ts", "--timeout", "0"], ["coverage.ts", "--timeout", "soon"], ["--all"]])
      expect(await runIn(folder, ["doctor", ...args])).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[usage\]/) as string });
    for (const path of ["nowhere.ts", "."])
      expect(await runIn(folder, ["doctor", path])).toMatchObject({ exitCode: 2, err: expect.stringMatching(/^error\[module_unreadable\]/) as string });
  });
});
