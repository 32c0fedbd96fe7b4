import { AmbitError } from "@ambit/core";
import { unavailable } from "../vault/unavailable.ts";

/**
 * INVARIANT I8, I10: whatever keeps a credential from being made is `credential_unavailable`, and of what others threw nothing is kept: errors of servers repeat what they were sent.
 */
export async function orUnavailable<T>(message: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw AmbitError.isInstance(error) && error.code === "credential_unavailable" ? error : unavailable(message);
  }
}

/** Gives up when nobody waits any more, when the action must not begin any more, or after `most` milliseconds. */
export function inTimeFor(action: { readonly until: number } | undefined, now: () => number, most: number, signal?: AbortSignal): AbortSignal {
  const left = action === undefined ? most : Math.min(most, Math.max(0, action.until - now()));
  return AbortSignal.any([AbortSignal.timeout(left), ...(signal === undefined ? [] : [signal])]);
}
