import { randomInt } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { unavailable } from "../shared-state.ts";

export interface SqliteFile {
  readonly database: DatabaseSync;
  /** Runs `work` alone among all processes, and all of it or nothing. Rejects when others keep the file for longer than `timeout`. */
  write<T>(work: () => T): Promise<T>;
  /** The same for work that takes several turns, while nothing else uses this file. */
  migrate<T>(work: () => Promise<T>): Promise<T>;
  /** Runs `work` on what is there now; only a file that is being recovered makes it wait. */
  read<T>(work: () => T): Promise<T>;
  close(): void;
}

export interface FileOptions {
  readonly path: string;
  readonly timeout: number;
  readonly synchronous: "FULL" | "NORMAL";
  /** Tells how long something took: milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

const BUSY = 5;
const LOCKED = 6;

/**
 * Opens a file, readable for its owner only. Waiting for another process happens between turns of the event loop, not in SQLite's own busy handler, which would
 * stop this process for as long.
 */
export async function openFile({ path, timeout, synchronous, now }: FileOptions): Promise<SqliteFile> {
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path);
  // A checkpoint waits for the disk twice, however little it writes: after 16 MiB of log instead of 4.
  const pragmas = ["busy_timeout = 0", "journal_mode = WAL", `synchronous = ${synchronous}`, "wal_autocheckpoint = 4000", "trusted_schema = OFF"];
  try {
    for (const pragma of pragmas) await whenFree(() => database.exec(`PRAGMA ${pragma}`), timeout, now);
  } catch (error) {
    database.close();
    throw error;
  }
  let contendedAt = -Infinity;
  let isOpen = true;
  const rollBack = (): void => {
    try {
      database.exec("ROLLBACK");
    } catch {
      // SQLite has done so itself.
    }
  };
  // Without a pause from beginning to end: a connection has one transaction, and what else it is asked meanwhile would be part of it.
  const transaction = <T>(work: () => T): T => {
    database.exec("BEGIN IMMEDIATE");
    try {
      const answer = work();
      database.exec("COMMIT");
      return answer;
    } catch (error) {
      rollBack();
      throw error;
    }
  };
  return {
    database,
    write: async (work) => {
      // Whoever was kept waiting lately leaves the others a moment to get in, instead of taking turns with itself.
      if (now() - contendedAt < 1000) await sleep(pause());
      return whenFree(
        () => transaction(work),
        timeout,
        now,
        () => {
          contendedAt = now();
        },
      );
    },
    read: (work) => whenFree(work, timeout, now),
    migrate: async (work) => {
      await whenFree(() => database.exec("BEGIN IMMEDIATE"), timeout, now);
      try {
        const answer = await work();
        database.exec("COMMIT");
        return answer;
      } catch (error) {
        rollBack();
        throw error;
      }
    },
    close: () => {
      if (isOpen) database.close();
      isOpen = false;
    },
  };
}

/** Milliseconds, never the same: processes that take turns in step would leave the same one out each time. */
function pause(): number {
  return randomInt(1, 5);
}

/** Tries until no other process is in the way. */
async function whenFree<T>(action: () => T, timeout: number, now: () => number, onBusy?: () => void): Promise<T> {
  const start = now();
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (!isBusy(error)) throw error;
      const waited = now() - start;
      if (waited >= timeout) throw unavailable("another process keeps its file", error);
      onBusy?.();
      await sleep(pause());
    }
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { readonly errcode?: unknown } | null)?.errcode;
  return typeof code === "number" && ((code & 255) === BUSY || (code & 255) === LOCKED);
}
