import { closeSync, openSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { unavailable } from "./unavailable.ts";

const PAUSE = 20;
const MOST_PAUSES = 500;
/** https://sqlite.org/rescode.html */
const BUSY = 5;

/**
 * Runs `work` while no other process and nothing else here does, by the lock of an SQLite file that stays empty: Node has no other that the system takes back when a
 * process is killed. Rejects with `credential_unavailable` when others keep it for ten seconds.
 */
export async function alone<T>(path: string, work: () => Promise<T>): Promise<T> {
  // Only those who write need it, and Node 22 warns of it.
  const { DatabaseSync } = await import("node:sqlite");
  make(path);
  const lock = new DatabaseSync(path);
  try {
    for (let pauses = 0; ; pauses++) {
      try {
        lock.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
        break;
      } catch (cause) {
        if ((cause as { readonly errcode?: unknown }).errcode !== BUSY) throw cause;
        if (pauses === MOST_PAUSES) throw unavailable("others keep changing the vault", { cause });
        await sleep(PAUSE);
      }
    }
    return await work();
  } finally {
    lock.close();
  }
}

/** For its owner alone: whoever can read it can lock it. One that is there is not opened: to close it would end every lock that this process has on it (POSIX). */
function make(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== "EEXIST") throw error;
  }
}
