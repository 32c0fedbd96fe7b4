import type { Measured } from "./drive.ts";
import { baselineRule, differences, figuresOf, guessedRule, percentOf, type FiguresByGroup, type RecordedCase } from "./figures.ts";
import type { InferredManifest, InferredTool } from "./rules.ts";

/** What is printed, and whether the measurement is what it should be. */
export interface Comparison {
  readonly lines: readonly string[];
  readonly isAsExpected: boolean;
}

/**
 * Compares what was measured with the baseline. They may differ only as far as the rules judge the effect of a tool otherwise than it was recorded:
 * the baseline's rule with the guessed effects then gives exactly the measured figures.
 */
export function compare(cases: readonly RecordedCase[], manifestOf: (dataset: string, suite: string) => InferredManifest, measured: Measured): Comparison {
  const toolOf = ({ dataset, suite }: RecordedCase, name: string): InferredTool | undefined =>
    manifestOf(dataset, suite).tools.find((tool) => tool.name === name);
  const baseline = figuresOf(cases, baselineRule);
  const guessed = figuresOf(
    cases,
    guessedRule((recorded, name) => toolOf(recorded, name)?.effect),
  );
  const different = differences(baseline, measured.figures);
  const unexplained = differences(guessed, measured.figures);
  const misjudged = misjudgedTools(cases, toolOf);
  const { thrown, latency } = measured;
  const denials = Object.entries(measured.otherDenials).map(([what, count]) => `${what} (${count})`);
  const lines = [
    ...table(baseline, measured.figures),
    `decide: p50 ${latency.p50} µs, p95 ${latency.p95} µs, p99 ${latency.p99} µs over ${latency.n} decisions`,
    ...(thrown === 0 ? [] : [`decide threw ${thrown} times: the figures are worth nothing`]),
    ...(denials.length === 0 ? [] : ["denied for another reason than the envelope's list of tools:", ...denials.map((line) => `  ${line}`)]),
    ...(misjudged.length === 0 ? [] : ["tools whose effect the rules judge otherwise than it was recorded:", ...misjudged.map((line) => `  ${line}`)]),
    different.length === 0 ? "the figures are those of the baseline" : `the figures differ from the baseline in ${different.join(", ")}`,
    ...(unexplained.length === 0
      ? different.length === 0
        ? []
        : ["the tools above explain all of it"]
      : [`not explained by them: ${unexplained.join(", ")}`]),
  ];
  return { lines, isAsExpected: thrown === 0 && (different.length === 0 || unexplained.length === 0) };
}

function table(baseline: FiguresByGroup, measured: FiguresByGroup): readonly string[] {
  const groups = [...baseline.keys()].toSorted();
  const rows = groups.map((group) => [
    group,
    String(baseline.get(group)?.cases ?? 0),
    percentOf(group, baseline.get(group)),
    percentOf(group, measured.get(group)),
    meaningOf(group),
  ]);
  const all = [["", "cases", "baseline", "ambit", ""], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all.map((row) =>
    row
      .map((cell, column) => (column === 0 || column === 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

function meaningOf(group: string): string {
  return group.split("/")[1] === "benign" ? "goals kept" : "prevented";
}

function misjudgedTools(cases: readonly RecordedCase[], toolOf: (recorded: RecordedCase, name: string) => InferredTool | undefined): readonly string[] {
  const calls = new Map<string, { readonly tool: InferredTool; readonly recorded: boolean; readonly count: number }>();
  for (const recorded of cases) {
    for (const { name, side_effect: hasSideEffect } of recorded.steps) {
      const tool = toolOf(recorded, name);
      if (tool === undefined || (tool.effect !== "read") === hasSideEffect) continue;
      const key = `${recorded.dataset}/${recorded.suite} ${name}`;
      calls.set(key, { tool, recorded: hasSideEffect, count: (calls.get(key)?.count ?? 0) + 1 });
    }
  }
  return [...calls].map(([key, { tool, recorded, count }]) => {
    const what = recorded ? "with a side effect" : "without a side effect";
    return `${key}: judged a ${tool.effect} (${tool.reasons.join("; ")}), recorded ${what} in ${count} calls`;
  });
}
