import { createPostgresState, type PostgresOptions } from "../../src/state/postgres/index.ts";
import type { SharedStore } from "./store-worker.ts";

/** For processes that share a schema: see `state-store.races.ts`. */
export async function openStore(options: unknown): Promise<SharedStore> {
  return createPostgresState(options as PostgresOptions);
}
