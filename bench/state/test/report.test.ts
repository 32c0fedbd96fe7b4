import { describe, expect, test } from "vitest";
import { bytesPerEnvelope, bytesPerTuple, CONCURRENCIES, measure, median, type Measured } from "../src/measure.ts";
import { lines } from "../src/report.ts";
import { judge } from "../src/targets.ts";
import { bareBatch, batchOf, inLanes, OPERATIONS } from "../src/workload.ts";
import { memoryRows } from "../src/rows.ts";
import { createMemoryState } from "@ambit/pdp";
import { createMemoryRelations } from "@ambit/pdp/relations";

const at = (store: string, ratioOf: (concurrency: number) => number, spread?: number): readonly Measured[] =>
  OPERATIONS.flatMap((operation) => CONCURRENCIES.map((concurrency) => ({ store, operation, concurrency, ratio: ratioOf(concurrency), spread })));

describe("median", () => {
  test("is the middle, or between the two in the middle", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7]), median([])]).toEqual([2, 2.5, 7, Number.NaN]);
  });
});

describe("the targets", () => {
  test("are met from half the rate on, and not below it", () => {
    const targets = judge(
      ["a"],
      at("a", (concurrency) => (concurrency === 1 ? 0.499 : 0.5)),
    );
    expect(targets.map(({ concurrency, isMet }) => isMet === concurrency > 1)).toEqual(targets.map(() => true));
    expect(targets).toHaveLength(OPERATIONS.length * CONCURRENCIES.length);
  });

  test("are not met where nothing was measured", () => {
    expect(judge(["a"], []).some(({ isMet }) => isMet)).toBe(false);
  });
});

describe("the report", () => {
  const measured = [...at("a", () => 0.25), ...at("b", () => 1.5, 0.125)];
  const report = {
    node: "v24.0.0",
    rounds: 3,
    bare: [{ store: "a", concurrency: 16, microseconds: 12.34, rows: 0.4 }],
    measured,
    bytes: [
      { store: "a", perEnvelope: 1234.5, perTuple: 99.6 },
      { store: "b", perEnvelope: 10, perTuple: undefined },
    ],
    notMeasured: [{ store: "c", reason: "it is not there" }],
    targets: judge(["a", "b"], measured),
  };
  const text = lines(report).join("\n");

  test("prints what they are compared with, ratios, bytes, what was not measured and what was met", () => {
    expect(text).toMatch(/\n {2}a +NaN +12\.3 +NaN\n/);
    expect(text).toMatch(
      /commit, 3 accounts, for each bare update.*\n {2}a +25 % +25 % +25 %\n {2}b +150 % +150 % +150 %\n {4}to rows of their own +13 % +13 % +13 %\n/,
    );
    expect(text).toMatch(/unchecked, for each.*\n {2}a +– +40 % +–\n/);
    expect(text).toMatch(/bytes +live envelope +tuple\n {2}a +1235 +100\n {2}b +10 +–\n/);
    expect(text).toContain("not measured: c: it is not there");
    expect(text).toContain("not met a, redeem and settle, 64 at a time: 25 %, at least 50 %");
    expect(text).toContain("met     b, commit, 1 account, 1 at a time: 150 %, at least 50 %");
  });
});

describe("a batch", () => {
  test("runs every item once, as many at a time as there are lanes", async () => {
    const seen: number[] = [];
    let [running, most] = [0, 0];
    await inLanes([1, 2, 3, 4, 5], 2, async (item) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      seen.push(item);
      running--;
    });
    expect([seen.toSorted(), most]).toEqual([[1, 2, 3, 4, 5], 2]);
  });

  test("leaves nothing behind that a commit holds, and ends the run where a call is refused", async () => {
    const store = createMemoryState();
    for (const operation of OPERATIONS) expect(await batchOf(operation, store)(7, 3)).toBeGreaterThan(0);
    await store.revoke("tenant_acme", ["x"], 1, 1);
    const facts = await store.facts("tenant_acme", "lineage_1");
    expect(facts.calls).toBe(7 + 7 + 4);
    const refusing = { ...store, commit: async () => ({ status: "spent" }) as const };
    await expect(batchOf("commit, 1 account", refusing)(1, 1)).rejects.toThrow("refused: spent");
  });

  test("is compared with bare ones of the same length", async () => {
    let updates = 0;
    const bare = bareBatch(async () => void (updates += 1));
    const subject = { name: "memory", store: createMemoryState(), bare, rows: memoryRows(), size: async () => updates, close: async () => undefined };
    const { measured, bare: bares } = await measure(subject, { rounds: 1, batchMilliseconds: 0.1 });
    expect(updates).toBeGreaterThan(0);
    expect(measured.every(({ ratio, spread }) => ratio > 0 && spread === undefined)).toBe(true);
    expect(measured).toHaveLength(OPERATIONS.length * CONCURRENCIES.length);
    expect(bares.every(({ rows }) => rows > 0)).toBe(true);
  });

  test("removes what it wrote, where it is told how", async () => {
    const written: number[] = [];
    const batch = bareBatch(
      async () => written.push(1),
      async () => void written.splice(0),
    );
    expect(await batch(5, 2)).toBeGreaterThan(0);
    expect(written).toEqual([]);
  });

  test("of tuples is as many as were asked for", async () => {
    const relations = createMemoryRelations();
    const sizes = [100, 2600];
    expect(await bytesPerTuple(relations, async () => sizes.shift() ?? Number.NaN, 2500)).toBe(1);
    const documents = Array.from({ length: 1250 }, (_, index) => ({ type: "document", id: `document_${index}` }));
    expect((await relations.below("tenant_acme", documents, 10_000)).tuples).toHaveLength(2500);
  });

  test("makes envelopes live: let in, with calls of which one still runs", async () => {
    const store = createMemoryState();
    await bytesPerEnvelope({ store, size: async () => 0 }, 3);
    expect(await store.admitted("tenant_acme", ["envelope_live_000002", "envelope_live_000003"])).toEqual([true, false]);
    expect((await store.facts("tenant_acme", "lineage_live_000001")).calls).toBe(3);
  });
});
