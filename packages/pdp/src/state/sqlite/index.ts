/**
 * State in an SQLite file, for all processes of one host.
 *
 * @module
 */
export { createSqliteState, migrate, missingMigrations, type SqliteOptions } from "./sqlite-state.ts";
export type { SharedState } from "../shared-state.ts";

// Tuples of relations, beside the state or elsewhere.
export { createSqliteRelations } from "../../relations/sql/sqlite-relations.ts";
