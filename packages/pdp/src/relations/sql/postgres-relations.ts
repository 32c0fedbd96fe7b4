import { bringUpToDate } from "../../state/postgres/migrate.ts";
import { openServer, unusable, type PostgresOptions } from "../../state/postgres/server.ts";
import type { SharedRelations } from "../relation-store.ts";
import type { ObjectRef } from "../tuple.ts";
import { wholeOf } from "../revision.ts";
import { rowOf, type TupleRow } from "../tuple-row.ts";
import { pageOf, type PageRow } from "./page.ts";
import { relationTables } from "./postgres-schema.ts";

/** The schema may be that of the state. */
export type PostgresRelationsOptions = Omit<PostgresOptions, "replica" | "maxLag" | "now">;

/**
 * Opens tuples in PostgreSQL. Rejects with `option_invalid`, with `state_unavailable` where the server cannot be reached, and with `config_invalid` where the schema is
 * of a newer version, or has to be brought up to date first.
 */
export async function createPostgresRelations(options: PostgresRelationsOptions): Promise<SharedRelations> {
  const server = openServer(options);
  const { primary, setting, close } = server;
  const ask = async <T>(text: string, values: readonly unknown[]): Promise<readonly T[]> => {
    try {
      return await primary.query<T>(text.replaceAll("SCHEMA", setting.schema), values);
    } catch (error) {
      throw unusable(error);
    }
  };
  try {
    await bringUpToDate(server, relationTables, options.migrate);
  } catch (error) {
    await close();
    throw unusable(error);
  }
  return Object.freeze<SharedRelations>({
    write: async (tenantId, { add, remove }) => {
      const [row] = await ask<{ readonly revision: string }>(WRITE, [tenantId, ...columnsOf(remove.map(rowOf)), ...columnsOf(add.map(rowOf))]);
      return wholeOf(row?.revision ?? "");
    },
    revision: async (tenantId) => {
      const [row] = await ask<{ readonly revision: string }>("SELECT revision FROM SCHEMA.relation_revisions WHERE tenant = $1", [tenantId]);
      return wholeOf(row?.revision ?? 0);
    },
    below: async (tenantId, objects, most, relevance) => {
      const question = [tenantId, most + 1, ...listsOf(objects)];
      if (relevance === undefined) return pageOf(await ask<PageRow>(ALL, question));
      const { subject, tuplesets } = relevance;
      return pageOf(await ask<PageRow>(RELEVANT, [...question, tuplesets, subject.type, subject.id]));
    },
    above: async (tenantId, subjects, everyone, most) => pageOf(await ask<PageRow>(ABOVE, [tenantId, most + 1, ...listsOf(subjects), everyone])),
    close,
  });
}

const NAMES = ["object_type", "object_id", "relation", "kind", "subject_type", "subject_id", "subject_relation"] as const;
const COLUMNS = NAMES.join(", ");
const columnsOf = (rows: readonly TupleRow[]): readonly (readonly (string | number)[])[] => NAMES.map((name) => rows.map((row) => row[name]));
const listsOf = (refs: readonly ObjectRef[]): readonly (readonly string[])[] => [refs.map(({ type }) => type), refs.map(({ id }) => id)];
const unnested = (first: number): string =>
  `unnest(${NAMES.map((name, index) => `$${first + index}::${name === "kind" ? "smallint" : "text"}[]`).join(", ")}) AS w(${COLUMNS})`;

/**
 * The whole write in one statement, sorted, so that two of them wait for each other rather than both. The revision goes up last: whoever waits for its row sees
 * what the other one wrote.
 */
const WRITE = `
  WITH removed AS (
    DELETE FROM SCHEMA.relation_tuples t USING ${unnested(2)} WHERE t.tenant = $1 AND ${NAMES.map((name) => `t.${name} = w.${name}`).join(" AND ")} RETURNING 1
  ), added AS (
    INSERT INTO SCHEMA.relation_tuples (tenant, ${COLUMNS}) SELECT $1, w.* FROM ${unnested(9)} ORDER BY ${COLUMNS} ON CONFLICT DO NOTHING RETURNING 1
  ), counted AS (
    SELECT (SELECT count(*) FROM removed) + (SELECT count(*) FROM added) AS changes
  ), bumped AS (
    INSERT INTO SCHEMA.relation_revisions AS r (tenant, revision) SELECT $1, 1 FROM counted WHERE changes > 0
    ON CONFLICT (tenant) DO UPDATE SET revision = r.revision + 1 RETURNING revision
  )
  SELECT coalesce((SELECT revision FROM bumped), (SELECT revision FROM SCHEMA.relation_revisions WHERE tenant = $1), 0) AS revision`;

/** One statement for the revision and the tuples: it sees both at the same moment. */
const page = (tuples: string): string =>
  `SELECT r.revision, t.* FROM (SELECT coalesce((SELECT revision FROM SCHEMA.relation_revisions WHERE tenant = $1), 0) AS revision) AS r
   LEFT JOIN (${tuples} LIMIT $2) AS t ON true`;
const each = (list: string, condition: string): string =>
  `SELECT ${NAMES.map((name) => `t.${name}`).join(", ")} FROM ${list} JOIN SCHEMA.relation_tuples t ON t.tenant = $1 AND ${condition}`;
const REFS = "unnest($3::text[], $4::text[]) AS o(type, id)";
const OF_OBJECT = "t.object_type = o.type AND t.object_id = o.id";

const ALL = page(each(REFS, OF_OBJECT));
const RELEVANT = page(
  [
    each(REFS, `${OF_OBJECT} AND t.kind >= 1`),
    each(REFS, `${OF_OBJECT} AND t.kind = 0 AND t.relation = ANY ($5::text[])`),
    each(REFS, `${OF_OBJECT} AND t.kind = 0 AND t.subject_type = $6 AND t.subject_id = $7 AND t.relation <> ALL ($5::text[])`),
  ].join(" UNION ALL "),
);
const ABOVE = page(
  [
    each(REFS, "t.subject_type = o.type AND t.subject_id = o.id AND t.kind <= 1"),
    each("unnest($5::text[]) AS o(type)", "t.subject_type = o.type AND t.subject_id = '' AND t.kind = 2"),
  ].join(" UNION ALL "),
);
