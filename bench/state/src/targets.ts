import { CONCURRENCIES, type Measured } from "./measure.ts";
import { OPERATIONS, type Operation } from "./workload.ts";

export interface Target {
  readonly store: string;
  readonly operation: Operation;
  readonly concurrency: number;
  /** Operations for each bare update, at least. */
  readonly least: number;
  readonly ratio: number;
  readonly isMet: boolean;
}

/** Exact budgets at half the rate of updates that count nothing exactly. */
const LEAST = 0.5;

/** Each target and whether this run met it. A target of which nothing was measured is not met. */
export function judge(stores: readonly string[], measured: readonly Measured[]): readonly Target[] {
  return stores.flatMap((store) =>
    OPERATIONS.flatMap((operation) =>
      CONCURRENCIES.map((concurrency) => {
        const found = measured.find((one) => one.store === store && one.operation === operation && one.concurrency === concurrency);
        const ratio = found?.ratio ?? Number.NaN;
        return { store, operation, concurrency, least: LEAST, ratio, isMet: ratio >= LEAST };
      }),
    ),
  );
}
