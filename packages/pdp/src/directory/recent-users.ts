import { createRecent } from "../recent.ts";

/** Who users were a moment ago, so that not every decision asks the store. */
export interface RecentUsers<U> {
  /** A user as it was less than a second ago, else as `load` says. Who is not known is asked for each time. */
  readonly of: (tenantId: string, id: string, load: () => Promise<U | undefined>) => Promise<U | undefined>;
  /** To be called before a user is written, and after. */
  readonly forget: (tenantId: string, id: string) => void;
}

const CAPACITY = 10_000;
/**
 * Milliseconds. INVARIANT I7: as long as a revocation may take to reach another process. A leaver takes along what is given out within five seconds of the removal, so nothing of what was begun meanwhile is
 * left.
 */
const FRESH = 1000;

/** `now`: milliseconds since the epoch. */
export function createRecentUsers<U>(now: () => number): RecentUsers<U> {
  const users = createRecent<{ readonly known: U; readonly at: number }>(CAPACITY);
  let writes = 0;
  return {
    of: async (tenantId, id, load) => {
      const [key, at, before] = [keyOf(tenantId, id), now(), writes];
      const recent = users.get(key);
      if (recent !== undefined && at >= recent.at && at - recent.at < FRESH) return recent.known;
      const known = await load();
      // What was read while somebody wrote may be what was there before.
      if (known !== undefined && before === writes) users.set(key, { known, at });
      return known;
    },
    forget: (tenantId, id) => {
      writes++;
      users.delete(keyOf(tenantId, id));
    },
  };
}

/** INVARIANT I12. */
function keyOf(tenantId: string, id: string): string {
  return JSON.stringify([tenantId, id]);
}
