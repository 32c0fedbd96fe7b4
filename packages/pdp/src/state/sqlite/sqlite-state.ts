import { existsSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AmbitError } from "@ambit/core";
import { applyMigrations, checkApplied, missingOf } from "../migrations.ts";
import { createSharedState, unavailable, type Backend, type SharedState } from "../shared-state.ts";
import { changesOf, toLineage, toRows } from "../stored.ts";
import { openFile, type SqliteFile } from "./file.ts";
import { MIGRATIONS } from "./schema.ts";
import { prepareStatements, type Statements } from "./statements.ts";

export interface SqliteOptions {
  /** A file on a local disk, made if it is not there, with two more beside it. Network file systems do not lock well enough. */
  readonly path: string;
  /**
   * Milliseconds after which a method rejects, as when another process keeps the file.
   * @defaultValue 500
   */
  readonly timeout?: number;
  /**
   * `full`: what was answered survives a loss of power; `normal`: the end of the process only, and is several times as fast.
   * @defaultValue "full"
   */
  readonly synchronous?: "full" | "normal";
  /** Milliseconds of a clock that never goes back, to tell how long was waited. The times that calls are about come with them. */
  readonly now?: () => number;
}

const SYNCHRONOUS = { full: "FULL", normal: "NORMAL" } as const;

/**
 * Opens state in a file that all processes of a host may open at the same time, and brings its schema up to date. Rejects with `option_invalid`, with
 * `state_unavailable` where the file cannot be used, and with `config_invalid` where a newer version made it.
 */
export async function createSqliteState(options: SqliteOptions): Promise<SharedState> {
  const { timeout = 500 } = options;
  const file = await open(options);
  try {
    await update(file);
    const statements = prepareStatements(file.database);
    // A turn of the event loop: operations of requests that are there already share the cost of making them durable.
    return createSharedState(backendOf(file, statements), { timeout, gather: () => nextTurn() });
  } catch (error) {
    file.close();
    throw unavailable("its file cannot be used", error);
  }
}

/** Brings the schema of a file up to date, and answers the names of the steps that it took. Safe when several processes do so at once. */
export async function migrate(options: SqliteOptions): Promise<readonly string[]> {
  const file = await open(options);
  try {
    return await update(file);
  } catch (error) {
    throw unavailable("its file cannot be used", error);
  } finally {
    file.close();
  }
}

/** The names of the steps that bring a file up to date, none of them taken; all of them where there is no file. */
export async function missingMigrations(options: SqliteOptions): Promise<readonly string[]> {
  if (!existsSync(options.path)) return missingOf(MIGRATIONS, []);
  const file = await open(options);
  try {
    return missingOf(MIGRATIONS, await file.read(() => appliedTo(file)));
  } catch (error) {
    throw unavailable("its file cannot be used", error);
  } finally {
    file.close();
  }
}

async function open({ path, timeout = 500, synchronous = "full", now = performance.now.bind(performance) }: SqliteOptions): Promise<SqliteFile> {
  if (typeof path !== "string" || path === "" || path[0] === ":" || path.includes("\0"))
    throw new AmbitError("option_invalid", "`path` must be that of a file; state that ends with the process is `createMemoryState()`");
  if (!Number.isSafeInteger(timeout) || timeout < 1) throw new AmbitError("option_invalid", "`timeout` must be whole milliseconds");
  if (!Object.hasOwn(SYNCHRONOUS, synchronous)) throw new AmbitError("option_invalid", '`synchronous` must be "full" or "normal"');
  try {
    return await openFile({ path, timeout, synchronous: SYNCHRONOUS[synchronous], now });
  } catch (error) {
    throw unavailable("its file cannot be opened", error);
  }
}

function appliedTo({ database }: SqliteFile): readonly string[] {
  const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").get();
  const rows = table === undefined ? [] : database.prepare("SELECT name FROM migrations ORDER BY name").all();
  return rows.map(({ name }) => String(name));
}

async function update(file: SqliteFile): Promise<readonly string[]> {
  const { database, read, migrate: alone } = file;
  if (checkApplied(MIGRATIONS, await read(() => appliedTo(file)))) return [];
  return alone(async () => {
    database.exec("CREATE TABLE IF NOT EXISTS migrations (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID");
    return applyMigrations(MIGRATIONS, {
      run: async (sql) => database.exec(sql),
      applied: async () => appliedTo(file),
      record: async (name) => void database.prepare("INSERT INTO migrations (name) VALUES (?)").run(name),
    });
  });
}

function backendOf({ write, read, close }: SqliteFile, statements: Statements): Backend {
  return {
    transact: (tenantId, needs, work) =>
      write(() => {
        const stored = statements.load(tenantId, needs);
        const rows = toRows(stored);
        work(rows);
        statements.save(tenantId, changesOf(stored, rows));
      }),
    lineage: (tenantId, id) =>
      read(() => {
        const row = statements.lineage(tenantId, id);
        return row === undefined ? undefined : toLineage(JSON.parse(row.body), row.keep);
      }),
    admit: (tenantId, envelopeId, keepUntil) => write(() => statements.admit(tenantId, envelopeId, keepUntil)),
    admitted: (tenantId, envelopeIds) => read(() => statements.admitted(tenantId, envelopeIds)),
    revoke: (tenantId, scopes, at, keepUntil) => write(() => statements.revoke(tenantId, scopes, at, keepUntil)),
    revokedAt: (tenantId, scopes) => read(() => statements.revokedAt(tenantId, scopes)),
    document: (tenantId, collection, id) => read(() => statements.document(tenantId, collection, id)),
    putDocument: (tenantId, collection, row, replaces, keepUntil) => write(() => statements.putDocument(tenantId, collection, row, replaces, keepUntil)),
    documents: (tenantId, collection, after, limit) => read(() => statements.documents(tenantId, collection, after, limit)),
    sweep: async (now) => {
      // In small pieces, so that calls get in between.
      while (await write(() => statements.sweep(now))) await nextTurn();
    },
    // Nothing but our own rows is written, so there is none that another would be better off without.
    isAboutOne: () => false,
    close: async () => close(),
  };
}
