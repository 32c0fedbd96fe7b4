/**
 * State in PostgreSQL, for processes on any number of hosts.
 *
 * @module
 */
export { createPostgresState } from "./postgres-state.ts";
export { migrate, missingMigrations } from "./migrate.ts";
export type { PostgresOptions } from "./server.ts";
export type { PostgresClient, PostgresPool } from "./connection.ts";
export type { SharedState } from "../shared-state.ts";

// Tuples of relations, beside the state or elsewhere.
export { createPostgresRelations } from "../../relations/sql/postgres-relations.ts";
