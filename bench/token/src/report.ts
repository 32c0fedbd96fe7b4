import { LENGTHS, NAMES } from "./ambit.ts";
import type { Measured } from "./measure.ts";
import type { TokenSize } from "./sizes.ts";
import type { Target } from "./targets.ts";

export interface Report {
  readonly node: string;
  readonly rounds: number;
  readonly microseconds: { readonly verify: number; readonly sign: number };
  readonly measured: readonly Measured[];
  readonly notMeasured: readonly { readonly peer: string; readonly reason: string }[];
  readonly sizes: readonly TokenSize[];
  readonly targets: readonly Target[];
}

const [FIRST, WIDE] = [36, 12];

/** The report as a person reads it. */
export function lines(report: Report): readonly string[] {
  const { microseconds, measured, notMeasured, sizes, targets } = report;
  const head = (title: string): string =>
    row(
      title,
      LENGTHS.map((length) => `chain of ${length}`),
    );
  const chains = measured.filter(({ length }) => length !== undefined);
  const ours = chains.filter(({ name }) => name === NAMES.envelope);
  const peers = new Set(chains.map(({ name }) => name).filter((name) => !Object.values(NAMES).some((own) => own === name)));
  return [
    `token bench on node ${report.node}: medians of ${report.rounds} rounds; ratios only, the two figures in µs are what they are of`,
    `one Ed25519 verify ${microseconds.verify.toFixed(1)} µs, one Ed25519 sign ${microseconds.sign.toFixed(1)} µs`,
    "",
    head("verification, in Ed25519 verifies"),
    ...table(chains),
    "",
    head(`${NAMES.envelope}, compared`),
    ...[...peers].map((peer) =>
      row(
        `  to ${peer}`,
        LENGTHS.map((length) =>
          figure(
            ratioOf(ours, length) /
              ratioOf(
                chains.filter(({ name }) => name === peer),
                length,
              ),
          ),
        ),
      ),
    ),
    "",
    row("derivation, in Ed25519 signatures", []),
    ...measured.filter(({ length }) => length === undefined).map(({ name, ratio }) => row(`  ${name}`, [figure(ratio)])),
    "",
    head("bytes"),
    ...table(
      sizes.map(({ name, length, bytes }) => ({ name, length, ratio: bytes })),
      bytesOf,
    ),
    "",
    ...notMeasured.map(({ peer, reason }) => `not measured: ${peer}: ${reason}`),
    ...targets.map(
      ({ name, length, most, ratio, isMet }) =>
        `${isMet ? "met    " : "not met"} ${name}${length === undefined ? "" : `, chain of ${length}`}: ${figure(ratio)}, at most ${figure(most)}`,
    ),
  ];
}

interface Cell {
  readonly name: string;
  readonly length: number | undefined;
  readonly ratio: number;
}

function table(cells: readonly Cell[], write: (figure: number) => string = figure): readonly string[] {
  const names = [...new Set(cells.map(({ name }) => name))];
  return names.map((name) =>
    row(
      `  ${name}`,
      LENGTHS.map((length) =>
        write(
          ratioOf(
            cells.filter((cell) => cell.name === name),
            length,
          ),
        ),
      ),
    ),
  );
}

function ratioOf(cells: readonly Cell[], length: number): number {
  return cells.find((cell) => cell.length === length)?.ratio ?? Number.NaN;
}

function row(first: string, cells: readonly string[]): string {
  return (first.padEnd(FIRST) + cells.map((cell) => cell.padStart(WIDE)).join("")).trimEnd();
}

function bytesOf(bytes: number): string {
  return Number.isNaN(bytes) ? "–" : String(bytes);
}

function figure(ratio: number): string {
  return Number.isNaN(ratio) ? "–" : ratio < 0.995 ? ratio.toPrecision(2) : ratio.toFixed(2);
}
