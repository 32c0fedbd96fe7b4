import { setImmediate } from "node:timers/promises";

/** Something that is timed, in batches: what `prepare` makes for a batch is not. */
export interface Subject<T = unknown> {
  readonly name: string;
  /** The name of the subject that it is compared with; absent of what others are compared with. */
  readonly base: string | undefined;
  readonly prepare: (count: number) => Promise<readonly T[]>;
  readonly run: (item: T) => Promise<unknown>;
  /** After each batch, and not timed. */
  readonly forget: () => void;
}

export interface Measured {
  readonly name: string;
  readonly base: string;
  /** Runs of the base that take as long as one of the subject: the median over the rounds. */
  readonly ratio: number;
}

export interface MeasureOptions {
  readonly rounds: number;
  /** Rounds before them that do not count. */
  readonly warmUp: number;
  /** How long one batch takes, about. */
  readonly batchMilliseconds: number;
}

export interface Measurement {
  readonly measured: readonly Measured[];
  /** Microseconds of one run of each base: what the machine did today, compared with nothing. */
  readonly bases: readonly { readonly name: string; readonly microseconds: number }[];
}

/** Times all subjects in every round, each right after its base, and starts each round with another one: what the machine does meanwhile hits both. */
export async function measure(subjects: readonly Subject[], { rounds, warmUp, batchMilliseconds }: MeasureOptions): Promise<Measurement> {
  const byName = new Map(subjects.map((subject) => [subject.name, subject]));
  const compared = subjects.filter(({ base }) => base !== undefined);
  const counts = new Map<Subject, number>();
  for (const subject of subjects) counts.set(subject, await calibrate(subject, batchMilliseconds));
  const timeOf = (subject: Subject): Promise<number> => batch(subject, counts.get(subject) ?? 1);

  const ratios = compared.map((): number[] => []);
  const times = new Map<string, number[]>();
  for (let round = -warmUp; round < rounds; round++) {
    for (let step = 0; step < compared.length; step++) {
      const index = (warmUp + round + step) % compared.length;
      const subject = compared[index] as Subject;
      const base = byName.get(subject.base ?? "");
      if (base === undefined) throw new Error(`there is no base \`${subject.base}\``);
      const baseTime = await timeOf(base);
      const ratio = (await timeOf(subject)) / baseTime;
      if (round < 0) continue;
      times.set(base.name, [...(times.get(base.name) ?? []), baseTime]);
      ratios[index]?.push(ratio);
    }
  }
  return {
    measured: compared.map(({ name, base = "" }, index) => ({ name, base, ratio: median(ratios[index] ?? []) })),
    bases: [...times].map(([name, all]) => ({ name, microseconds: median(all) * 1000 })),
  };
}

/** The middle of the figures; between the two in the middle where their number is even; NaN of none. */
export function median(figures: readonly number[]): number {
  return quantile(figures, 0.5);
}

/** Of sorted figures the one below which the given part of them lies; between two neighbours in proportion. NaN of none. */
export function quantile(figures: readonly number[], part: number): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

/** How often it runs in a batch: first runs load and compile. */
async function calibrate(subject: Subject, batchMilliseconds: number): Promise<number> {
  let [count, spent, fastest] = [1, 0, Infinity];
  while (spent < batchMilliseconds * 10) {
    const each = await batch(subject, count);
    spent += each * count;
    fastest = Math.min(fastest, each);
    if (each * count < batchMilliseconds) count *= 2;
  }
  return Math.max(1, Math.round(batchMilliseconds / fastest));
}

/**
 * Milliseconds of processor time of one run, of all threads: collecting what a subject left behind is part of what it costs, waiting for a processor that others have
 * is not.
 */
async function batch({ prepare, run, forget }: Subject, count: number): Promise<number> {
  const [first, ...items] = await prepare(count + 1);
  await setImmediate(); // what others left to the event loop is done before the clock runs
  await run(first); // and so is the first run, which would pay for what others pushed out of the processor's caches
  const start = process.cpuUsage();
  for (const item of items) await run(item);
  const { user, system } = process.cpuUsage(start);
  forget();
  return (user + system) / 1000 / count;
}
