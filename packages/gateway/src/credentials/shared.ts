/** A value for as long as it is good. */
export interface Dated<T> {
  readonly value: T;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** One value for everybody until it is too old: whoever comes while it is being made waits for that one. A failure is remembered by nobody. */
export function createShared<T>(make: () => Promise<Dated<T>>, now: () => number): () => Promise<T> {
  let made: Dated<T> | undefined;
  let making: Promise<Dated<T>> | undefined;
  return async () => {
    if (made !== undefined && now() < made.until) return made.value;
    making ??= make().finally(() => (making = undefined));
    made = await making;
    return made.value;
  };
}
