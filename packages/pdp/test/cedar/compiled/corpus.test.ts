import { expect, it } from "vitest";
import { compareCorpus } from "./corpus-comparison.ts";
import { hasCorpus } from "./corpus.ts";

// The whole of it is among the deep suites.
it.skipIf(!hasCorpus)("answers a tenth of Cedar's own integration tests as Cedar does, without falling back", { timeout: 60_000 }, () => {
  const { cases, requests, different, fallBacks } = compareCorpus(10);
  expect(different).toEqual([]);
  expect([...fallBacks]).toEqual([]);
  expect(cases).toBeGreaterThan(400);
  expect(requests).toBeGreaterThan(3000);
});
