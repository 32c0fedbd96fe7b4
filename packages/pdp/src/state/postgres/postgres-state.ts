import { AmbitError } from "@ambit/core";
import pg from "pg";
import { applyMigrations, checkApplied, missingOf } from "../migrations.ts";
import type { DocumentRow } from "../documents.ts";
import { createSharedState, unavailable, type Backend, type SharedState } from "../shared-state.ts";
import { changesOf, isEmpty, toLineage, toRows, type Stored, type StoredLineage } from "../stored.ts";
import { connectionsOf, sqlStateOf, type Connections, type PostgresPool, type Statement } from "./connection.ts";
import { primaryReads, replicaReads, wholeOf } from "./replica.ts";
import { migrationsOf } from "./schema.ts";

export interface PostgresOptions {
  /** Where the primary is. Either this or `pool`. */
  readonly connectionString?: string;
  /** A pool of `pg` that is not closed with the state. Set its `connectionTimeoutMillis`, and listen to its `error` events. */
  readonly pool?: PostgresPool;
  /**
   * The schema of its own that all is kept in: lower-case letters, digits and underscores.
   * @defaultValue "ambit"
   */
  readonly schema?: string;
  /**
   * Milliseconds after which a method rejects, whatever the database does.
   * @defaultValue 500
   */
  readonly timeout?: number;
  /**
   * Connections at most, with `connectionString`. One for each tenant that is busy at the same time is enough.
   * @defaultValue 10
   */
  readonly connections?: number;
  /**
   * Whether the schema is brought up to date when it is not; else it is refused. Needs the right to create.
   * @defaultValue true
   */
  readonly migrate?: boolean;
  /** A read-only copy that answers whether something was revoked, as long as it proves to be at most `maxLag` behind; else the primary does. */
  readonly replica?: { readonly connectionString: string } | { readonly pool: PostgresPool };
  /**
   * Milliseconds that a replica may be behind, at most 1000.
   * @defaultValue 500
   */
  readonly maxLag?: number;
  /** Milliseconds of a clock that never goes back, to tell how old an answer of the replica is. The times that calls are about come with them. */
  readonly now?: () => number;
}

/**
 * Opens state in PostgreSQL. Rejects with `option_invalid`, with `state_unavailable` where the server cannot be reached, and with `config_invalid` where the schema is
 * of a newer version, or has to be brought up to date first. Once it is open, a server that goes away and comes back needs no restart.
 */
export async function createPostgresState(options: PostgresOptions): Promise<SharedState> {
  const setting = settingOf(options);
  const pools: PostgresPool[] = [];
  try {
    const primary = connectionsOf(poolOf(setting, options, pools), setting.timeout);
    const replica = options.replica === undefined ? undefined : connectionsOf(poolOf(setting, options.replica, pools), setting.timeout);
    await update(primary, setting, options.migrate ?? true);
    return createSharedState(backendOf(setting, primary, replica, pools), { timeout: setting.timeout, gather: async () => undefined });
  } catch (error) {
    await endAll(pools);
    throw unusable(error);
  }
}

/** Brings the schema up to date, and answers the names of the steps that it took. Safe when several processes do so at once. */
export async function migrate(options: PostgresOptions): Promise<readonly string[]> {
  return withPrimary(options, (primary, setting) => update(primary, setting, true));
}

/** The names of the steps that bring the schema up to date, none of them taken; all of them where there is no schema. */
export async function missingMigrations(options: PostgresOptions): Promise<readonly string[]> {
  return withPrimary(options, async (primary, { schema }) => missingOf(migrationsOf(schema), await appliedTo(primary, schema)));
}

async function withPrimary<T>(options: PostgresOptions, work: (primary: Connections, setting: Setting) => Promise<T>): Promise<T> {
  const setting = settingOf(options);
  const pools: PostgresPool[] = [];
  try {
    return await work(connectionsOf(poolOf(setting, options, pools), setting.timeout), setting);
  } catch (error) {
    throw unusable(error);
  } finally {
    await endAll(pools);
  }
}

/** INVARIANT I10: a complaint about an address quotes it, with its password. */
function unusable(error: unknown): AmbitError {
  if ((error as { readonly code?: unknown } | null)?.code === "ERR_INVALID_URL") return new AmbitError("option_invalid", "`connectionString` is no URL");
  return unavailable("the server cannot be used", error);
}

