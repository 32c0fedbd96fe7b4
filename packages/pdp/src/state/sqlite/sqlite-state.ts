import { setImmediate as nextTurn } from "node:timers/promises";
import { createSharedState, unavailable, type Backend, type SharedState } from "../shared-state.ts";
import { changesOf, toLineage, toRows } from "../stored.ts";
import type { SqliteFile } from "./file.ts";
import { bringUpToDate } from "./migrate.ts";
import { open, type SqliteOptions } from "./open.ts";
import { STATE_TABLES } from "./schema.ts";
import { prepareStatements, type Statements } from "./statements.ts";

/**
 * Opens state in a file that all processes of a host may open at the same time, and brings its schema up to date. Rejects with `option_invalid`, with
 * `state_unavailable` where the file cannot be used, and with `config_invalid` where a newer version made it.
 */
export async function createSqliteState(options: SqliteOptions): Promise<SharedState> {
  const { timeout = 500 } = options;
  const file = await open(options);
  try {
    await bringUpToDate(file, STATE_TABLES);
    const statements = prepareStatements(file.database);
    // A turn of the event loop: operations of requests that are there already share the cost of making them durable.
    return createSharedState(backendOf(file, statements), { timeout, gather: () => nextTurn() });
  } catch (error) {
    file.close();
    throw unavailable("its file cannot be used", error);
  }
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
    unsettled: (tenantId, after, limit) => read(() => statements.unsettled(tenantId, after, limit)),
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
