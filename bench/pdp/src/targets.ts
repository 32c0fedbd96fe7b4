import type { AskedFigures } from "./service/measure-service.ts";
import type { Asks } from "./service/serving.ts";

export interface Target {
  readonly name: string;
  readonly unit: "%" | "ms";
  readonly bound: "at least" | "at most";
  readonly limit: number;
  readonly figure: number;
  readonly isMet: boolean;
}

/** Decisions of the service for each answer of a bare handler of the same server. */
const LEAST_THROUGHPUT = 0.5;
/** Milliseconds of the slowest hundredth of the questions, at half of what the service can do. */
const MOST_P99 = 5;

/** Each target and whether this run met it. A target of which nothing was measured is not met. */
export function judge(
  asks: Asks,
  { throughput, halfLoad }: Pick<AskedFigures, "throughput" | "halfLoad">,
  concurrencies: readonly number[],
): readonly Target[] {
  const ratios = concurrencies.map((concurrency): Target => {
    const figure = throughput.find((one) => one.peer === "bare handler" && one.concurrency === concurrency)?.ratio ?? Number.NaN;
    const name = `${asks}s, throughput of the service, ${concurrency} at a time, of a bare handler's`;
    return { name, unit: "%", bound: "at least", limit: LEAST_THROUGHPUT, figure, isMet: figure >= LEAST_THROUGHPUT };
  });
  const p99 = halfLoad.find(({ server }) => server === "service")?.p99 ?? Number.NaN;
  return [...ratios, { name: `${asks}s, p99 of the service at half load`, unit: "ms", bound: "at most", limit: MOST_P99, figure: p99, isMet: p99 <= MOST_P99 }];
}
