import type { Framework } from "./framework.ts";
import type { Meter } from "./meter.ts";

/** Microseconds on the wall. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
}

export interface Figures {
  readonly framework: string;
  /** A call without the adapter. */
  readonly bare: Spread;
  /** Core and the decision point, of a call with it. */
  readonly decision: Spread;
  /** What the adapter adds besides: what is left of a call with it, less a call without it, each at its own quantile. */
  readonly own: Spread;
}

/** Calls with and without the adapter take turns, so that what the machine does meanwhile hits both. */
export async function measure(framework: Framework, { take }: Meter, { calls, warmUp }: { readonly calls: number; readonly warmUp: number }): Promise<Figures> {
  const [bare, decision, rest]: [number[], number[], number[]] = [[], [], []];
  for (let index = -warmUp; index < calls; index++) {
    const without = await timed(framework.bare);
    take();
    const whole = await timed(framework.guarded);
    const decided = take();
    if (index < 0) continue;
    bare.push(without);
    decision.push(decided);
    rest.push(whole - decided);
  }
  const [without, left] = [spread(bare), spread(rest)];
  return {
    framework: framework.name,
    bare: without,
    decision: spread(decision),
    own: { p50: left.p50 - without.p50, p99: left.p99 - without.p99 },
  };
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

function spread(milliseconds: readonly number[]): Spread {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (part: number): number => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN) * 1000;
  return { p50: at(0.5), p99: at(0.99) };
}
