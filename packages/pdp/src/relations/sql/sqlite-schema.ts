import type { Migration, Tables } from "../../state/migrations.ts";

/**
 * INVARIANT I12: `tenant` is the first column of every key. `kind` comes before the relation, because a check wants all usersets of an object and few of its subjects.
 */
const MIGRATIONS: readonly Migration[] = [
  {
    name: "0001-relations",
    sql: `
      CREATE TABLE relation_tuples (
        tenant TEXT NOT NULL, object_type TEXT NOT NULL, object_id TEXT NOT NULL, kind INTEGER NOT NULL, relation TEXT NOT NULL,
        subject_type TEXT NOT NULL, subject_id TEXT NOT NULL, subject_relation TEXT NOT NULL,
        PRIMARY KEY (tenant, object_type, object_id, kind, relation, subject_type, subject_id, subject_relation)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX relation_tuples_above ON relation_tuples (tenant, subject_type, subject_id, object_type, object_id);
      CREATE TABLE relation_revisions (tenant TEXT NOT NULL PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
];

/** Steps are kept in a table of their own, so that the file can be that of the state as well. */
export const RELATION_TABLES: Tables = { log: "relation_migrations", migrations: MIGRATIONS };
