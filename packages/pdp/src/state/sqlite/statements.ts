import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { DocumentRow } from "../documents.ts";
import type { Changes, Needs, Stored, StoredAccount, StoredCall, StoredDebit, StoredLineage, StoredOnce } from "../stored.ts";
import { IS_UNSETTLED, KEEP_UNSETTLED } from "../unsettled.ts";

/** What is asked of the file. Each runs to its end at once. */
export interface Statements {
  load(tenant: string, needs: Needs): Stored;
  save(tenant: string, changes: Changes): void;
  unsettled(tenant: string, after: Pick<StoredCall, "envelope" | "call">, limit: number): readonly StoredCall[];
  lineage(tenant: string, id: string): StoredLineage | undefined;
  admit(tenant: string, envelope: string, keep: number): boolean;
  admitted(tenant: string, envelopes: readonly string[]): ReadonlySet<string>;
  revoke(tenant: string, scopes: readonly string[], at: number, keep: number): void;
  revokedAt(tenant: string, scopes: readonly string[]): ReadonlyMap<string, number>;
  document(tenant: string, collection: string, id: string): DocumentRow | undefined;
  putDocument(tenant: string, collection: string, row: Omit<DocumentRow, "version">, replaces: number, keep: number): boolean;
  documents(tenant: string, collection: string, after: string, limit: number): readonly DocumentRow[];
  /** Drops some of what has ended; whether there may be more. */
  sweep(now: number): boolean;
}

/** Rows of a table that one step of a sweep drops at most. */
const STEP = 100;

