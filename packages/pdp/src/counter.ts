/** A count of what happened, for metrics. INVARIANT I10: labels are of closed lists; never an id, a tenant or a name that somebody chose. */
export interface Counter {
  readonly name: string;
  readonly help: string;
  readonly add: (labels: Readonly<Record<string, string>>, times?: number) => void;
  /** By labels, as Prometheus writes them. */
  readonly series: ReadonlyMap<string, number>;
}

function createCounter(name: string, help: string): Counter {
  const series = new Map<string, number>();
  return Object.freeze<Counter>({
    name,
    help,
    add: (labels, times = 1) => {
      const key = Object.entries(labels)
        .map(([label, value]) => `${label}="${value}"`)
        .join(",");
      series.set(key, (series.get(key) ?? 0) + times);
    },
    series,
  });
}

/** What a decision point counts besides its answers. */
export interface Counters {
  readonly unrecordedRefusals: Counter;
  readonly approvalNotices: Counter;
  readonly securityEvents: Counter;
  readonly exceeded: Counter;
}

export function createCounters(): Counters {
  return Object.freeze<Counters>({
    unrecordedRefusals: createCounter("ambit_pdp_unrecorded_refusals_total", "Refusals that the log only has the count of, by what was asked."),
    approvalNotices: createCounter("ambit_pdp_approval_notices_total", "Messages to webhooks about requests for approval, by what became of them."),
    securityEvents: createCounter("ambit_pdp_security_events_total", "Security events by what came of them."),
    exceeded: createCounter("ambit_pdp_exceeded_reservations_total", "Calls that used more than was reserved for them, by what they used."),
  });
}
