import { describe, expect, test } from "vitest";
import { LENGTHS, NAMES } from "../src/ambit.ts";
import type { Measured } from "../src/measure.ts";
import { lines } from "../src/report.ts";
import { judge } from "../src/targets.ts";

const at = (name: string, ratioOf: (length: number) => number): readonly Measured[] =>
  LENGTHS.map((length) => ({ name, length, base: "verify", ratio: ratioOf(length) }));

const GOOD: readonly Measured[] = [
  ...at(NAMES.draft, (length) => length + 1),
  ...at(NAMES.envelope, (length) => (length + 1) * 1.3),
  ...at(NAMES.cached, () => 1.2),
  { name: NAMES.deriveDraft, length: undefined, base: "sign", ratio: 1.5 },
  { name: NAMES.deriveEnvelope, length: undefined, base: "sign", ratio: 1.51 },
];

describe("the targets", () => {
  test("are met up to the limit itself, and not above it", () => {
    expect(judge(GOOD).map(({ isMet }) => isMet)).toEqual([...Array.from({ length: 10 }, () => true), false]);
  });

  test("are not met where nothing was measured", () => {
    expect(judge([]).some(({ isMet }) => isMet)).toBe(false);
  });
});

describe("the report", () => {
  const report = {
    node: "v24.0.0",
    rounds: 3,
    microseconds: { verify: 100, sign: 40 },
    measured: [...GOOD, ...at("a peer", (length) => (length + 1) * 2.6)],
    notMeasured: [{ peer: "another", reason: "it is not there" }],
    sizes: [{ name: "ambit, proof", length: 1, bytes: 517 }],
    targets: judge(GOOD),
  };
  const text = lines(report).join("\n");

  test("prints ratios, peers compared, bytes, what was not measured and what was met", () => {
    expect(text).toMatch(/ambit, chain \+ proof \(draft\) +2\.00 +4\.00 +9\.00\n/);
    expect(text).toMatch(/to a peer +0\.50 +0\.50 +0\.50\n/);
    expect(text).toMatch(/ambit, proof +517 +– +–/);
    expect(text).toContain("not measured: another: it is not there");
    expect(text).toContain("met     ambit, cached chain + proof, chain of 8: 1.20, at most 1.20");
    expect(text).toContain("not met ambit, derive + sign (envelope): 1.51, at most 1.50");
  });
});
