import { DatabaseSync } from "node:sqlite";

const SCHEMA = `
  create table customers (customer_id text primary key, tenant_id text not null, name text not null, country text not null, segment text not null);
  create table contracts (
    contract_id text primary key, customer_id text not null references customers, title text not null, starts_on text not null, ends_on text not null,
    annual_value integer not null, currency text not null, text text not null
  );
  create table support_summaries (
    record_id text primary key, customer_id text not null references customers, quarter text not null, severity text not null, summary text not null,
    contact_email text not null
  );
  create table tickets (
    ticket_id integer primary key, customer_id text not null references customers, contract_id text not null references contracts, queue text not null,
    severity text not null, title text not null, body text not null
  );
  create table exports (export_id integer primary key, contracts integer not null, customers integer not null, bytes integer not null);
  create table outbox (mail_id integer primary key, recipient text not null, subject text not null, body text not null, attached_contracts integer not null);
  create table access (access_id integer primary key, tool text not null, record_id text not null, customer_id text not null);
`;

/**
 * Creates the database of the demo in a file that must not exist yet. `access` is the server's own account of every record that it
 * handed out: what happened to the data is read from there, not from what anybody claims.
 */
export function createDatabase(path: string): DatabaseSync {
  const database = openDatabase(path);
  database.exec(SCHEMA);
  return database;
}

export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec("pragma foreign_keys = on; pragma busy_timeout = 2000;");
  return database;
}