export function prepareStatements(database: DatabaseSync): Statements {
  // Integers beyond 2^53 are an error in `node:sqlite`, not another number.
  const many = <T>(sql: string): ((...values: readonly SQLInputValue[]) => readonly T[]) => {
    const statement = database.prepare(sql);
    return (...values) => statement.all(...values) as unknown as readonly T[];
  };
  const run = (sql: string): ((...values: readonly SQLInputValue[]) => number) => {
    const statement = database.prepare(sql);
    return (...values) => Number(statement.run(...values).changes);
  };
  const debitColumns = "d.id, d.account, d.envelope, d.call, d.unit, d.amount, d.refundable, d.held, d.until, d.due";
  const call = many<StoredCall>("SELECT envelope, call, lineage, phase, body FROM calls WHERE tenant = ? AND envelope = ? AND call = ?");
  const unsettled = many<StoredCall>(
    `SELECT envelope, call, lineage, phase, body FROM calls WHERE tenant = ? AND ${IS_UNSETTLED} AND (envelope, call) > (?, ?) ORDER BY envelope, call LIMIT ?`,
  );
  const debitsOfCall = many<StoredDebit>(`SELECT ${debitColumns} FROM debits d WHERE tenant = ? AND envelope = ? AND call = ?`);
  const debitsEnded = many<StoredDebit>(`SELECT ${debitColumns} FROM debits d WHERE tenant = ? AND account = ? AND due <= ?`);
  const account = many<StoredAccount>("SELECT id, spent, lineage, keep FROM accounts WHERE tenant = ? AND id = ?");
  const lineage = many<StoredLineage>("SELECT id, keep, body FROM lineages WHERE tenant = ? AND id = ?");
  const once = many<StoredOnce>("SELECT key, until FROM once WHERE tenant = ? AND key = ?");
  const admitted = many<{ readonly envelope: string }>("SELECT envelope FROM admissions WHERE tenant = ? AND envelope IN (SELECT value FROM json_each(?))");
  const revoked = many<{ readonly scope: string; readonly at: number }>(
    "SELECT scope, at FROM revocations WHERE tenant = ? AND scope IN (SELECT value FROM json_each(?))",
  );
  const document = many<DocumentRow>("SELECT id, version, content FROM documents WHERE tenant = ? AND collection = ? AND id = ?");
  const documents = many<DocumentRow>("SELECT id, version, content FROM documents WHERE tenant = ? AND collection = ? AND id > ? ORDER BY id LIMIT ?");

  const put = {
    call: run("INSERT INTO calls (lineage, phase, body, tenant, envelope, call) VALUES (?, ?, ?, ?, ?, ?)"),
    account: run("INSERT INTO accounts (spent, lineage, keep, tenant, id) VALUES (?, ?, ?, ?, ?)"),
    debit: run("INSERT INTO debits (tenant, account, envelope, call, unit, amount, refundable, held, until, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    lineage: run("INSERT INTO lineages (keep, body, tenant, id) VALUES (?, ?, ?, ?)"),
    once: run("INSERT INTO once (until, tenant, key) VALUES (?, ?, ?)"),
    admission: run("INSERT INTO admissions (tenant, envelope, keep) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"),
    revocation: run(
      "INSERT INTO revocations (tenant, scope, at, keep) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at), keep = max(keep, excluded.keep)",
    ),
    document: run("INSERT INTO documents (version, content, keep, tenant, collection, id) VALUES (1, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"),
  };
  const set = {
    call: run("UPDATE calls SET lineage = ?, phase = ?, body = ? WHERE tenant = ? AND envelope = ? AND call = ?"),
    account: run("UPDATE accounts SET spent = ?, lineage = ?, keep = ? WHERE tenant = ? AND id = ?"),
    debit: run("UPDATE debits SET envelope = ?, call = ?, amount = ?, due = ? WHERE tenant = ? AND id = ?"),
    lineage: run("UPDATE lineages SET keep = ?, body = ? WHERE tenant = ? AND id = ?"),
    once: run("UPDATE once SET until = ? WHERE tenant = ? AND key = ?"),
    document: run("UPDATE documents SET version = version + 1, content = ?, keep = ? WHERE tenant = ? AND collection = ? AND id = ? AND version = ?"),
  };
  const remove = {
    call: run("DELETE FROM calls WHERE tenant = ? AND envelope = ? AND call = ?"),
    debit: run("DELETE FROM debits WHERE tenant = ? AND id = ?"),
    callsOfLineage: run("DELETE FROM calls WHERE tenant = ? AND lineage = ?"),
    lineage: run("DELETE FROM lineages WHERE tenant = ? AND id = ?"),
    debitsOfAccount: run("DELETE FROM debits WHERE tenant = ? AND account = ?"),
    account: run("DELETE FROM accounts WHERE tenant = ? AND id = ?"),
  };
  const ended = {
    lineages: many<{ readonly tenant: string; readonly id: string }>(
      `SELECT l.tenant, l.id FROM lineages l WHERE l.keep < ? AND (l.keep < ?
        OR NOT EXISTS (SELECT 1 FROM calls c WHERE c.tenant = l.tenant AND c.lineage = l.id AND c.${IS_UNSETTLED})) LIMIT ${STEP}`,
    ),
    accounts: many<{ readonly tenant: string; readonly id: string }>(
      `SELECT a.tenant, a.id FROM accounts a WHERE a.keep < ?
        AND NOT EXISTS (SELECT 1 FROM lineages l WHERE l.tenant = a.tenant AND l.id = a.lineage) LIMIT ${STEP}`,
    ),
    once: run(`DELETE FROM once WHERE (tenant, key) IN (SELECT tenant, key FROM once WHERE until < ? LIMIT ${STEP})`),
    admissions: run(`DELETE FROM admissions WHERE (tenant, envelope) IN (SELECT tenant, envelope FROM admissions WHERE keep < ? LIMIT ${STEP})`),
    revocations: run(`DELETE FROM revocations WHERE (tenant, scope) IN (SELECT tenant, scope FROM revocations WHERE keep < ? LIMIT ${STEP})`),
    documents: run(`DELETE FROM documents WHERE rowid IN (SELECT rowid FROM documents WHERE keep < ? LIMIT ${STEP})`),
  };

  const load = (tenant: string, needs: Needs): Stored => {
    const calls = new Map<string, StoredCall>();
    const debits = new Map<number, StoredDebit>();
    const accounts = new Set(needs.accounts);
    const lineages = new Set(needs.lineages);
    const addCall = (envelope: string, id: string): StoredCall | undefined => {
      const [found] = call(tenant, envelope, id);
      if (found !== undefined) calls.set(JSON.stringify([envelope, id]), found);
      return found;
    };
    const addDebit = (debit: StoredDebit): void => void debits.set(debit.id, { ...debit, refundable: Number(debit.refundable) === 1 });
    for (const need of needs.calls) {
      const found = addCall(need.envelope, need.call);
      if (found === undefined) continue;
      if (need.labels) lineages.add(found.lineage);
      if (!need.debits) continue;
      for (const debit of debitsOfCall(tenant, need.envelope, need.call)) {
        addDebit(debit);
        accounts.add(debit.account);
      }
    }
    for (const id of needs.accounts) {
      for (const debit of debitsEnded(tenant, id, needs.now)) {
        addDebit(debit);
        if (debit.envelope !== null && debit.call !== null) addCall(debit.envelope, debit.call);
      }
    }
    return {
      calls: [...calls.values()],
      accounts: [...accounts].flatMap((id) => account(tenant, id)),
      debits: [...debits.values()],
      lineages: [...lineages].flatMap((id) => lineage(tenant, id)),
      once: needs.once.flatMap((key) => once(tenant, key)),
    };
  };

  const save = (tenant: string, { insert, update, remove: gone }: Changes): void => {
    for (const id of gone.debits) remove.debit(tenant, id);
    for (const { envelope, call: id } of gone.calls) remove.call(tenant, envelope, id);
    for (const [write, rows] of [[put, insert] as const, [set, update] as const]) {
      for (const row of rows.calls) write.call(row.lineage, row.phase, row.body, tenant, row.envelope, row.call);
      for (const row of rows.accounts) write.account(row.spent, row.lineage, row.keep, tenant, row.id);
      for (const row of rows.lineages) write.lineage(row.keep, row.body, tenant, row.id);
      for (const row of rows.once) write.once(row.until, tenant, row.key);
    }
    for (const row of update.debits) set.debit(row.envelope, row.call, row.amount, row.due, tenant, row.id);
    for (const { account: id, envelope, call: of, unit, amount, refundable, held, until, due } of insert.debits)
      put.debit(tenant, id, envelope, of, unit, amount, refundable ? 1 : 0, held, until, due);
  };

  return {
    load,
    save,
    unsettled: (tenant, after, limit) => unsettled(tenant, after.envelope, after.call, limit),
    lineage: (tenant, id) => lineage(tenant, id)[0],
    admit: (tenant, envelope, keep) => put.admission(tenant, envelope, keep) === 1,
    admitted: (tenant, envelopes) => new Set(admitted(tenant, JSON.stringify(envelopes)).map(({ envelope }) => envelope)),
    revoke: (tenant, scopes, at, keep) => {
      for (const scope of scopes) put.revocation(tenant, scope, at, keep);
    },
    revokedAt: (tenant, scopes) => new Map(revoked(tenant, JSON.stringify(scopes)).map(({ scope, at }) => [scope, at])),
    document: (tenant, collection, id) => document(tenant, collection, id)[0],
    putDocument: (tenant, collection, { id, content }, replaces, keep) => {
      const written = replaces === 0 ? put.document(content, keep, tenant, collection, id) : set.document(content, keep, tenant, collection, id, replaces);
      return written === 1;
    },
    documents,
    sweep: (now) => {
      const lineages = ended.lineages(now, now - KEEP_UNSETTLED);
      for (const { tenant, id } of lineages) {
        remove.callsOfLineage(tenant, id);
        remove.lineage(tenant, id);
      }
      const accounts = ended.accounts(now);
      for (const { tenant, id } of accounts) {
        remove.debitsOfAccount(tenant, id);
        remove.account(tenant, id);
      }
      const counts = [lineages.length, accounts.length, ended.once(now), ended.admissions(now), ended.revocations(now), ended.documents(now)];
      return counts.some((count) => count === STEP);
    },
  };
}
