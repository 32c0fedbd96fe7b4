import { expect, it } from "vitest";
import { compare, QUESTIONS } from "./differential.ts";

const SETS = 400;

// A million questions are among the deep suites.
it("answers random requests about random policies as cedar-wasm does, conforming or not", { timeout: 120_000 }, () => {
  const counts = new Map<string, number>();
  for (let index = 0; index < SETS; index++) compare(1, index, counts);
  expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(SETS * QUESTIONS);
  // Each of these is a good part of the questions, or they would say little.
  for (const kind of ["allow", "deny", "allow with failures", "deny with failures", "refused"]) expect(counts.get(kind)).toBeGreaterThan(200);
});
