import type { AmbitError } from "@ambit/core";
import { unavailable } from "../unavailable.ts";

/** Revokes leases, until that is done or they have ended by themselves. */
export interface Revocations {
  /** Resolves after the first attempt, whatever came of it. */
  revoke(leaseId: string, expiresAt: number): Promise<void>;
  /** Tries once more what is left, and no more after that. */
  close(): Promise<void>;
}

export interface RevocationsOptions {
  /** One attempt; rejects when it failed. */
  readonly attempt: (leaseId: string) => Promise<void>;
  readonly onProblem: (error: AmbitError) => void;
  readonly now: () => number;
}

const [FIRST_PAUSE, LONGEST_PAUSE] = [1000, 60_000];

export function createRevocations({ attempt, onProblem, now }: RevocationsOptions): Revocations {
  const waiting = new Map<string, NodeJS.Timeout>();
  let isClosed = false;

  const tryOnce = async (leaseId: string, expiresAt: number, pause: number): Promise<void> => {
    try {
      await attempt(leaseId);
    } catch (cause) {
      onProblem(unavailable("a credential could not be revoked yet", { cause, hint: `lease \`${leaseId}\`` }));
      if (isClosed || !(now() < expiresAt)) return;
      const timer = setTimeout(() => {
        waiting.delete(leaseId);
        void tryOnce(leaseId, expiresAt, Math.min(pause * 2, LONGEST_PAUSE));
      }, pause);
      timer.unref();
      waiting.set(leaseId, timer);
    }
  };

  return Object.freeze<Revocations>({
    revoke: (leaseId, expiresAt) => tryOnce(leaseId, expiresAt, FIRST_PAUSE),
    close: async () => {
      isClosed = true;
      const left = [...waiting.keys()];
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
      await Promise.all(left.map((leaseId) => tryOnce(leaseId, 0, 0)));
    },
  });
}
