import { existsSync } from "node:fs";
import { RELATION_TABLES } from "../../relations/sql/sqlite-schema.ts";
import { applyMigrations, checkApplied, missingOf, type Tables } from "../migrations.ts";
import { unavailable } from "../shared-state.ts";
import type { SqliteFile } from "./file.ts";
import { open, type SqliteOptions } from "./open.ts";
import { STATE_TABLES } from "./schema.ts";

/** All that a decision point keeps in its file. */
const ALL: readonly Tables[] = [STATE_TABLES, RELATION_TABLES];

/**
 * Brings a file up to date, for state and for tuples of relations, and answers the names of the steps that it took. Safe when several processes do so at once. Refuses
 * (`config_invalid`) before the first step what a newer version made.
 */
export async function migrate(options: SqliteOptions): Promise<readonly string[]> {
  return withFile(options, async (file) => {
    await missingIn(file);
    const steps: string[] = [];
    for (const tables of ALL) steps.push(...(await bringUpToDate(file, tables)));
    return steps;
  });
}

/** The names of the steps that bring a file up to date, none of them taken; all of them where there is no file. */
export async function missingMigrations(options: SqliteOptions): Promise<readonly string[]> {
  return existsSync(options.path) ? withFile(options, missingIn) : ALL.flatMap(({ migrations }) => missingOf(migrations, []));
}

/** Brings some tables of a file up to date. Refuses (`config_invalid`) those that a newer version made. */
export async function bringUpToDate(file: SqliteFile, { log, migrations }: Tables): Promise<readonly string[]> {
  const { database, read, migrate: alone } = file;
  if (checkApplied(migrations, await read(() => appliedTo(file, log)))) return [];
  return alone(async () => {
    database.exec(`CREATE TABLE IF NOT EXISTS ${log} (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID`);
    return applyMigrations(migrations, {
      run: async (sql) => database.exec(sql),
      applied: async () => appliedTo(file, log),
      record: async (name) => void database.prepare(`INSERT INTO ${log} (name) VALUES (?)`).run(name),
    });
  });
}

async function missingIn(file: SqliteFile): Promise<readonly string[]> {
  return file.read(() => ALL.flatMap(({ log, migrations }) => missingOf(migrations, appliedTo(file, log))));
}

function appliedTo({ database }: SqliteFile, log: string): readonly string[] {
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(log);
  const rows = table === undefined ? [] : database.prepare(`SELECT name FROM ${log} ORDER BY name`).all();
  return rows.map(({ name }) => String(name));
}

async function withFile<T>(options: SqliteOptions, work: (file: SqliteFile) => Promise<T>): Promise<T> {
  const file = await open(options);
  try {
    return await work(file);
  } catch (error) {
    throw unavailable("its file cannot be used", error);
  } finally {
    file.close();
  }
}
