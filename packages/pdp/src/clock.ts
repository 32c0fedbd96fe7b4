import { Refused } from "./refusal.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Now, in milliseconds since the epoch. Refuses (`state_unavailable`) a clock that throws or tells anything but a safe integer: what was issued at no time can
 * neither expire nor be revoked, because every comparison with it is false.
 */
export function clock({ now: ask }: Pick<Runtime, "now">): number {
  const now = tell(ask);
  if (Number.isSafeInteger(now)) return now as number;
  throw new Refused("envelope", "state_unavailable", "what time it is cannot be told", "the clock (`now`) must tell whole milliseconds since the epoch");
}

function tell(now: () => unknown): unknown {
  try {
    return now();
  } catch {
    return undefined; // as good as no clock
  }
}
