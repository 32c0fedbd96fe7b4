import type { Counter } from "../counter.ts";

/** What happened, for Prometheus. INVARIANT I10: routes, statuses and codes; never an id, a tenant or a name that somebody chose. */
export interface Metrics {
  readonly answered: (route: string, status: number, milliseconds: number) => void;
  readonly decided: (kind: DecidedKind, isPermit: boolean, code: string | undefined) => void;
  readonly chain: (isKnown: boolean) => void;
  /** The text format, version 0.0.4. */
  readonly text: () => string;
}

export type DecidedKind = "begin" | "introduce" | "decide" | "redeem" | "settle" | "end";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;
const MOST_SERIES = 1000;

interface Histogram {
  /** Counts by bucket, not yet summed up. */
  readonly counts: number[];
  sum: number;
  count: number;
}

/** `others`: counted elsewhere, and told here. */
export function createMetrics(others: () => readonly Counter[] = () => []): Metrics {
  const requests = new Map<string, number>();
  const decisions = new Map<string, number>();
  const chains = new Map<string, number>();
  const durations = new Map<string, Histogram>();

  const add = (counter: Map<string, number>, labels: string): void => {
    // Labels come from closed lists; if one ever does not, it is counted nowhere rather than without end.
    if (counter.has(labels) || counter.size < MOST_SERIES) counter.set(labels, (counter.get(labels) ?? 0) + 1);
  };
  const time = (route: string, seconds: number): void => {
    let histogram = durations.get(route);
    if (histogram === undefined) durations.set(route, (histogram = { counts: BUCKETS.map(() => 0), sum: 0, count: 0 }));
    const bucket = BUCKETS.findIndex((most) => seconds <= most);
    if (bucket !== -1) histogram.counts[bucket] = (histogram.counts[bucket] as number) + 1;
    histogram.sum += seconds;
    histogram.count++;
  };

  return Object.freeze<Metrics>({
    answered: (route, status, milliseconds) => {
      add(requests, `route="${route}",status="${status}"`);
      time(`route="${route}"`, milliseconds / 1000);
    },
    decided: (kind, isPermit, code) => add(decisions, `kind="${kind}",decision="${isPermit ? "permit" : "deny"}",code="${isCode(code) ? code : "none"}"`),
    chain: (isKnown) => add(chains, `known="${isKnown}"`),
    text: () =>
      [
        counterText("ambit_pdp_requests_total", "Requests by route and status.", requests),
        counterText("ambit_pdp_decisions_total", "Decisions by what was asked, outcome and code.", decisions),
        counterText("ambit_pdp_chain_handles_total", "Chains shown by their digest, by whether it was known.", chains),
        ...others().map(({ name, help, series }) => counterText(name, help, series)),
        histogramText("ambit_pdp_request_duration_seconds", "Time from the headers of a request to its answer.", durations),
      ].join(""),
  });
}

function isCode(code: string | undefined): code is string {
  return code !== undefined && /^[a-z_]{1,64}$/.test(code);
}

function counterText(name: string, help: string, counter: ReadonlyMap<string, number>): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} counter\n${[...counter].map(([labels, value]) => `${name}{${labels}} ${value}\n`).join("")}`;
}

function histogramText(name: string, help: string, histograms: ReadonlyMap<string, Histogram>): string {
  const lines = [...histograms].flatMap(([labels, { counts, sum, count }]) => {
    let below = 0;
    const buckets = BUCKETS.map((most, index) => `${name}_bucket{${labels},le="${most}"} ${(below += counts[index] as number)}\n`);
    return [...buckets, `${name}_bucket{${labels},le="+Inf"} ${count}\n`, `${name}_sum{${labels}} ${sum}\n`, `${name}_count{${labels}} ${count}\n`];
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} histogram\n${lines.join("")}`;
}
