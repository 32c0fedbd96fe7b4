import type { Client } from "pg";

const OWN_OR_SYSTEM = "n.nspname <> $1 AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";
const COUNT = `
  SELECT has_database_privilege($1, current_database(), 'TEMPORARY') AS temporary,
    (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ${OWN_OR_SYSTEM} AND has_schema_privilege($1, n.oid, 'USAGE')
        AND (has_table_privilege($1, c.oid, 'DELETE, TRUNCATE') OR has_any_column_privilege($1, c.oid, 'SELECT, INSERT, UPDATE')))
    + (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE p.prosecdef AND ${OWN_OR_SYSTEM} AND has_schema_privilege($1, n.oid, 'USAGE') AND has_function_privilege($1, p.oid, 'EXECUTE')) AS others`;

/** What the role may do beside what it was given, because the database lets everybody; `undefined` where that is nothing. */
export async function excessOf(client: Client, role: string): Promise<string | undefined> {
  const { rows } = await client.query<{ readonly temporary: boolean; readonly others: string }>(COUNT.replaceAll("$1", "$1::name"), [role]);
  const [{ temporary, others } = { temporary: true, others: "" }] = rows;
  const excess = [
    ...(others === "0" ? [] : ["the database gives everybody other tables or functions"]),
    ...(temporary ? ["the database lets everybody create temporary tables"] : []),
  ];
  return excess.length === 0 ? undefined : excess.join("; ");
}
