import type { EnforceFigures } from "./enforce.ts";
import type { Measurement } from "./measure.ts";
import type { EnvelopeBytes, TupleBytes } from "./memory.ts";
import type { Scale } from "./scale.ts";
import type { AskedFigures, Client, ServiceFigures } from "./service/measure-service.ts";
import type { Asks } from "./service/serving.ts";
import type { StepFigures } from "./steps.ts";
import type { Target } from "./targets.ts";

/** What else the machine does: its load average over a minute, before and after, of which this run is a part. */
export interface Machine {
  readonly processors: number;
  readonly load: readonly [before: number, after: number];
}

export interface Report {
  readonly node: string;
  readonly machine: Machine;
  readonly scale: Scale;
  readonly embedded: Measurement;
  readonly steps: readonly StepFigures[];
  readonly enforce: readonly EnforceFigures[];
  readonly service: ServiceFigures;
  readonly envelopes: readonly EnvelopeBytes[];
  readonly tuples: TupleBytes;
  readonly targets: readonly Target[];
}

const [FIRST, WIDE] = [52, 14];

/** The report as a person reads it. */
export function lines(report: Report): readonly string[] {
  const { node, machine, scale, targets } = report;
  return [
    `pdp bench on node ${node}, ${machine.processors} processors: medians of ${scale.rounds} rounds; what is not a ratio says what the machine did today`,
    `load of the machine ${machine.load.map((load) => load.toFixed(1)).join(" before, ")} after, of which this run is about 1 to 2`,
    "",
    ...embeddedLines(report),
    "",
    ...askedLines("decision", report.service.decision, scale),
    "",
    ...askedLines("evaluation", report.service.evaluation, scale),
    "",
    ...clientLines(report.service.clients, scale),
    "",
    ...memoryLines(report),
    "",
    ...targets.map(({ name, unit, bound, limit, figure, isMet }) => {
      const write = (value: number): string => (unit === "%" ? percent(value) : `${number(value)} ms`);
      return `${isMet ? "met    " : "not met"} ${name}: ${write(figure)}, ${bound} ${write(limit)}`;
    }),
  ];
}

function embeddedLines({ embedded, steps, enforce }: Report): readonly string[] {
  const compiled = embedded.bases.find(({ name }) => name === "policy call, compiled")?.microseconds ?? Number.NaN;
  const of = (kind: StepFigures["kind"], step: StepFigures["step"]): StepFigures | undefined => steps.find((one) => one.kind === kind && one.step === step);
  return [
    row("the policy call alone, µs of processor time", []),
    ...embedded.bases.map(({ name, microseconds }) => row(`  ${name}`, [number(microseconds)])),
    "",
    row("embedded, in policy calls", []),
    ...embedded.measured.map(({ name, base, ratio }) => row(`  ${name}`, [number(ratio), `  of ${base}`])),
    "",
    row("a decision step by step, compiled policies", ["handle", "µs", "signed", "µs"]),
    ...steps
      .filter(({ kind }) => kind === "handle")
      .map(({ step, isPart }) =>
        row(
          isPart ? `    of which ${step}` : `  ${step}`,
          [of("handle", step), of("signed", step)].flatMap((one) => [percent(one?.share), number(one?.microseconds)]),
        ),
      ),
    "",
    row("a whole `pep.enforce` around an empty tool, wall µs", ["p50", "p99", "p50, in calls"]),
    ...enforce.map(({ kind, p50, p99 }) => row(`  ${kind}`, [number(p50), number(p99), number(p50 / compiled)])),
  ];
}

/** A title over the numbers of questions at a time, and rows of what each of these gave. */
function tableOf({ concurrencies }: Scale) {
  const head = (title: string): string =>
    row(
      title,
      concurrencies.map((concurrency) => `${concurrency} at a time`),
    );
  const cells = (name: string, cell: (concurrency: number) => string): string => row(`  ${name}`, concurrencies.map(cell));
  return { head, cells };
}

