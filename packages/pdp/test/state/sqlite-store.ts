import { createSqliteState, type SqliteOptions } from "../../src/state/sqlite/index.ts";
import type { SharedStore } from "./store-worker.ts";

/** For processes that share a file: see `state-store.races.ts`. */
export async function openStore(options: unknown): Promise<SharedStore> {
  return createSqliteState(options as SqliteOptions);
}
