/** Keeps a service that is down from being asked by every call: for a while nobody is let through, then one, and its fate is everybody's. */
export interface Breaker {
  /** Whether to ask now. Whoever was let through says how it went, once. */
  readonly mayAsk: () => boolean;
  readonly succeeded: () => void;
  readonly failed: () => void;
}

export interface BreakerOptions {
  /** Failures in a row after which nobody is let through. */
  readonly failures: number;
  /** Milliseconds until one is let through to try. */
  readonly pause: number;
  /** Milliseconds; whatever it counts from. */
  readonly now: () => number;
}

export function createBreaker({ failures, pause, now }: BreakerOptions): Breaker {
  let inRow = 0;
  let openedAt: number | undefined;
  let isProbing = false;
  const isPaused = (): boolean => {
    const since = openedAt === undefined ? Number.NaN : now() - openedAt;
    // A clock that was set back, or that is none, ends the pause: to ask once too often harms nobody.
    return since >= 0 && since < pause;
  };
  return Object.freeze<Breaker>({
    mayAsk: () => {
      if (openedAt === undefined) return true;
      if (isProbing || isPaused()) return false;
      isProbing = true;
      return true;
    },
    succeeded: () => {
      inRow = 0;
      openedAt = undefined;
      isProbing = false;
    },
    failed: () => {
      isProbing = false;
      if (++inRow >= failures) openedAt = now();
    },
  });
}