function askedLines(asks: Asks, { throughput, rates, halfLoad }: AskedFigures, scale: Scale): readonly string[] {
  const { head, cells } = tableOf(scale);
  const servers = [...new Set(rates.map(({ server }) => server))];
  const peers = [...new Set(throughput.map(({ peer }) => peer))];
  const rateOf = (server: string, concurrency: number) => rates.find((one) => one.server === server && one.concurrency === concurrency);
  const ratioOf = (peer: string, concurrency: number) => throughput.find((one) => one.peer === peer && one.concurrency === concurrency);
  return [
    head(`${asks}s, answers a second (asking, % of a processor)`),
    ...servers.map((server) =>
      cells(server, (concurrency) => {
        const rate = rateOf(server, concurrency);
        return `${rate?.perSecond.toFixed(0) ?? "–"} (${percent(rate?.asking)})`;
      }),
    ),
    "",
    head(`service, ${asks}s for each answer`),
    ...peers.flatMap((peer) => [
      cells(`of a ${peer}`, (concurrency) => percent(ratioOf(peer, concurrency)?.ratio)),
      cells("  in processor time of the server", (concurrency) => percent(ratioOf(peer, concurrency)?.processor)),
    ]),
    "",
    row(`${asks}s, ${halfLoad[0]?.perSecond.toFixed(0) ?? "–"} a second, half of the most`, ["p50, ms", "p99, ms"]),
    ...halfLoad.map(({ server, p50, p99 }) => row(`  ${server}`, [number(p50), number(p99)])),
  ];
}

function clientLines(clients: readonly Client[], scale: Scale): readonly string[] {
  const { head, cells } = tableOf(scale);
  const clientOf = (concurrency: number) => clients.find((one) => one.concurrency === concurrency);
  return [
    head("pdpClient, decisions for each plain post of undici"),
    cells("in the same time", (concurrency) => percent(clientOf(concurrency)?.ratio)),
    cells("in processor time of the client", (concurrency) => percent(clientOf(concurrency)?.processor)),
    cells("p50, p99 of pdpClient, ms", (concurrency) => pair(clientOf(concurrency))),
    cells("p50, p99 of undici, ms", (concurrency) => pair(clientOf(concurrency)?.plain)),
  ];
}

function memoryLines({ envelopes, tuples }: Report): readonly string[] {
  return [
    row("bytes of the heap for each live envelope", ["given out", "used once", "its own text"]),
    ...envelopes.map(({ kind, envelopes: count, begun, used, text }) =>
      row(
        `  ${kind}, of ${count}`,
        [begun, used, text].map((bytes) => bytes.toFixed(0)),
      ),
    ),
    "",
    row(`memory of ${tuples.tuples} tuples`, ["bytes each", "MB in all", "of a Set"]),
    row("  relations", [tuples.bytes.toFixed(0), number((tuples.bytes * tuples.tuples) / 1e6), number(tuples.bytes / tuples.plain)]),
    row("  a Set of their texts", [tuples.plain.toFixed(0), number((tuples.plain * tuples.tuples) / 1e6)]),
  ];
}

function pair(figures: { readonly p50: number; readonly p99: number } | undefined): string {
  return `${number(figures?.p50)}, ${number(figures?.p99)}`;
}

function row(first: string, cells: readonly string[]): string {
  return (first.padEnd(FIRST) + cells.map((cell) => ` ${cell.padStart(WIDE - 1)}`).join("")).trimEnd();
}

function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  return Math.abs(value) < 9.95 ? value.toFixed(2) : Math.abs(value) < 99.5 ? value.toFixed(1) : value.toFixed(0);
}

function percent(ratio: number | undefined): string {
  return ratio === undefined || Number.isNaN(ratio) ? "–" : `${Math.abs(ratio) < 0.095 ? (ratio * 100).toFixed(1) : (ratio * 100).toFixed(0)} %`;
}
