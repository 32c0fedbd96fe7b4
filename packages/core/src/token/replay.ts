/** Remembers which proofs were taken. Replicas of one verifier share it. */
export interface ReplayStore {
  /**
   * Marks the key as taken until the time (milliseconds since the epoch), in one step: `true` for the first who asks, `false` for all others.
   * Rejects when it cannot tell; the call is then denied.
   */
  readonly take: (key: string, until: number) => Promise<boolean>;
}

/** For one process. When it is full of proofs that can still be replayed, it takes no more: forgetting one would let it pass a second time. */
export function memoryReplay(now: () => number, capacity = 100_000): ReplayStore {
  const taken = new Map<string, number>();
  const sweep = (time: number): void => {
    for (const [key, until] of taken) if (until < time) taken.delete(key);
  };
  return {
    take: async (key, until) => {
      const time = now();
      const known = taken.get(key);
      if (known !== undefined && known >= time) return false;
      if (taken.size >= capacity) sweep(time);
      if (taken.size >= capacity) throw new Error("the replay store is full");
      taken.set(key, until);
      return true;
    },
  };
}
