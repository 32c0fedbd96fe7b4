import type { Tables } from "../../state/migrations.ts";

/**
 * INVARIANT I12: `tenant` is the first column of every key. `kind` comes before the relation, because a check wants all usersets of an object and few of its subjects.
 */
export function relationTables(schema: string): Tables {
  return { log: "relation_migrations", migrations: [{ name: "0001-relations", sql: RELATIONS.replaceAll("SCHEMA", schema) }] };
}

const RELATIONS = `
  CREATE TABLE SCHEMA.relation_tuples (
    tenant text COLLATE "C" NOT NULL, object_type text COLLATE "C" NOT NULL, object_id text COLLATE "C" NOT NULL, kind smallint NOT NULL,
    relation text COLLATE "C" NOT NULL, subject_type text COLLATE "C" NOT NULL, subject_id text COLLATE "C" NOT NULL, subject_relation text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, object_type, object_id, kind, relation, subject_type, subject_id, subject_relation)
  );
  CREATE INDEX relation_tuples_above ON SCHEMA.relation_tuples (tenant, subject_type, subject_id, object_type, object_id);
  CREATE TABLE SCHEMA.relation_revisions (tenant text COLLATE "C" PRIMARY KEY, revision bigint NOT NULL) WITH (fillfactor = 50);
`;
