import type { DocumentRow } from "../documents.ts";
import { createSharedState, type Backend, type SharedState } from "../shared-state.ts";
import { changesOf, isEmpty, toLineage, toRows, type Stored, type StoredCall, type StoredLineage } from "../stored.ts";
import { IS_UNSETTLED } from "../unsettled.ts";
import { sqlStateOf, type Statement } from "./connection.ts";
import { bringUpToDate } from "./migrate.ts";
import { primaryReads, replicaReads, wholeOf } from "./replica.ts";
import { stateTables } from "./schema.ts";
import { openServer, unusable, type PostgresOptions, type PostgresServer } from "./server.ts";

/**
 * Opens state in PostgreSQL. Rejects with `option_invalid`, with `state_unavailable` where the server cannot be reached, and with `config_invalid` where the schema is
 * of a newer version, or has to be brought up to date first. Once it is open, a server that goes away and comes back needs no restart.
 */
export async function createPostgresState(options: PostgresOptions): Promise<SharedState> {
  const server = openServer(options);
  try {
    await bringUpToDate(server, stateTables, options.migrate);
    return createSharedState(backendOf(server), { timeout: server.setting.timeout, gather: async () => undefined });
  } catch (error) {
    await server.close();
    throw unusable(error);
  }
}

/** Rows of a table that one step of a sweep drops at most, and as long as it may take: nobody waits for what has ended. */
const STEP = 100;
const STEP_SECONDS = 60;

function backendOf({ setting: { schema, maxLag, timeout, now }, primary, replica, close }: PostgresServer): Backend {
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
    unsettled: (tenantId, { envelope, call }, limit) => {
      const text = `SELECT envelope, call, lineage, phase, body FROM ${schema}.calls
        WHERE tenant = $1 AND ${IS_UNSETTLED} AND (envelope, call) > ($2, $3) ORDER BY envelope, call LIMIT $4`;
      return primary.query<StoredCall>(text, [tenantId, envelope, call, limit]);
    },
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
    close,
  };
}

/** `bigint` comes as text. */
type StoredDocumentRow = Omit<DocumentRow, "version"> & { readonly version: string };

function documentRow({ id, version, content }: StoredDocumentRow): DocumentRow {
  return { id, version: wholeOf(version), content };
}
