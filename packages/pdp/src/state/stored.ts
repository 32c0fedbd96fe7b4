import { callKeyOf, newRows, type Balance, type Call, type Debit, type Lineage, type Rows } from "./ledger.ts";

/** Rows of one tenant as a database holds them: flat, with plain values, and with columns of the same names in every store. */
export interface Stored {
  readonly calls: readonly StoredCall[];
  readonly accounts: readonly StoredAccount[];
  readonly debits: readonly StoredDebit[];
  readonly lineages: readonly StoredLineage[];
  readonly once: readonly StoredOnce[];
}

export interface StoredCall {
  readonly envelope: string;
  readonly call: string;
  readonly lineage: string;
  readonly phase: Call["phase"];
  /** JSON of what no query looks into. */
  readonly body: string;
}

export interface StoredAccount {
  readonly id: string;
  readonly spent: number;
  readonly lineage: string;
  readonly keep: number;
}

export interface StoredDebit {
  /** 0 until it is stored. */
  readonly id: number;
  readonly account: string;
  /** Of the call, `null` once it is settled. */
  readonly envelope: string | null;
  readonly call: string | null;
  readonly unit: string;
  readonly amount: number;
  readonly refundable: boolean;
  readonly held: number;
  readonly until: number | null;
  /** When it may end, at the earliest. */
  readonly due: number;
}

export interface StoredLineage {
  readonly id: string;
  readonly keep: number;
  readonly body: string;
}

export interface StoredOnce {
  readonly key: string;
  readonly until: number;
}

/** What an operation is about, and thus what has to be loaded for it: under lock, in one fixed order. */
export interface Needs {
  readonly calls: readonly NeededCall[];
  /** To be debited: with what may have ended on them by `now`, as far as nobody else is at it. */
  readonly accounts: readonly string[];
  readonly lineages: readonly string[];
  readonly once: readonly string[];
  readonly now: number;
}

export interface NeededCall {
  readonly envelope: string;
  readonly call: string;
  /** With its debits and their accounts. */
  readonly debits: boolean;
  /** With its lineage. */
  readonly labels: boolean;
}

/** What has to be written. An insertion of what is there by now must fail: then somebody else was faster, and the whole has to be done again. */
export interface Changes {
  readonly insert: Stored;
  readonly update: Stored;
  readonly remove: { readonly calls: readonly Pick<StoredCall, "envelope" | "call">[]; readonly debits: readonly number[] };
}

type CallBody = Pick<Call, "digest" | "committed" | "labels" | "toolId" | "startedAt" | "reconciled">;
type LineageBody = Pick<Lineage, "calls" | "previousTool" | "integrity"> & { readonly toolsUsed: readonly string[]; readonly dataClasses: readonly string[] };

/** Ledger rows of what was loaded. Throws where an amount came back as anything but a safe integer. */
export function toRows(stored: Stored): Rows {
  const rows = newRows();
  for (const { envelope, call, lineage, phase, body } of stored.calls)
    rows.calls.set(callKeyOf({ envelopeId: envelope, callId: call }), { ...toBody(body), lineage, phase, debits: new Set() });
  // What was loaded may have ended by now.
  for (const { id, spent, lineage, keep } of stored.accounts)
    rows.accounts.set(id, { spent: whole(spent), open: new Set(), due: -Infinity, lineage, keepUntil: whole(keep) });
  for (const { id, account, envelope, call, unit, amount, refundable, held, until } of stored.debits) {
    const owner = envelope === null || call === null ? null : (rows.calls.get(callKeyOf({ envelopeId: envelope, callId: call })) ?? null);
    const times = { heldUntil: whole(held), until: until === null ? null : whole(until) };
    const debit: Debit = { id, unit, account, refundable, ...times, amount: whole(amount), call: owner };
    rows.accounts.get(account)?.open.add(debit);
    owner?.debits.add(debit);
  }
  for (const { id, body, keep } of stored.lineages) rows.lineages.set(id, toLineage(JSON.parse(body) as LineageBody, whole(keep)));
  for (const { key, until } of stored.once) rows.once.set(key, whole(until));
  return rows;
}

/** Calls of earlier versions do not say their tool, and were started before their grant expired. */
function toBody(text: string): CallBody {
  const body = JSON.parse(text) as Omit<CallBody, "toolId" | "startedAt"> & Partial<CallBody>;
  return { toolId: "unknown", startedAt: body.committed.grant.expiresAt, ...body };
}

export function toLineage({ toolsUsed, dataClasses, ...lineage }: LineageBody, keepUntil: number): Lineage {
  return { ...lineage, keepUntil, toolsUsed: new Set(toolsUsed), dataClasses: new Set(dataClasses) };
}

/** Rows of calls alone. */
export function toCalls(calls: readonly StoredCall[]): Rows {
  return toRows({ calls, accounts: [], debits: [], lineages: [], once: [] });
}

