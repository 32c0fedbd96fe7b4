import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeAdapter, groupsOf } from "../src/index.ts";
import { VERDICTS } from "../src/verdicts.ts";
import { harness } from "./support/example.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

describe("the suite", () => {
  it("has every title once, so that a gap names one case", () => {
    const titles = groupsOf(harness).flatMap(({ title, cases }) => cases.map((each) => `${title} ${each.title}`));
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles.length).toBeGreaterThan(200);
  });

  it("lists what a framework cannot do with the reason, and skips nothing else but vectors that are not there", () => {
    const skipped = groupsOf(harness).flatMap(({ cases }) => cases.flatMap((each) => each.skipped ?? []));
    // What is parsed matters to vectors alone, and these are not at hand here.
    const { parsing: _, ...reasons } = harness.cannot ?? {};
    expect(new Set(skipped)).toEqual(new Set([...Object.values(reasons), "the vectors are not at hand"]));
  });

  it("has a verdict of every kind in its table, on at least forty calls", () => {
    expect(VERDICTS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(VERDICTS.map(({ code }) => code)).size).toBeGreaterThanOrEqual(16);
  });

  it("refuses a gap in a case that it does not have", () => {
    expect(() => describeAdapter("none", harness, { gaps: { "a call that nobody makes": "because" } })).toThrow(TypeError);
  });
});

describe("the README", () => {
  it("has the example that the tests run, in no more than sixty lines", () => {
    const example = [read("./support/example.ts"), read("./example.test.ts")];
    for (const code of example) expect(read("../README.md")).toContain(`\`\`\`ts\n${code}\`\`\``);
    expect(example.join("").split("\n").length - 1).toBeLessThanOrEqual(60);
  });
});
