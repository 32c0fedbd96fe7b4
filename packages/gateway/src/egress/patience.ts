import { unavailable } from "./failure.ts";

/** How long an answer may take, and whether anybody still waits for it. */
export interface Patience {
  /** Aborted when a time has run out, with `upstream_unavailable`, or when the caller gave up, with the caller's reason. */
  readonly signal: AbortSignal;
  /** Lets `milliseconds` run; what is returned stops them. */
  within(milliseconds: number, reason: string): () => void;
  /** Waits for what has no signal of its own. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** Stops everything that runs. */
  end(): void;
}

export function createPatience(caller: AbortSignal | undefined): Patience {
  const over = new AbortController();
  const signal = caller === undefined ? over.signal : AbortSignal.any([caller, over.signal]);
  const running = new Set<NodeJS.Timeout>();
  const stop = (timer: NodeJS.Timeout): void => {
    clearTimeout(timer);
    running.delete(timer);
  };
  return {
    signal,
    within: (milliseconds, reason) => {
      const timer = setTimeout(() => over.abort(unavailable(reason)), milliseconds);
      running.add(timer);
      return () => stop(timer);
    },
    wait: async (promise) => {
      signal.throwIfAborted();
      const { promise: given, reject } = Promise.withResolvers<never>();
      const giveUp = (): void => reject(signal.reason);
      signal.addEventListener("abort", giveUp);
      try {
        return await Promise.race([promise, given]);
      } finally {
        signal.removeEventListener("abort", giveUp);
      }
    },
    end: () => running.forEach(stop),
  };
}
