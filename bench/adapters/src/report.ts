import type { Figures } from "./measure.ts";

/** Microseconds that an adapter may add to a call. */
const TARGET = { p50: 20, p99: 100 } as const;

export interface Report {
  readonly node: string;
  readonly calls: number;
  readonly figures: readonly Figures[];
  readonly bytesPerEnvelope: number;
}

export function lines({ node, calls, figures, bytesPerEnvelope }: Report): readonly string[] {
  const cell = (figure: number): string => figure.toFixed(1).padStart(10);
  return [
    `adapter bench on node ${node}: microseconds on the wall over ${calls} calls; the adapter's own part is a call with it, less the decision, less a call without it`,
    "",
    `${"".padEnd(12)}${["bare p50", "p99", "decision", "p99", "own p50", "p99"].map((head) => head.padStart(10)).join("")}`,
    ...figures.map(({ framework, bare, decision, own }) => {
      const cells = [bare.p50, bare.p99, decision.p50, decision.p99, own.p50, own.p99].map(cell).join("");
      return `  ${framework.padEnd(10)}${cells}`;
    }),
    "",
    `${Math.round(bytesPerEnvelope)} bytes of heap for each live envelope, its record in the log included`,
    "",
    ...figures.flatMap(({ framework, own }) =>
      (["p50", "p99"] as const).map(
        (part) => `${own[part] <= TARGET[part] ? "met     " : "not met "}${framework}, own ${part}: ${own[part].toFixed(1)} µs, at most ${TARGET[part]} µs`,
      ),
    ),
  ];
}
