/**
 * Logins to PostgreSQL for one action each. Needs `pg`.
 *
 * @module
 */

export { postgresConnector, type PostgresConnector, type PostgresConnectorOptions } from "./postgres-connector.ts";
export type { RowValue, TableAccess } from "./access.ts";
