import { describe, expect, test } from "vitest";
import { measure, median, quantile, type Subject } from "../src/measure.ts";

function busy(milliseconds: number): () => Promise<void> {
  return async () => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  };
}

const subject = (name: string, base: string | undefined, run: Subject["run"], forget = (): void => undefined): Subject => ({
  name,
  base,
  prepare: async (count) => Array.from({ length: count }, (_, index) => index),
  run,
  forget,
});

describe("median and quantile", () => {
  test("lie between two figures in proportion, whatever the order, and there is none of nothing", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 2.5, Number.NaN]);
    const hundred = Array.from({ length: 101 }, (_, index) => 100 - index);
    expect([quantile(hundred, 0.99), quantile(hundred, 1), quantile([1, 2], 0.75)]).toEqual([99, 100, 1.75]);
  });
});

describe("measure", () => {
  test("gives a subject in runs of its base, each run with an item of its own, and forgets after each batch", async () => {
    const items = new Set<unknown>();
    let batches = 0;
    const slow = subject(
      "slow",
      "base",
      async (item) => {
        items.add(item);
        await busy(0.4)();
      },
      () => void batches++,
    );
    const { measured, bases } = await measure([subject("base", undefined, busy(0.1)), slow], { rounds: 3, warmUp: 1, batchMilliseconds: 2 });
    expect(measured).toMatchObject([{ name: "slow", base: "base" }]);
    expect(measured[0]?.ratio).toBeGreaterThan(1.2);
    expect(bases.map(({ name }) => name)).toEqual(["base"]);
    expect(items.size).toBeGreaterThan(1);
    expect(batches).toBeGreaterThan(3);
  });

  test("lets a subject that throws end the run, and one without its base: what was refused was not measured", async () => {
    const options = { rounds: 1, warmUp: 0, batchMilliseconds: 0.1 };
    const refusing = subject("refusing", undefined, () => Promise.reject(new Error("refused")));
    await expect(measure([refusing], options)).rejects.toThrow("refused");
    await expect(measure([subject("alone", "nothing", busy(0.1))], options)).rejects.toThrow("there is no base");
  });
});
