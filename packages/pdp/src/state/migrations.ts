import { AmbitError } from "@ambit/core";
import { Umzug } from "umzug";

/** One step of a schema. Steps are added, never changed: what is out there was made by them as they were. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Tables that are brought up to date together. The names of the steps that were taken are kept in `log`, a table of their own. */
export interface Tables {
  readonly log: string;
  readonly migrations: readonly Migration[];
}

/** The database to be migrated, within a transaction that keeps all others out. */
export interface MigrationTarget {
  run(sql: string): Promise<void>;
  applied(): Promise<readonly string[]>;
  record(name: string): Promise<void>;
}

/** Applies what is missing, and answers what that was. Refuses (`config_invalid`) a schema of a newer version. */
export async function applyMigrations(migrations: readonly Migration[], target: MigrationTarget): Promise<readonly string[]> {
  checkApplied(migrations, await target.applied());
  const umzug = new Umzug({
    migrations: migrations.map(({ name, sql }) => ({ name, up: () => target.run(sql) })),
    storage: {
      executed: async () => [...(await target.applied())],
      logMigration: ({ name }) => target.record(name),
      unlogMigration: async () => undefined,
    },
    logger: undefined,
  });
  return (await umzug.up()).map(({ name }) => name);
}

/** Whether all is there. Refuses what `missingOf` refuses. */
export function checkApplied(migrations: readonly Migration[], applied: readonly string[]): boolean {
  return missingOf(migrations, applied).length === 0;
}

/** What is not there yet. Refuses (`config_invalid`) what a newer version made: it may mean something else by the same columns. */
export function missingOf(migrations: readonly Migration[], applied: readonly string[]): readonly string[] {
  const newer = applied.find((name) => !migrations.some((migration) => migration.name === name));
  if (newer !== undefined) throw new AmbitError("config_invalid", `the state was made by a newer version: \`${newer}\` is not known here`);
  return migrations.map(({ name }) => name).filter((name) => !applied.includes(name));
}
