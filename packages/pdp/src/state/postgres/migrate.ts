import { AmbitError } from "@ambit/core";
import { relationTables } from "../../relations/sql/postgres-schema.ts";
import { applyMigrations, checkApplied, missingOf, type Tables } from "../migrations.ts";
import { sqlStateOf, type Connections } from "./connection.ts";
import { stateTables } from "./schema.ts";
import { openServer, unusable, type PostgresOptions, type PostgresServer } from "./server.ts";

/** All that a decision point keeps in its schema. */
const ALL: readonly TablesIn[] = [stateTables, relationTables];

/** Tables in a schema, by its name as an identifier. */
export type TablesIn = (schema: string) => Tables;

/**
 * Brings the schema up to date, for state and for tuples of relations, and answers the names of the steps that it took. Safe when several processes do so at once. Refuses
 * (`config_invalid`) before the first step what a newer version made.
 */
export async function migrate(options: PostgresOptions): Promise<readonly string[]> {
  return withServer(options, async (server) => {
    await missingIn(server);
    const steps: string[] = [];
    for (const tables of ALL) steps.push(...(await bringUpToDate(server, tables)));
    return steps;
  });
}

/** The names of the steps that bring the schema up to date, none of them taken; all of them where there is no schema. */
export async function missingMigrations(options: PostgresOptions): Promise<readonly string[]> {
  return withServer(options, missingIn);
}

/** As long as an update may take, and wait for that of another process. */
const UPDATE_SECONDS = 60;
const ATTEMPTS = 5;
/**
 * Who looked before, and then waited for somebody who made it, may make it once more in spite of `IF NOT EXISTS`: waiting for an advisory lock does not make
 * PostgreSQL look again. The next transaction does.
 */
const ALREADY_THERE = ["23505", "42P06", "42P07"];

/** Brings some tables of a schema up to date. Refuses (`config_invalid`) those that a newer version made, and those that may not be brought up to date and are not. */
export async function bringUpToDate({ primary, setting: { schema } }: PostgresServer, tablesIn: TablesIn, isAllowed = true): Promise<readonly string[]> {
  const tables = tablesIn(schema);
  if (checkApplied(tables.migrations, await appliedTo(primary, schema, tables))) return [];
  if (!isAllowed) throw new AmbitError("config_invalid", "the schema has to be brought up to date first", { hint: "ambit state migrate" });
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await update(primary, schema, tables);
    } catch (error) {
      if (attempts === ATTEMPTS || !ALREADY_THERE.includes(sqlStateOf(error) ?? "")) throw error;
    }
  }
}

function update(primary: Connections, schema: string, { log, migrations }: Tables): Promise<readonly string[]> {
  const table = `${schema}.${log}`;
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

async function missingIn({ primary, setting: { schema } }: PostgresServer): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const tablesIn of ALL) {
    const tables = tablesIn(schema);
    missing.push(...missingOf(tables.migrations, await appliedTo(primary, schema, tables)));
  }
  return missing;
}

async function appliedTo(primary: Connections, schema: string, { log }: Tables): Promise<readonly string[]> {
  const table = `${schema}.${log}`;
  const [found] = await primary.query<{ readonly there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [table]);
  return found?.there === true ? (await primary.query<{ readonly name: string }>(`SELECT name FROM ${table} ORDER BY name`, [])).map(({ name }) => name) : [];
}

async function withServer<T>(options: PostgresOptions, work: (server: PostgresServer) => Promise<T>): Promise<T> {
  const server = openServer(options);
  try {
    return await work(server);
  } catch (error) {
    throw unusable(error);
  } finally {
    await server.close();
  }
}
