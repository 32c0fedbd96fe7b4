import { expect, it } from "vitest";
import { counted, forEachCase, isWhole, say, SEED } from "../../../core/test/deep/runs.ts";
import { compareCorpus } from "../cedar/compiled/corpus-comparison.ts";
import { hasCorpus } from "../cedar/compiled/corpus.ts";
import { compare, QUESTIONS } from "../cedar/compiled/differential.ts";

/** A million questions. */
const SETS = 1_000_000 / QUESTIONS;

it("answers random requests about random policies as cedar-wasm does, conforming or not", async () => {
  const counts = new Map<string, number>();
  await forEachCase("policies compiled and by cedar-wasm", SETS, (index) => compare(SEED, index, counts));
  say(counted(counts));
  // Each of these is a good part of the questions, or they would say little.
  const rare = ["allow", "deny", "allow with failures", "deny with failures", "refused"].filter((kind) => (counts.get(kind) ?? 0) <= 500);
  expect(isWhole ? rare : []).toEqual([]);
});

it.skipIf(!hasCorpus)("answers all of Cedar's own integration tests as Cedar does, without falling back", () => {
  const { cases, requests, different, fallBacks } = compareCorpus(1);
  say(`${requests} requests of ${cases} cases; compiled but for\n${counted(fallBacks) || "  none"}`);
  expect(different).toEqual([]);
  expect([...fallBacks]).toEqual([]);
});
