import { unavailable } from "./unavailable.ts";
import type { Lease } from "./vault.ts";

export interface Leased {
  readonly value: Uint8Array;
  readonly version: number;
  readonly expiresAt?: (() => number | undefined) | undefined;
  readonly renew?: (() => Promise<void>) | undefined;
  /** Gives back what was made for this lease. */
  readonly release?: (() => Promise<void>) | undefined;
}

/** A lease that zeros its value first and gives it back then, once, however often it is disposed of. */
export function createLease({ value, version, expiresAt, renew, release }: Leased): Lease {
  let released: Promise<void> | undefined;
  const lease = {
    version,
    get expiresAt() {
      return expiresAt?.();
    },
    renew: async () => {
      if (released !== undefined) throw unavailable("the lease is over");
      await renew?.();
    },
    [Symbol.asyncDispose]: () => {
      value.fill(0);
      return (released ??= release?.() ?? Promise.resolve());
    },
  };
  // INVARIANT I10: not enumerable, or whoever logs or copies a lease would log or copy the secret.
  return Object.freeze(Object.defineProperty(lease, "value", { value, enumerable: false }) as typeof lease & Pick<Lease, "value">);
}
