import { requestProblem } from "./problem.ts";

/** The time that one request has. INVARIANT I8: nobody waits longer, whatever does not come. */
export interface Deadline {
  /** What `run` gives; rejects with `timeout` once the time is over, and with `request_timeout` where the body has not come until then. */
  readonly within: <T>(run: () => Promise<T>) => Promise<T>;
  /** Reads from the body of the request: what does not come is its sender's fault. */
  readonly reading: <T>(read: () => Promise<T>) => Promise<T>;
  readonly isOver: () => boolean;
  /** Aborts when the time is over. Made for those who ask for it. */
  readonly signal: () => AbortSignal;
}

export function createDeadline(milliseconds: number): Deadline {
  const { promise: over, reject } = Promise.withResolvers<never>();
  let [isOver, isReading] = [false, false];
  let aborting: AbortController | undefined;
  const end = (): void => {
    isOver = true;
    reject(
      isReading
        ? requestProblem("request_timeout", "the body did not come in time", { connection: "close" })
        : requestProblem("timeout", "there was no answer in time"),
    );
    aborting?.abort();
  };
  return {
    within: async (run) => {
      const timer = setTimeout(end, milliseconds);
      try {
        return await Promise.race([over, run()]);
      } finally {
        clearTimeout(timer);
      }
    },
    reading: async (read) => {
      isReading = true;
      try {
        return await read();
      } finally {
        isReading = false;
      }
    },
    isOver: () => isOver,
    signal: () => {
      aborting ??= new AbortController();
      if (isOver) aborting.abort();
      return aborting.signal;
    },
  };
}
