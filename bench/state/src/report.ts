import { CONCURRENCIES, type Bare, type Measured } from "./measure.ts";
import type { Target } from "./targets.ts";
import { OPERATIONS } from "./workload.ts";

export interface Report {
  readonly node: string;
  readonly rounds: number;
  readonly bare: readonly Bare[];
  readonly measured: readonly Measured[];
  readonly bytes: readonly Bytes[];
  readonly notMeasured: readonly { readonly store: string; readonly reason: string }[];
  readonly targets: readonly Target[];
}

export interface Bytes {
  readonly store: string;
  readonly perEnvelope: number;
  /** `undefined` where it keeps no tuples. */
  readonly perTuple: number | undefined;
}

const [FIRST, WIDE] = [42, 15];

/** The report as a person reads it. */
export function lines({ node, rounds, bare, measured, bytes, notMeasured, targets }: Report): readonly string[] {
  const stores = [...new Set(measured.map(({ store }) => store))];
  const head = (title: string): string =>
    row(
      title,
      CONCURRENCIES.map((concurrency) => `${concurrency} at a time`),
    );
  const cells = (figureOf: (concurrency: number) => string): readonly string[] => CONCURRENCIES.map(figureOf);
  const find = (store: string, operation: string, concurrency: number): Measured | undefined =>
    measured.find((one) => one.store === store && one.operation === operation && one.concurrency === concurrency);
  return [
    `state bench on node ${node}: medians of ${rounds} rounds; ratios only, the figures in µs are what they are of`,
    "",
    head("one bare update of a row, µs"),
    ...stores.map((store) =>
      row(
        `  ${store}`,
        cells((concurrency) => (bare.find((one) => one.store === store && one.concurrency === concurrency)?.microseconds ?? Number.NaN).toFixed(1)),
      ),
    ),
    "",
    head("the rows of a commit, unchecked, for each"),
    ...stores.map((store) =>
      row(
        `  ${store}`,
        cells((concurrency) => share(bare.find((one) => one.store === store && one.concurrency === concurrency)?.rows)),
      ),
    ),
    ...OPERATIONS.flatMap((operation) => [
      "",
      head(`${operation}, for each bare update`),
      ...stores.flatMap((store) => [
        row(
          `  ${store}`,
          cells((concurrency) => share(find(store, operation, concurrency)?.ratio)),
        ),
        ...(find(store, operation, 1)?.spread === undefined
          ? []
          : [
              row(
                "    to rows of their own",
                cells((concurrency) => share(find(store, operation, concurrency)?.spread)),
              ),
            ]),
      ]),
    ]),
    "",
    row("bytes", ["live envelope", "tuple"]),
    ...bytes.map(({ store, perEnvelope, perTuple }) =>
      row(
        `  ${store}`,
        [perEnvelope, perTuple].map((one) => (one === undefined ? "–" : String(Math.round(one)))),
      ),
    ),
    "",
    ...notMeasured.map(({ store, reason }) => `not measured: ${store}: ${reason}`),
    ...targets.map(
      ({ store, operation, concurrency, least, ratio, isMet }) =>
        `${isMet ? "met    " : "not met"} ${store}, ${operation}, ${concurrency} at a time: ${share(ratio)}, at least ${share(least)}`,
    ),
  ];
}

function row(first: string, cells: readonly string[]): string {
  return (first.padEnd(FIRST) + cells.map((cell) => cell.padStart(WIDE)).join("")).trimEnd();
}

function share(ratio: number | undefined): string {
  return ratio === undefined || Number.isNaN(ratio) ? "–" : `${ratio < 0.095 ? (ratio * 100).toPrecision(2) : (ratio * 100).toFixed(0)} %`;
}
