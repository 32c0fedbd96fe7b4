import { setImmediate } from "node:timers/promises";

/** Something that is timed. What it returns is awaited when it is a promise. */
export interface Subject {
  readonly name: string;
  /** Tokens of the chain, where it has one. */
  readonly length?: number;
  /** What one run of it is compared with. */
  readonly base: "verify" | "sign";
  readonly run: () => unknown;
}

export interface Measured {
  readonly name: string;
  readonly length: number | undefined;
  readonly base: Subject["base"];
  /** Runs of the base that take as long as one run of the subject: the median over the rounds. */
  readonly ratio: number;
}

export interface Bases {
  readonly verify: () => unknown;
  readonly sign: () => unknown;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** Rounds before them that do not count: all subjects together make the compiler think anew of what they share. */
  readonly warmUp: number;
  /** How long one batch of runs takes, about. */
  readonly batchMilliseconds: number;
}

export interface Measurement {
  readonly measured: readonly Measured[];
  /** Microseconds of one run of each base: what the machine did today, compared with nothing. */
  readonly microseconds: { readonly verify: number; readonly sign: number };
}

/**
 * Times all subjects in every round, each right after its base, in another order each time: what the machine does meanwhile hits all of them, and a ratio within one
 * round hardly at all. In an order that stays, one subject would in every round be collected for by what goes before it.
 */
export async function measure(subjects: readonly Subject[], bases: Bases, { rounds, warmUp, batchMilliseconds }: MeasureOptions): Promise<Measurement> {
  const repeats = new Map<() => unknown, number>();
  for (const run of [bases.verify, bases.sign, ...subjects.map((subject) => subject.run)]) repeats.set(run, await calibrate(run, batchMilliseconds));
  const timeOf = async (run: () => unknown): Promise<number> => {
    const count = repeats.get(run) ?? 1;
    return (await batch(run, count)) / count;
  };

  const ratios = subjects.map((): number[] => []);
  const times = { verify: [] as number[], sign: [] as number[] };
  for (let round = -warmUp; round < rounds; round++) {
    for (const index of shuffled(subjects.length)) {
      const { base, run } = subjects[index] as Subject;
      const baseTime = await timeOf(bases[base]);
      const ratio = (await timeOf(run)) / baseTime;
      if (round < 0) continue;
      times[base].push(baseTime);
      ratios[index]?.push(ratio);
    }
  }
  return {
    measured: subjects.map(({ name, length, base }, index) => ({ name, length, base, ratio: median(ratios[index] ?? []) })),
    microseconds: { verify: median(times.verify) * 1000, sign: median(times.sign) * 1000 },
  };
}

/** The whole numbers below `count` in any order. */
function shuffled(count: number): readonly number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const index = Math.floor(Math.random() * (last + 1));
    [order[last], order[index]] = [order[index] as number, order[last] as number];
  }
  return order;
}

/** The middle of the figures; between the two in the middle where their number is even; NaN of none. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

/** How often it runs in a batch, by its fastest batch of some: first runs load and compile. */
async function calibrate(run: () => unknown, batchMilliseconds: number): Promise<number> {
  let [count, spent, fastest] = [1, 0, Infinity];
  while (spent < batchMilliseconds * 40) {
    const milliseconds = await batch(run, count);
    spent += milliseconds;
    fastest = Math.min(fastest, milliseconds / count);
    if (milliseconds < batchMilliseconds) count *= 2;
  }
  return Math.max(1, Math.round(batchMilliseconds / fastest));
}

/**
 * Milliseconds of processor time, of all threads: collecting what a subject left behind is part of what it costs, waiting for a processor that others have is not.
 */
async function batch(run: () => unknown, count: number): Promise<number> {
  await setImmediate(); // what others left to the event loop is done before the clock runs
  const first = run(); // and so is the first run after others: it would pay for what they pushed out of caches that are warm in between (keys)
  if (first instanceof Promise) await first;
  const start = process.cpuUsage();
  for (let index = 0; index < count; index++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
