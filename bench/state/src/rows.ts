import type { DatabaseSync } from "node:sqlite";
import type { Pool } from "pg";
import type { createClient } from "redis";
import { bareBatch, type Batch } from "./workload.ts";

/**
 * The rows of a commit that debits one account, written as fast as the database does it: a call and a debit that are new, an account and a lineage that are there.
 * Nothing is read, nothing is checked, nothing can be refused.
 */
const TENANT = "tenant_rows";
const BODY = JSON.stringify({
  digest: "d".repeat(51),
  committed: { decisionId: "dec_1", grant: { id: "grant_1", expiresAt: 1e12 } },
  labels: { dataClasses: [] },
});
const ENDS = 8_640_000_000_000_000;

let number = 0;
const nextId = (): string => `call_${number++}`;

export function memoryRows(): Batch {
  const calls = new Map<string, object>();
  const account = { spent: 0, open: new Set<object>() };
  const lineage = { calls: 0 };
  const write = async (): Promise<void> => {
    const id = nextId();
    const debit = { unit: "calls", account: "a", refundable: true, heldUntil: ENDS, until: null, amount: 1 };
    calls.set(id, { digest: "d", lineage: "l", labels: undefined, phase: "reserved", debits: new Set([debit]) });
    account.open.add(debit);
    account.spent += 1;
    lineage.calls += 1;
  };
  return bareBatch(write, async () => {
    calls.clear();
    account.open.clear();
  });
}

/** In a file that has the tables of the state. */
export function sqliteRows(database: DatabaseSync): Batch {
  database.exec(`INSERT INTO accounts VALUES ('${TENANT}', 'a', 0, 'l', ${ENDS}); INSERT INTO lineages VALUES ('${TENANT}', 'l', ${ENDS}, '{}')`);
  const call = database.prepare(`INSERT INTO calls VALUES ('${TENANT}', 'e', ?, 'l', 'reserved', '${BODY}')`);
  const debit = database.prepare(
    `INSERT INTO debits (tenant, account, envelope, call, unit, amount, refundable, held, due) VALUES ('${TENANT}', 'a', 'e', ?, 'calls', 1, 1, ${ENDS}, ${ENDS})`,
  );
  const account = database.prepare(`UPDATE accounts SET spent = spent + 1 WHERE tenant = '${TENANT}' AND id = 'a'`);
  const lineage = database.prepare(`UPDATE lineages SET body = '{"calls":' || ? || '}' WHERE tenant = '${TENANT}' AND id = 'l'`);
  const write = async (): Promise<void> => {
    const id = nextId();
    database.exec("BEGIN IMMEDIATE");
    call.run(id);
    debit.run(id);
    account.run();
    lineage.run(number);
    database.exec("COMMIT");
  };
  return bareBatch(write, async () => database.exec(`DELETE FROM calls WHERE tenant = '${TENANT}'; DELETE FROM debits WHERE tenant = '${TENANT}'`));
}

/** In a schema that has the tables of the state: one statement, hence one round trip and one transaction. */
export async function postgresRows(pool: Pool, schema: string): Promise<Batch> {
  await pool.query(`INSERT INTO ${schema}.accounts VALUES ('${TENANT}', 'a', 0, 'l', ${ENDS})`);
  await pool.query(`INSERT INTO ${schema}.lineages VALUES ('${TENANT}', 'l', ${ENDS}, '{}')`);
  const text = `
    WITH call AS (INSERT INTO ${schema}.calls VALUES ('${TENANT}', 'e', $1, 'l', 'reserved', '${BODY}')),
    debit AS (INSERT INTO ${schema}.debits (tenant, account, envelope, call, unit, amount, refundable, held, due)
      VALUES ('${TENANT}', 'a', 'e', $1, 'calls', 1, true, ${ENDS}, ${ENDS})),
    account AS (UPDATE ${schema}.accounts SET spent = spent + 1 WHERE tenant = '${TENANT}' AND id = 'a')
    UPDATE ${schema}.lineages SET body = $1 WHERE tenant = '${TENANT}' AND id = 'l'`;
  const remove = (table: string): Promise<unknown> => pool.query(`DELETE FROM ${schema}.${table} WHERE tenant = '${TENANT}'`);
  return bareBatch(
    () => pool.query({ name: "rows", text, values: [nextId()] }),
    async () => void (await Promise.all(["calls", "debits"].map(remove))),
  );
}

/** In keys of its own: one transaction of five commands. */
export function redisRows(client: ReturnType<typeof createClient>, tag: string): Batch {
  const key = (name: string): string => `{${tag}}:${name}`;
  const write = (): Promise<unknown> => {
    const id = nextId();
    return client
      .multi()
      .hSet(key("calls"), id, BODY)
      .zAdd(key("open"), { score: 0, value: id })
      .zAdd(key("index"), { score: 0, value: id })
      .hIncrBy(key("spent"), "a", 1)
      .hSet(key("lineages"), "l", id)
      .exec();
  };
  return bareBatch(write, async () => void (await client.unlink(["calls", "open", "index"].map(key))));
}
