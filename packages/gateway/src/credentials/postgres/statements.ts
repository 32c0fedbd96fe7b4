import type { Client } from "pg";

/** Statements as templates of PostgreSQL's `format`, with what goes into them. INVARIANT I4: names and values are quoted by the server, `%I` and `%L`; a template has none of either. */
export interface Statement {
  readonly template: string;
  readonly values: readonly string[];
}

export function statement(template: string, ...values: readonly string[]): Statement {
  return { template, values };
}

const WRITE = `
  SELECT string_agg(format(s->>'template', VARIADIC ARRAY(SELECT jsonb_array_elements_text(s->'values'))), '; ' ORDER BY n) AS written
  FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given(s, n)`;

/** All of them, or none. */
export async function execute(client: Client, statements: readonly Statement[]): Promise<void> {
  const { rows } = await client.query<{ readonly written: string }>(WRITE, [JSON.stringify(statements)]);
  // Several statements in one simple query are one transaction.
  await client.query(rows[0]?.written ?? "");
}
