import { describe, expect, test } from "vitest";
import { measure, median, type Subject } from "../src/measure.ts";

function busy(milliseconds: number): () => void {
  return () => {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
  };
}

describe("median", () => {
  test("is the middle, or between the two in the middle", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7]), median([])]).toEqual([2, 2.5, 7, Number.NaN]);
  });
});

describe("measure", () => {
  test("gives a subject in runs of its own base, promises awaited", async () => {
    const subjects: readonly Subject[] = [
      { name: "four", length: 1, base: "verify", run: busy(0.4) },
      { name: "two", base: "sign", run: async () => busy(0.4)() },
    ];
    const { measured } = await measure(subjects, { verify: busy(0.1), sign: busy(0.2) }, { rounds: 5, warmUp: 1, batchMilliseconds: 1 });
    expect(measured).toMatchObject([
      { name: "four", length: 1, base: "verify" },
      { name: "two", base: "sign" },
    ]);
    const [four, two] = measured.map(({ ratio }) => ratio);
    expect(four).toBeGreaterThan(1.5);
    expect(four).toBeLessThan(20);
    expect(two).toBeGreaterThan(0.5);
    expect(two).toBeLessThan(10);
  });

  test("lets a subject that throws end the run: what was refused was not measured", async () => {
    const run = (): never => {
      throw new Error("refused");
    };
    await expect(
      measure([{ name: "x", base: "sign", run }], { verify: busy(0.1), sign: busy(0.1) }, { rounds: 1, warmUp: 0, batchMilliseconds: 1 }),
    ).rejects.toThrow("refused");
  });
});
