import { AmbitError } from "@ambit/core";
import { applyMigrations, checkApplied, type Migration } from "../../state/migrations.ts";
import { connectionsOf, sqlStateOf, type Connections, type PostgresPool } from "../../state/postgres/connection.ts";
import { unavailable } from "../../state/shared-state.ts";
import type { RelationStore } from "../relation-store.ts";
import type { ObjectRef } from "../tuple.ts";
import { pageOf, wholeOf } from "./page.ts";
import { rowOf, type PageRow, type TupleRow } from "./tuple-row.ts";

export interface PostgresRelationsOptions {
  /** A pool of `pg`, which whoever made it ends. Set its `connectionTimeoutMillis`, and listen to its `error` events. */
  readonly pool: PostgresPool;
  /**
   * The schema that tuples are kept in: lower-case letters, digits and underscores. It may be that of the state.
   * @defaultValue "ambit"
   */
  readonly schema?: string;
  /**
   * Milliseconds after which a method rejects, whatever the database does.
   * @defaultValue 500
   */
  readonly timeout?: number;
  /**
   * Whether the schema is brought up to date when it is not; else it is refused. Needs the right to create.
   * @defaultValue true
   */
  readonly migrate?: boolean;
}

/**
 * Opens tuples in PostgreSQL. Rejects with `option_invalid`, with `state_unavailable` where the server cannot be reached, and with `config_invalid` where the schema is
 * of a newer version, or has to be brought up to date first.
 */
export async function createPostgresRelations({ pool, schema = "ambit", timeout = 500, migrate = true }: PostgresRelationsOptions): Promise<RelationStore> {
  // It becomes part of statements, and nothing else does.
  if (typeof schema !== "string" || !/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw new AmbitError("option_invalid", "`schema` must be lower-case letters, digits and underscores, at most 63");
  if (!Number.isSafeInteger(timeout) || timeout < 1 || timeout > 2 ** 31 - 1) throw new AmbitError("option_invalid", "`timeout` must be whole milliseconds");
  const connections = connectionsOf(pool, timeout);
  const name = `"${schema}"`;
  const ask = async <T>(text: string, values: readonly unknown[]): Promise<readonly T[]> => {
    try {
      return await connections.query<T>(text.replaceAll("SCHEMA", name), values);
    } catch (error) {
      throw unavailable("the server cannot be used", error);
    }
  };
  try {
    await update(connections, name, migrate);
  } catch (error) {
    throw unavailable("the server cannot be used", error);
  }
  return Object.freeze<RelationStore>({
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
  });
}

/**
 * INVARIANT I12: `tenant` is the first column of every key. `kind` comes before the relation, because a check wants all usersets of an object and few of its subjects.
 */
const migrationsOf = (schema: string): readonly Migration[] => [
  {
    name: "0001-relations",
    sql: `
      CREATE TABLE SCHEMA.relation_tuples (
        tenant text COLLATE "C" NOT NULL, object_type text COLLATE "C" NOT NULL, object_id text COLLATE "C" NOT NULL, kind smallint NOT NULL,
        relation text COLLATE "C" NOT NULL, subject_type text COLLATE "C" NOT NULL, subject_id text COLLATE "C" NOT NULL, subject_relation text COLLATE "C" NOT NULL,
        PRIMARY KEY (tenant, object_type, object_id, kind, relation, subject_type, subject_id, subject_relation)
      );
      CREATE INDEX relation_tuples_above ON SCHEMA.relation_tuples (tenant, subject_type, subject_id, object_type, object_id);
      CREATE TABLE SCHEMA.relation_revisions (tenant text COLLATE "C" PRIMARY KEY, revision bigint NOT NULL) WITH (fillfactor = 50);
    `.replaceAll("SCHEMA", schema),
  },
];

const UPDATE_SECONDS = 60;

async function update(connections: Connections, schema: string, isAllowed: boolean): Promise<void> {
  const table = `${schema}.relation_migrations`;
  const migrations = migrationsOf(schema);
  const applied = async (): Promise<readonly string[]> => {
    const [found] = await connections.query<{ readonly there: boolean }>("SELECT to_regclass($1) IS NOT NULL AS there", [table]);
    return found?.there === true
      ? (await connections.query<{ readonly name: string }>(`SELECT name FROM ${table} ORDER BY name`, [])).map(({ name }) => name)
      : [];
  };
  if (checkApplied(migrations, await applied())) return;
  if (!isAllowed) throw new AmbitError("config_invalid", "the relations have to be brought up to date first");
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await make(connections, schema, table, migrations);
    } catch (error) {
      if (attempts === ATTEMPTS || !ALREADY_THERE.includes(sqlStateOf(error) ?? "")) throw error;
    }
  }
}

const ATTEMPTS = 5;
/**
 * Who looked before, and then waited for somebody who made it, may make it once more in spite of `IF NOT EXISTS`: waiting for an advisory lock does not make
 * PostgreSQL look again. The next transaction does.
 */
const ALREADY_THERE = ["23505", "42P06", "42P07"];

function make(connections: Connections, schema: string, table: string, migrations: readonly Migration[]): Promise<void> {
  return connections.alone(async (client) => {
    await client.query(`BEGIN; SET LOCAL statement_timeout = '${UPDATE_SECONDS}s'; SET LOCAL lock_timeout = '${UPDATE_SECONDS}s'`);
    try {
      // One at a time, together with the state: both may make the schema.
      await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", ["ambit.state.migrate"]);
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
      await client.query(`CREATE TABLE IF NOT EXISTS ${table} (name text COLLATE "C" PRIMARY KEY)`);
      await applyMigrations(migrations, {
        run: async (sql) => void (await client.query(sql)),
        applied: async () => (await client.query(`SELECT name FROM ${table} ORDER BY name`)).rows.map((row) => (row as { readonly name: string }).name),
        record: async (name) => void (await client.query(`INSERT INTO ${table} (name) VALUES ($1)`, [name])),
      });
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    }
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
