import type { DecisionLog, RecordBody, RecordKind } from "@ambit/core/audit";
import { randomText } from "@ambit/core";
import type { Counter } from "./counter.ts";

/** Refusals that anybody who is let in can bring about as often as they like: of beginnings, hand-offs and introductions, and of calls without an envelope. Calls under one are not counted here, each is on the record. */
export interface Refusals {
  /** Whether one more is written; otherwise it is counted, and the count is written when its time is over. */
  readonly take: (party: Pick<RecordBody, "tenant" | "agent">, kind: RecordKind, code: string) => boolean;
  /** Writes what was only counted. */
  readonly close: () => Promise<void>;
}

export interface RefusalsOptions {
  readonly log: DecisionLog;
  readonly counter: Counter;
  /** Milliseconds. @defaultValue 60,000 */
  readonly window?: number;
  /** Refusals that are written in that time, of one agent of a tenant. @defaultValue 100 */
  readonly most?: number;
  /** Agents of tenants that are told apart in that time; all others together are one. @defaultValue 1000 */
  readonly mostParties?: number;
}

interface Counted {
  readonly tenant: string;
  readonly agent: string;
  written: number;
  count: number;
  readonly kinds: Map<string, number>;
  readonly codes: Map<string, number>;
}

export function createRefusals({ log, counter, window = 60_000, most = 100, mostParties = 1000 }: RefusalsOptions): Refusals {
  let parties = new Map<string, Counted>();
  let timer: NodeJS.Timeout | undefined;

  const countedOf = (tenant: string, agent: string): Counted => {
    const key = JSON.stringify([tenant, agent]);
    const found = parties.get(key);
    if (found !== undefined) return found;
    if (parties.size >= mostParties && tenant !== ANY) return countedOf(ANY, ANY);
    const created = { tenant, agent, written: 0, count: 0, kinds: new Map<string, number>(), codes: new Map<string, number>() };
    parties.set(key, created);
    timer ??= setTimeout(() => void flush(), window).unref();
    return created;
  };
  const flush = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const ended = parties;
    parties = new Map();
    for (const counted of ended.values()) {
      if (counted.count === 0) continue;
      // INVARIANT I11: what cannot be written now is written with what comes.
      await summarise(log, counted, window).catch(() => join(countedOf(counted.tenant, counted.agent), counted));
    }
  };

  return Object.freeze<Refusals>({
    take: ({ tenant, agent }, kind, code) => {
      const counted = countedOf(tenant, agent);
      if (counted.written < most) {
        counted.written++;
        return true;
      }
      counted.count++;
      add(counted.kinds, kind, 1);
      add(counted.codes, code, 1);
      counter.add({ kind });
      return false;
    },
    close: flush,
  });
}

const ANY = "any";

async function summarise(log: DecisionLog, { tenant, agent, count, kinds, codes }: Counted, window: number): Promise<void> {
  const party = { tenant, task: ANY, lineage: ANY, envelope: ANY, agent };
  const details = { count, kinds: Object.fromEntries(kinds), codes: Object.fromEntries(codes), within_seconds: Math.ceil(window / 1000) };
  await log.append({ kind: "refusals", ...party, decision_id: `sum_${randomText()}`, details });
}

function join(into: Counted, { count, kinds, codes }: Counted): void {
  into.count += count;
  for (const [kind, times] of kinds) add(into.kinds, kind, times);
  for (const [code, times] of codes) add(into.codes, code, times);
}

function add(counts: Map<string, number>, name: string, times: number): void {
  counts.set(name, (counts.get(name) ?? 0) + times);
}