/** What became of rows that were loaded, found by comparing all of them: no operation has to tell what it changed. */
export function changesOf(stored: Stored, rows: Rows): Changes {
  const flat = withForeign(stored, flatten(rows));
  const calls = compare(stored.calls, flat.calls, ({ envelope, call }) => JSON.stringify([envelope, call]));
  const accounts = compare(stored.accounts, flat.accounts, ({ id }) => id);
  const known = new Set(flat.debits.map(({ id }) => id));
  const debits = compare(
    stored.debits,
    flat.debits.filter(({ id }) => id !== 0),
    ({ id }) => String(id),
  );
  const lineages = compare(stored.lineages, flat.lineages, ({ id }) => id);
  const once = compare(stored.once, flat.once, ({ key }) => key);
  return {
    insert: {
      calls: calls.insert,
      accounts: accounts.insert,
      debits: flat.debits.filter(({ id }) => id === 0),
      lineages: lineages.insert,
      once: once.insert,
    },
    update: { calls: calls.update, accounts: accounts.update, debits: debits.update, lineages: lineages.update, once: once.update },
    remove: {
      calls: stored.calls.filter(({ envelope, call }) => !rows.calls.has(callKeyOf({ envelopeId: envelope, callId: call }))),
      debits: stored.debits.flatMap(({ id }) => (known.has(id) ? [] : [id])),
    },
  };
}

export function isEmpty({ insert, update, remove }: Changes): boolean {
  return [insert, update, remove].every((part) => Object.values(part).every((list: readonly unknown[]) => list.length === 0));
}

/** A debit may have been loaded for its account alone, and then still is its call's. */
function withForeign(stored: Stored, flat: Stored): Stored {
  const loaded = new Set(stored.calls.map(({ envelope, call }) => JSON.stringify([envelope, call])));
  const foreign = new Map(stored.debits.flatMap((debit) => (loaded.has(JSON.stringify([debit.envelope, debit.call])) ? [] : [[debit.id, debit] as const])));
  return { ...flat, debits: flat.debits.map((debit) => foreign.get(debit.id) ?? debit) };
}

function flatten(rows: Rows): Stored {
  const owners = new Map<Call, Pick<StoredCall, "envelope" | "call">>();
  const calls = [...rows.calls].map(([key, { lineage, phase, debits: _, ...body }]): StoredCall => {
    const [envelope, call] = JSON.parse(key) as [string, string];
    return { envelope, call, lineage, phase, body: JSON.stringify(body satisfies CallBody) };
  });
  for (const [index, call] of [...rows.calls.values()].entries()) owners.set(call, calls[index] as StoredCall);
  return {
    calls,
    accounts: [...rows.accounts].map(([id, { spent, lineage, keepUntil }]) => ({ id, spent, lineage, keep: keepUntil })),
    debits: [...rows.accounts.values()].flatMap(({ open }: Balance) => [...open].map((debit) => flattenDebit(debit, owners))),
    lineages: [...rows.lineages].map(([id, { keepUntil, calls: count, toolsUsed, previousTool, integrity, dataClasses }]) => {
      const body: LineageBody = { calls: count, previousTool, integrity, toolsUsed: [...toolsUsed].sort(), dataClasses: [...dataClasses].sort() };
      return { id, keep: keepUntil, body: JSON.stringify(body) };
    }),
    once: [...rows.once].map(([key, until]) => ({ key, until })),
  };
}

function flattenDebit(debit: Debit, owners: ReadonlyMap<Call, Pick<StoredCall, "envelope" | "call">>): StoredDebit {
  const { id = 0, account, unit, amount, refundable, heldUntil: held, until } = debit;
  const owner = debit.call === null ? undefined : owners.get(debit.call);
  const end = until ?? Number.MAX_SAFE_INTEGER;
  const due = owner === undefined ? end : Math.min(held, end);
  return { id, account, envelope: owner?.envelope ?? null, call: owner?.call ?? null, unit, amount, refundable, held, until, due };
}

/** Sorted by key: two transactions that insert the same rows wait for each other in one order only. */
function compare<T>(before: readonly T[], after: readonly T[], keyOf: (row: T) => string): { readonly insert: readonly T[]; readonly update: readonly T[] } {
  const old = new Map(before.map((row) => [keyOf(row), row]));
  const keyed = after.map((row) => ({ key: keyOf(row), row })).sort((a, b) => (a.key < b.key ? -1 : 1));
  return {
    insert: keyed.flatMap(({ key, row }) => (old.has(key) ? [] : [row])),
    update: keyed.flatMap(({ key, row }) => (old.has(key) && !isSame(old.get(key) as T, row) ? [row] : [])),
  };
}

function isSame<T>(a: T, b: T): boolean {
  return Object.entries(b as object).every(([name, value]) => (a as Record<string, unknown>)[name] === value);
}

function whole(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError("the store holds an amount or a time that is not a whole number");
  return value;
}
