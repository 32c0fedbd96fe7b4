import type { Migration, Tables } from "../migrations.ts";

/** INVARIANT I12: `tenant` is the first column of every key. */
const MIGRATIONS: readonly Migration[] = [
  {
    name: "0001-state",
    sql: `
      CREATE TABLE calls (
        tenant TEXT NOT NULL, envelope TEXT NOT NULL, call TEXT NOT NULL, lineage TEXT NOT NULL, phase TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (tenant, envelope, call)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX calls_of_lineage ON calls (tenant, lineage);
      CREATE TABLE accounts (
        tenant TEXT NOT NULL, id TEXT NOT NULL, spent INTEGER NOT NULL CHECK (spent >= 0), lineage TEXT NOT NULL, keep INTEGER NOT NULL,
        PRIMARY KEY (tenant, id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX accounts_by_end ON accounts (keep);
      CREATE TABLE debits (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL, account TEXT NOT NULL, envelope TEXT, call TEXT, unit TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount >= 0),
        refundable INTEGER NOT NULL, held INTEGER NOT NULL, until INTEGER, due INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX debits_of_call ON debits (tenant, envelope, call) WHERE call IS NOT NULL;
      CREATE INDEX debits_by_end ON debits (tenant, account, due);
      CREATE TABLE lineages (
        tenant TEXT NOT NULL, id TEXT NOT NULL, keep INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (tenant, id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX lineages_by_end ON lineages (keep);
      CREATE TABLE once (tenant TEXT NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (tenant, key)) STRICT, WITHOUT ROWID;
      CREATE INDEX once_by_end ON once (until);
      CREATE TABLE admissions (tenant TEXT NOT NULL, envelope TEXT NOT NULL, keep INTEGER NOT NULL, PRIMARY KEY (tenant, envelope)) STRICT, WITHOUT ROWID;
      CREATE INDEX admissions_by_end ON admissions (keep);
      CREATE TABLE revocations (
        tenant TEXT NOT NULL, scope TEXT NOT NULL, at INTEGER NOT NULL, keep INTEGER NOT NULL,
        PRIMARY KEY (tenant, scope)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX revocations_by_end ON revocations (keep);
    `,
  },
  {
    name: "0002-documents",
    sql: `
      CREATE TABLE documents (
        tenant TEXT NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, keep INTEGER NOT NULL, content TEXT NOT NULL,
        PRIMARY KEY (tenant, collection, id)
      ) STRICT;
      CREATE INDEX documents_by_end ON documents (keep);
    `,
  },
  {
    name: "0003-unsettled",
    sql: "CREATE INDEX calls_unsettled ON calls (tenant, envelope, call) WHERE phase IN ('redeemed', 'rerun', 'unknown')",
  },
];

export const STATE_TABLES: Tables = { log: "migrations", migrations: MIGRATIONS };
