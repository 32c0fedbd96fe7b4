/**
 * State in an SQLite file, for all processes of one host.
 *
 * @module
 */
export { createSqliteState } from "./sqlite-state.ts";
export { migrate, missingMigrations } from "./migrate.ts";
export type { SqliteOptions } from "./open.ts";
export type { SharedState } from "../shared-state.ts";

// Tuples of relations, beside the state or elsewhere.
export { createSqliteRelations } from "../../relations/sql/sqlite-relations.ts";
