import type { Task } from "@ambit/core";
import { median, quantile } from "./measure.ts";
import { ARGS, BEGIN, createWorld, NOTHING, type Kind, type World } from "./scenario.ts";

export interface EnforceFigures {
  readonly kind: Kind;
  /** Microseconds on the wall, of a whole `pep.enforce` around a tool that does nothing: medians over the rounds. */
  readonly p50: number;
  readonly p99: number;
}

/** Decided, redeemed, run, settled and recorded, one call after the other; handles and signed envelopes take turns. */
export async function enforceFigures(rounds: number, calls: number): Promise<readonly EnforceFigures[]> {
  const subjects: { readonly kind: Kind; readonly world: World; readonly task: Task; readonly p50: number[]; readonly p99: number[] }[] = [];
  for (const kind of ["handle", "signed"] as const) {
    const world = await createWorld(kind);
    subjects.push({ kind, world, task: await world.pep.begin(BEGIN), p50: [], p99: [] });
  }
  for (let round = -Math.ceil(rounds / 2); round < rounds; round++) {
    for (const { world, task, p50, p99 } of subjects) {
      const times: number[] = [];
      for (let index = 0; index < calls; index++) {
        const start = performance.now();
        const { refused } = await world.pep.enforce({ envelope: task, tool: "contracts_read", arguments: ARGS }, () => NOTHING);
        times.push((performance.now() - start) * 1000);
        if (refused !== undefined) throw new Error(`refused: ${refused.refusal.code}`);
      }
      world.ports.forget();
      if (round < 0) continue;
      p50.push(quantile(times, 0.5));
      p99.push(quantile(times, 0.99));
    }
  }
  return subjects.map(({ kind, p50, p99 }) => ({ kind, p50: median(p50), p99: median(p99) }));
}
