import { randomUUID } from "node:crypto";
import { inTime } from "../shared-state.ts";
import type { Connections } from "./connection.ts";

export interface ReplicaOptions {
  readonly primary: Connections;
  readonly replica: Connections;
  readonly schema: string;
  /** Milliseconds by which an answer of the replica may be behind. */
  readonly maxLag: number;
  readonly timeout: number;
  readonly now: () => number;
}

export interface RevocationReads {
  revokedAt(tenantId: string, scopes: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** From now on nothing older than this moment will do: this process has revoked something. */
  revoked(): void;
}

export type RevocationRow = { readonly scope: string; readonly at: string };

/** Reads from the primary alone. */
export function primaryReads(primary: Connections, schema: string): RevocationReads {
  return {
    revokedAt: async (tenantId, scopes) =>
      timesOf(
        await primary.query<RevocationRow>(`SELECT scope, at FROM ${schema}.revocations WHERE tenant = $1 AND scope = ANY ($2::text[])`, [tenantId, scopes]),
      ),
    revoked: () => undefined,
  };
}

/**
 * Reads from a replica that proves how fresh it is, and else from the primary.
 *
 * The proof is a beacon: this process writes the next number into its row on the primary, and remembers by its own monotonic clock when it began to. A replica that
 * shows the number, in the very snapshot of its answer, has everything that was committed before then. So no two clocks are compared, and any copy will do that shows
 * transactions in the order of the primary, also one of several behind an address.
 */
export function replicaReads({ primary, replica, schema, maxLag, timeout, now }: ReplicaOptions): RevocationReads {
  const fromPrimary = primaryReads(primary, schema);
  const id = randomUUID();
  const begun = new Map<number, number>();
  let last = 0;
  let lastAt = -Infinity;
  let notBefore = -Infinity;

  const writeBeacon = (): void => {
    const start = now();
    if (start - lastAt < maxLag / 4) return;
    lastAt = start;
    begun.set((last += 1), start);
    // Too old to prove anything.
    for (const [n, at] of begun) if (start - at > maxLag) begun.delete(n);
    const write = primary.query(
      `INSERT INTO ${schema}.beacons AS b (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = excluded.n, at = now() WHERE b.n < excluded.n`,
      [id, last],
    );
    // Without it the replica proves nothing, and the primary is asked.
    write.catch(() => undefined);
  };

  return {
    revokedAt: async (tenantId, scopes) => {
      writeBeacon();
      try {
        const rows = await inTime(
          replica.query<RevocationRow | { readonly scope: null; readonly at: string }>(
            `SELECT NULL AS scope, n AS at FROM ${schema}.beacons WHERE id = $3
             UNION ALL SELECT scope, at FROM ${schema}.revocations WHERE tenant = $1 AND scope = ANY ($2::text[])`,
            [tenantId, scopes, id],
          ),
          timeout / 2,
        );
        const seen = rows.find(({ scope }) => scope === null);
        const at = begun.get(Number(seen?.at)) ?? -Infinity;
        // INVARIANT I7: what was revoked more than `maxLag` ago, or by this process, is in the answer.
        if (at > notBefore && now() - at <= maxLag) return timesOf(rows.filter((row): row is RevocationRow => row.scope !== null));
      } catch {
        // A replica that is away is one that proves nothing.
      }
      return fromPrimary.revokedAt(tenantId, scopes);
    },
    revoked: () => {
      notBefore = now();
    },
  };
}

function timesOf(rows: readonly RevocationRow[]): ReadonlyMap<string, number> {
  // `bigint` comes as text.
  return new Map(rows.map(({ scope, at }) => [scope, wholeOf(at)]));
}

/** A `bigint` as a number; throws where it would become another one. */
export function wholeOf(value: unknown): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new RangeError("the store holds an amount or a time that is not a whole number");
  return number;
}
