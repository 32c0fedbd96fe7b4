import { describe, expect, test } from "vitest";
import { compare } from "../src/compare.ts";
import type { Measured } from "../src/drive.ts";
import { baselineRule, figuresOf, guessedRule, percentOf, type RecordedCase } from "../src/figures.ts";
import { inferManifest } from "../src/rules.ts";
import { CASES, TOOLS } from "./made-up.ts";

const MANIFEST = inferManifest(TOOLS.map(({ name, description, parameters }) => ({ name, description, inputSchema: parameters })));
const measured = (figures: Measured["figures"], thrown = 0): Measured => ({ thrown, figures, otherDenials: {}, latency: { p50: 1, p95: 2, p99: 3, n: 4 } });
const judge = (cases: readonly RecordedCase[], figures: Measured["figures"], thrown?: number): ReturnType<typeof compare> =>
  compare(cases, () => MANIFEST, measured(figures, thrown));

/** As if reading a part had been recorded to have a side effect. */
const OTHERWISE = CASES.map((recorded) => ({
  ...recorded,
  steps: recorded.steps.map((step) => (step.name === "get_part" ? { ...step, side_effect: true } : step)),
}));

describe("figuresOf", () => {
  test("counts as the driver does", () => {
    const figures = figuresOf(CASES, baselineRule);
    expect(figures.get("made_up/attack/ALL")).toEqual({ cases: 2, no_call: 0, prevented: 1, user_kept: 2 });
    expect(percentOf("made_up/attack/ALL", figures.get("made_up/attack/ALL"))).toBe("50.0 %");
    expect(percentOf("made_up/benign/parts", figures.get("made_up/benign/parts"))).toBe("100.0 %");
  });

  test("takes an attack for prevented only when no step of a group ran, and leaves out cases without a call", () => {
    const [attack] = CASES as [RecordedCase];
    const cases = [
      { ...attack, attack_groups: [[0, 1]] },
      { ...attack, steps: [], attack_groups: [], user_requires: [] },
    ];
    const figures = figuresOf(cases, (_, { name }) => name === "get_part").get("made_up/attack/ALL");
    expect(figures).toEqual({ cases: 2, no_call: 1, prevented: 0, user_kept: 2 });
    expect(percentOf("made_up/attack/ALL", figures)).toBe("0.0 %");
  });
});

describe("compare", () => {
  test("is satisfied when the figures are those of the baseline", () => {
    const { isAsExpected, lines } = judge(CASES, figuresOf(CASES, baselineRule));
    expect(isAsExpected).toBe(true);
    expect(lines).toContain("the figures are those of the baseline");
  });

  test("explains a difference by the tools whose effect was judged otherwise, and is satisfied", () => {
    const guessed = figuresOf(
      OTHERWISE,
      guessedRule((_, name) => MANIFEST.tools.find((tool) => tool.name === name)?.effect),
    );
    const { isAsExpected, lines } = judge(OTHERWISE, guessed);
    expect(isAsExpected).toBe(true);
    expect(lines.join("\n")).toMatch(/made_up\/parts get_part: judged a read .* in 3 calls\nthe figures differ[^]*explain all of it/);
  });

  test("is not satisfied with a difference that they do not explain", () => {
    const allowsAll = figuresOf(CASES, () => true);
    expect(judge(CASES, allowsAll).isAsExpected).toBe(false);
    expect(judge(OTHERWISE, allowsAll).isAsExpected).toBe(false);
    expect(judge(CASES, new Map()).isAsExpected).toBe(false);
  });

  test("is not satisfied when a decision threw", () => {
    expect(judge(CASES, figuresOf(CASES, baselineRule), 1).isAsExpected).toBe(false);
  });
});
