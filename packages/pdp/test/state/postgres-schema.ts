import { randomBytes } from "node:crypto";
import pg from "pg";

/** The server that tests share with whoever else uses it; they touch only schemas of their own. */
export const POSTGRES_URL = process.env["AMBIT_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";

/** Whether the server is there. `AMBIT_REQUIRE_SERVICES=1` makes its absence an error, else what needs it is skipped visibly. */
export async function hasPostgres(): Promise<boolean> {
  try {
    await run("SELECT 1");
    return true;
  } catch (cause) {
    if (process.env["AMBIT_REQUIRE_SERVICES"] === "1") throw new Error("there is no usable PostgreSQL server (AMBIT_TEST_POSTGRES_URL)", { cause });
    process.stderr.write("skipped: there is no usable PostgreSQL server (AMBIT_TEST_POSTGRES_URL)\n");
    return false;
  }
}

/** The name of a schema that is not there. */
export function newSchema(): string {
  return `ambit_test_${randomBytes(6).toString("hex")}`;
}

export async function removeSchema(schema: string): Promise<void> {
  await run(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
}

async function run(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
