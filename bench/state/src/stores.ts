import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { StateStore } from "@ambit/core";
import { createMemoryState } from "@ambit/pdp";
import { createPostgresRelations, createPostgresState } from "@ambit/pdp/postgres";
import { createRedisState } from "@ambit/pdp/redis";
import { createMemoryRelations, type RelationStore } from "@ambit/pdp/relations";
import { createSqliteRelations, createSqliteState, migrate } from "@ambit/pdp/sqlite";
import { Pool } from "pg";
import { createClient } from "redis";
import { memoryRows, postgresRows, redisRows, sqliteRows } from "./rows.ts";
import { bareBatch, type Batch } from "./workload.ts";

/** A store, and bare updates of the same database with the same durability and as many connections. */
export interface Subject {
  readonly name: string;
  readonly store: StateStore;
  /** Updates of one row, which every lane updates, as every call debits the same account. */
  readonly bare: Batch;
  /** The same with a row for each lane, where that makes a difference. */
  readonly spread?: Batch;
  /** The rows of a commit, with nothing read and nothing checked. */
  readonly rows: Batch;
  /** Tuples of relations in the same database, where it keeps any. */
  readonly relations?: () => Promise<RelationStore>;
  /** Bytes that all of it takes up. */
  readonly size: () => Promise<number>;
  readonly close: () => Promise<void>;
}

export const STORES: ReadonlyMap<string, () => Promise<Subject>> = new Map([
  ["memory", memory],
  ["SQLite, full", () => sqlite("full")],
  ["SQLite, normal", () => sqlite("normal")],
  ["PostgreSQL", postgres],
  ["Redis", redis],
]);

const POSTGRES_URL = process.env["AMBIT_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
const REDIS_URL = process.env["AMBIT_TEST_REDIS_URL"] ?? "redis://127.0.0.1:6379";
/** Nothing is refused here because the machine is busy with something else. */
const TIMEOUT = 30_000;

async function memory(): Promise<Subject> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const rows = new Map<string, number>([["row", 0]]);
  // For as long as the subject, or there would be nothing to measure.
  const relations = createMemoryRelations();
  return {
    name: "memory",
    store: createMemoryState(),
    bare: bareBatch(async () => void rows.set("row", (rows.get("row") ?? 0) + 1)),
    rows: memoryRows(),
    relations: async () => relations,
    size: async () => {
      collect();
      return process.memoryUsage().heapUsed;
    },
    close: async () => undefined,
  };
}

async function sqlite(synchronous: "full" | "normal"): Promise<Subject> {
  const folder = await mkdtemp(join(tmpdir(), "ambit-bench-"));
  const path = join(folder, "state.db");
  const store = await createSqliteState({ path, synchronous, timeout: TIMEOUT });
  await migrate({ path: join(folder, "bare.db"), timeout: TIMEOUT });
  const bare = new DatabaseSync(join(folder, "bare.db"));
  let relations: { close(): Promise<void> } | undefined;
  bare.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
  bare.exec("CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT; INSERT INTO counters VALUES (0, 0)");
  const update = bare.prepare("UPDATE counters SET n = n + 1 WHERE id = 0");
  return {
    name: `SQLite, ${synchronous}`,
    store,
    bare: bareBatch(async () => update.run()),
    rows: sqliteRows(bare),
    relations: async () => (relations = await createSqliteRelations({ path, timeout: TIMEOUT })) as RelationStore,
    size: async () => {
      const file = new DatabaseSync(path, { readOnly: true });
      const sizes = file.prepare("SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()").get();
      file.close();
      return Number(sizes?.["bytes"]);
    },
    close: async () => {
      bare.close();
      await relations?.close();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function postgres(): Promise<Subject> {
  const schema = `ambit_bench_${randomBytes(6).toString("hex")}`;
  const connections = 10;
  const pool = new Pool({ connectionString: POSTGRES_URL, max: connections, connectionTimeoutMillis: TIMEOUT });
  await pool.query("SELECT 1");
  const store = await createPostgresState({ connectionString: POSTGRES_URL, schema, timeout: TIMEOUT, connections });
  await pool.query(`CREATE TABLE ${schema}.bare (id integer PRIMARY KEY, n bigint NOT NULL) WITH (fillfactor = 50)`);
  await pool.query(`INSERT INTO ${schema}.bare SELECT id, 0 FROM generate_series(0, 63) AS id`);
  const update = (row: number): Promise<unknown> => pool.query({ name: "bare", text: `UPDATE ${schema}.bare SET n = n + 1 WHERE id = $1`, values: [row] });
  return {
    name: "PostgreSQL",
    store,
    bare: bareBatch(() => update(0)),
    spread: bareBatch(update),
    rows: await postgresRows(pool, schema),
    relations: () => createPostgresRelations({ pool, schema, timeout: TIMEOUT }),
    size: async () => {
      const text = "SELECT sum(pg_total_relation_size(c.oid)) AS bytes FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r'";
      return Number(((await pool.query(text, [schema])).rows[0] as { readonly bytes: string }).bytes);
    },
    close: async () => {
      await store.close();
      await pool.query(`DROP SCHEMA ${schema} CASCADE`);
      await pool.end();
    },
  };
}

async function redis(): Promise<Subject> {
  const prefix = `ambit-bench-${randomBytes(6).toString("hex")}`;
  const store = await createRedisState({ url: REDIS_URL, prefix, timeout: TIMEOUT });
  const client: ReturnType<typeof createClient> = createClient({ url: REDIS_URL });
  await client.connect();
  const row = `{${prefix}:bare}`;
  const keys = async (): Promise<readonly string[]> => {
    const found: string[] = [];
    for await (const page of client.scanIterator({ MATCH: `{${prefix}:*`, COUNT: 1000 })) found.push(...page);
    return found;
  };
  return {
    name: "Redis",
    store,
    bare: bareBatch(() => client.hIncrBy(row, "n", 1)),
    rows: redisRows(client, `${prefix}:rows`),
    size: async () => {
      const sizes = await Promise.all((await keys()).map((key) => client.memoryUsage(key, { SAMPLES: 0 })));
      return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
    },
    close: async () => {
      await client.unlink([row, ...(await keys())]);
      client.destroy();
      await store.close();
    },
  };
}