interface Setting {
  readonly schema: string;
  readonly timeout: number;
  readonly maxLag: number;
  readonly connections: number;
  readonly now: () => number;
}

function settingOf({ schema = "ambit", timeout = 500, maxLag = 500, connections = 10, now = performance.now.bind(performance) }: PostgresOptions): Setting {
  // It becomes part of statements, and nothing else does.
  if (typeof schema !== "string" || !/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw new AmbitError("option_invalid", "`schema` must be lower-case letters, digits and underscores, at most 63");
  for (const [name, value, most] of [
    ["timeout", timeout, 2 ** 31 - 1] as const,
    ["maxLag", maxLag, 1000] as const,
    ["connections", connections, 10_000] as const,
  ])
    if (!Number.isSafeInteger(value) || value < 1 || value > most)
      throw new AmbitError("option_invalid", `\`${name}\` must be a whole number from 1 to ${most}`);
  return { schema: `"${schema}"`, timeout, maxLag, connections, now };
}

function poolOf(
  { timeout, connections: max }: Setting,
  { pool, connectionString }: { readonly pool?: PostgresPool; readonly connectionString?: string },
  own: PostgresPool[],
): PostgresPool {
  if ((pool === undefined) === (connectionString === undefined)) throw new AmbitError("option_invalid", "either `connectionString` or `pool` must be given");
  if (pool !== undefined) return pool;
  const limits = { connectionTimeoutMillis: timeout, statement_timeout: timeout, lock_timeout: timeout, idle_in_transaction_session_timeout: timeout };
  // The oldest version that will do exports nothing by name.
  // oxlint-disable-next-line import/no-named-as-default-member
  const made = new pg.Pool({ connectionString, max, ...limits, keepAlive: true, pipeline: true, allowExitOnIdle: true, application_name: "ambit" });
  // A connection that breaks while nobody uses it is replaced when it is needed.
  made.on("error", () => undefined);
  own.push(made);
  return made;
}

async function endAll(pools: readonly PostgresPool[]): Promise<void> {
  await Promise.allSettled(pools.map((pool) => pool.end()));
}

/** As long as an update may take, and wait for that of another process. */
const UPDATE_SECONDS = 60;

async function appliedTo(primary: Connections, schema: string): Promise<readonly string[]> {
  const table = `${schema}.migrations`;
  const [found] = await primary.query<{ readonly there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [table]);
  return found?.there === true ? (await primary.query<{ readonly name: string }>(`SELECT name FROM ${table} ORDER BY name`, [])).map(({ name }) => name) : [];
}

async function update(primary: Connections, { schema }: Setting, isAllowed: boolean): Promise<readonly string[]> {
  const migrations = migrationsOf(schema);
  const table = `${schema}.migrations`;
  if (checkApplied(migrations, await appliedTo(primary, schema))) return [];
  if (!isAllowed) throw new AmbitError("config_invalid", "the state has to be brought up to date first");
  return primary.alone(async (client) => {
    await client.query(`BEGIN; SET LOCAL statement_timeout = '${UPDATE_SECONDS}s'; SET LOCAL lock_timeout = '${UPDATE_SECONDS}s'`);
    try {
      // One at a time, whatever the schema: making one is not safe against making it twice.
      await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", ["ambit.state.migrate"]);
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await client.query(`CREATE TABLE IF NOT EXISTS ${table} (name text COLLATE "C" PRIMARY KEY)`);
      const steps = await applyMigrations(migrations, {
        run: async (sql) => void (await client.query(sql)),
        applied: async () => (await client.query(`SELECT name FROM ${table} ORDER BY name`)).rows.map((row) => (row as { readonly name: string }).name),
        record: async (name) => void (await client.query(`INSERT INTO ${table} (name) VALUES ($1)`, [name])),
      });
      await client.query("COMMIT");
      return steps;
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    }
  });
}

/** Rows of a table that one step of a sweep drops at most, and as long as it may take: nobody waits for what has ended. */
const STEP = 100;
const STEP_SECONDS = 60;

function backendOf({ schema, maxLag, timeout, now }: Setting, primary: Connections, replica: Connections | undefined, pools: readonly PostgresPool[]): Backend {
  const reads = replica === undefined ? primaryReads(primary, schema) : replicaReads({ primary, replica, schema, maxLag, timeout, now });
  return {
    transact: (tenantId, needs, work) =>
      primary.transact({ text: `SELECT ${schema}.load_2($1, $2) AS loaded`, values: [tenantId, JSON.stringify(needs)] }, (loaded): Statement | undefined => {
        const stored = loaded as Stored;
        const rows = toRows(stored);
        work(rows);
        const changes = changesOf(stored, rows);
        return isEmpty(changes) ? undefined : { text: `SELECT ${schema}.save_2($1, $2)`, values: [tenantId, JSON.stringify(changes)] };
      }),
    lineage: async (tenantId, id) => {
      const text = `SELECT id, keep, body FROM ${schema}.lineages WHERE tenant = $1 AND id = $2`;
      const [row] = await primary.query<StoredLineage>(text, [tenantId, id]);
      return row === undefined ? undefined : toLineage(JSON.parse(row.body), wholeOf(row.keep));
    },
    admit: async (tenantId, envelopeId, keepUntil) => {
      const text = `INSERT INTO ${schema}.admissions (tenant, envelope, keep) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING envelope`;
      return (await primary.query(text, [tenantId, envelopeId, keepUntil])).length === 1;
    },
    admitted: async (tenantId, envelopeIds) => {
      const text = `SELECT envelope FROM ${schema}.admissions WHERE tenant = $1 AND envelope = ANY ($2::text[])`;
      return new Set((await primary.query<{ readonly envelope: string }>(text, [tenantId, envelopeIds])).map(({ envelope }) => envelope));
    },
    revoke: async (tenantId, scopes, at, keepUntil) => {
      const text = `INSERT INTO ${schema}.revocations AS r (tenant, scope, at, keep) SELECT $1, scope, $3, $4 FROM unnest($2::text[]) AS scope
        ON CONFLICT (tenant, scope) DO UPDATE SET at = greatest(r.at, excluded.at), keep = greatest(r.keep, excluded.keep)`;
      await primary.query(text, [tenantId, scopes, at, keepUntil]);
      reads.revoked();
    },
    revokedAt: (tenantId, scopes) => reads.revokedAt(tenantId, scopes),
    document: async (tenantId, collection, id) => {
      const text = `SELECT id, version, content FROM ${schema}.documents WHERE tenant = $1 AND collection = $2 AND id = $3`;
      return (await primary.query<StoredDocumentRow>(text, [tenantId, collection, id])).map(documentRow)[0];
    },
    putDocument: async (tenantId, collection, { id, content }, replaces, keepUntil) => {
      // Of two who replace the same version the second waits for the first, and then finds another version.
      const text =
        replaces === 0
          ? `INSERT INTO ${schema}.documents (tenant, collection, id, content, keep, version) VALUES ($1, $2, $3, $4, $5, 1 + $6::bigint) ON CONFLICT DO NOTHING RETURNING id`
          : `UPDATE ${schema}.documents SET content = $4, keep = $5, version = version + 1
             WHERE tenant = $1 AND collection = $2 AND id = $3 AND version = $6::bigint RETURNING id`;
      return (await primary.query(text, [tenantId, collection, id, content, keepUntil, replaces])).length === 1;
    },
    documents: async (tenantId, collection, after, limit) => {
      const text = `SELECT id, version, content FROM ${schema}.documents WHERE tenant = $1 AND collection = $2 AND id > $3 ORDER BY id LIMIT $4`;
      return (await primary.query<StoredDocumentRow>(text, [tenantId, collection, after, limit])).map(documentRow);
    },
    sweep: async (at) => {
      let isMore = true;
      while (isMore) {
        isMore = await primary.alone(async (client) => {
          await client.query(`BEGIN; SET LOCAL statement_timeout = '${STEP_SECONDS}s'`);
          const { rows } = await client.query(`SELECT ${schema}.sweep_2($1, $2) AS more`, [at, STEP]);
          await client.query("COMMIT");
          return (rows[0] as { readonly more: boolean } | undefined)?.more === true;
        });
      }
    },
    // Class 22 and 54: data that cannot be stored, and more of it than fits.
    isAboutOne: (error) => ["22", "54"].includes(sqlStateOf(error)?.slice(0, 2) ?? ""),
    close: () => endAll(pools),
  };
}

/** `bigint` comes as text. */
type StoredDocumentRow = Omit<DocumentRow, "version"> & { readonly version: string };

function documentRow({ id, version, content }: StoredDocumentRow): DocumentRow {
  return { id, version: wholeOf(version), content };
}
