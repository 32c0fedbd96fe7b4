import { AmbitError, type CallKey, type DocumentStore, type Labels, type StateStore } from "@ambit/core";
import { checkLimit, documentsOver, type DocumentRows } from "./documents.ts";
import { addLabels, checkAmounts, commitCall, factsOf, redeemCall, settleCall, spentOn, type Lineage, type Rows } from "./ledger.ts";
import { toCalls, type Needs, type StoredCall } from "./stored.ts";
import { reconcileCall, unsettledCall } from "./unsettled.ts";

/** What a database has to do for `createSharedState`. Whatever it rejects with is a deny. */
export interface Backend extends DocumentRows {
  /**
   * Loads what is needed, lets `work` change it and stores what it changed: one transaction, with what was loaded locked until its end. `work` runs again, on what
   * was loaded again, where another process got in between.
   */
  transact(tenantId: string, needs: Needs, work: (rows: Rows) => void): Promise<void>;
  /** Calls of `UNSETTLED` phases, ordered by envelope and call, up to `limit` after another one. */
  unsettled(tenantId: string, after: Pick<StoredCall, "envelope" | "call">, limit: number): Promise<readonly StoredCall[]>;
  lineage(tenantId: string, id: string): Promise<Lineage | undefined>;
  admit(tenantId: string, envelopeId: string, keepUntil: number): Promise<boolean>;
  admitted(tenantId: string, envelopeIds: readonly string[]): Promise<ReadonlySet<string>>;
  revoke(tenantId: string, scopes: readonly string[], at: number, keepUntil: number): Promise<void>;
  revokedAt(tenantId: string, scopes: readonly string[]): Promise<ReadonlyMap<string, number>>;
  sweep(now: number): Promise<void>;
  /** Whether the statement itself was refused, so that others of the same transaction may do without it. */
  isAboutOne(error: unknown): boolean;
  close(): Promise<void>;
}

/** State that processes share. */
export interface SharedState extends StateStore, DocumentStore {
  /** Lets go of files and connections; whatever is asked afterwards is rejected. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SharedOptions {
  /** Milliseconds after which a method rejects, whatever the database does. */
  readonly timeout: number;
  /** Waits for more to come before a batch is begun. */
  readonly gather: () => Promise<void>;
}

interface Operation {
  readonly needs: Needs;
  readonly run: (rows: Rows) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** It was answered already, as it took too long. */
  isLate: boolean;
}

/** No call has this name. */
const BEFORE_ALL = { envelopeId: "", callId: "" };

/** Operations of one transaction at most: enough to share the cost of making it durable, too few to keep others waiting. */
const MOST = 64;

/**
 * The port over a database. Operations of one tenant that are asked for while a transaction is under way go into the next one together: it is durable at once for
 * all of them, and they do not wait for each other's locks.
 */
export function createSharedState(backend: Backend, options: SharedOptions): SharedState {
  const queues = new Map<string, Operation[]>();
  let closing: Promise<void> | undefined;

  const ask = async <T>(texts: readonly string[], answer: () => Promise<T>): Promise<T> => {
    for (const text of texts) checkText(text);
    if (closing !== undefined) throw unavailable("it is closed");
    return inTime(answer(), options.timeout).catch((error: unknown) => {
      throw unavailable("it could not be asked", error);
    });
  };
  const operate = async <T>(tenantId: string, texts: readonly string[], needs: Partial<Needs>, work: (rows: Rows) => T): Promise<T> => {
    const { operation, done } = newOperation({ calls: [], accounts: [], lineages: [], once: [], now: 0, ...needs }, work);
    const begin = (): Promise<T> => {
      const waiting = queues.get(tenantId);
      if (waiting !== undefined) waiting.push(operation);
      else {
        queues.set(tenantId, [operation]);
        void runQueue(backend, options, tenantId, queues);
      }
      return done;
    };
    return ask([tenantId, ...texts], begin).finally(() => {
      operation.isLate = true;
    });
  };

  return {
    commit: async (commit) => {
      checkAmounts(commit);
      const { tenantId, lineage, envelopeId, callId, reservations, once, grant, now } = commit;
      for (const time of [now, grant.expiresAt, commit.keepUntil, ...once.map(({ until }) => until)]) checkTime(time);
      const accounts = reservations.flatMap((reservation) => reservation.accounts.map(({ id }) => id));
      const keys = once.map(({ key }) => key);
      const texts = [lineage, envelopeId, callId, ...accounts, ...keys, ...reservations.map(({ unit }) => unit)];
      const calls = [{ envelope: envelopeId, call: callId, debits: true, labels: false }];
      return operate(tenantId, texts, { calls, accounts, lineages: [lineage], once: keys, now }, (rows) => commitCall(rows, commit));
    },
    redeem: async (key, grantId, callDigest, now) =>
      operate(key.tenantId, textsOf(key), { calls: [neededCall(key, false, false)] }, (rows) => redeemCall(rows, key, grantId, callDigest, now)),
    settle: async (settlement) =>
      operate(settlement.tenantId, textsOf(settlement), { calls: [neededCall(settlement, true, settlement.observed)] }, (rows) => settleCall(rows, settlement)),
    unsettled: async (tenantId, { envelopeId: envelope, callId: call } = BEFORE_ALL, limit) => {
      checkLimit(limit);
      const { calls } = toCalls(await ask([tenantId, envelope, call], () => backend.unsettled(tenantId, { envelope, call }, limit)));
      return [...calls].map(([key, found]) => unsettledCall(key, found));
    },
    reconcile: async (reconciliation) => {
      checkTime(reconciliation.startedBefore);
      const needs = { calls: [neededCall(reconciliation, true, false)] };
      return operate(reconciliation.tenantId, textsOf(reconciliation), needs, (rows) => reconcileCall(rows, reconciliation));
    },
    facts: async (tenantId, lineage) => factsOf(await ask([tenantId, lineage], () => backend.lineage(tenantId, lineage))),
    spent: async (tenantId, accountIds, now) => {
      checkTime(now);
      return operate(tenantId, accountIds, { accounts: accountIds, now }, (rows) => spentOn(rows, accountIds, now));
    },
    label: async (tenantId, lineage, labels: Labels, keepUntil) => {
      checkTime(keepUntil);
      return operate(tenantId, [lineage], { lineages: [lineage] }, (rows) => addLabels(rows, lineage, labels, keepUntil));
    },
    admit: async (tenantId, envelopeId, keepUntil) => {
      checkTime(keepUntil);
      return ask([tenantId, envelopeId], () => backend.admit(tenantId, envelopeId, keepUntil));
    },
    admitted: async (tenantId, envelopeIds) => {
      if (envelopeIds.length === 0) return [];
      const admitted = await ask([tenantId, ...envelopeIds], () => backend.admitted(tenantId, envelopeIds));
      return envelopeIds.map((id) => admitted.has(id));
    },
    revoke: async (tenantId, scopes, at, keepUntil) => {
      for (const time of [at, keepUntil]) checkTime(time);
      await ask([tenantId, ...scopes], () => backend.revoke(tenantId, [...new Set(scopes)].sort(), at, keepUntil));
    },
    revokedAt: async (tenantId, scopes) => {
      if (scopes.length === 0) return [];
      const times = await ask([tenantId, ...scopes], () => backend.revokedAt(tenantId, scopes));
      return scopes.map((scope) => times.get(scope) ?? null);
    },
    ...documentsOver(backend, ask),
    sweep: async (now) => {
      if (closing !== undefined) throw unavailable("it is closed");
      await backend.sweep(now);
    },
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    closing ??= backend.close();
    await closing;
  }
}

/** What a store that cannot answer rejects with. */
export function unavailable(why: string, cause?: unknown): AmbitError {
  return AmbitError.isInstance(cause) ? cause : new AmbitError("state_unavailable", `the state cannot be used: ${why}`, { cause });
}

/** Rejects when an answer takes too long. Whether it took effect is unknown then, as with any answer that is lost. */
export async function inTime<T>(answer: Promise<T>, timeout: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable("it did not answer in time")), timeout);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function runQueue(backend: Backend, { gather }: SharedOptions, tenantId: string, queues: Map<string, Operation[]>): Promise<void> {
  for (;;) {
    await gather();
    const queue = queues.get(tenantId) ?? [];
    const batch = queue.splice(0, MOST).filter(({ isLate }) => !isLate);
    if (batch.length === 0 && queue.length === 0) break;
    await runBatch(backend, tenantId, batch);
  }
  queues.delete(tenantId);
}

async function runBatch(backend: Backend, tenantId: string, batch: readonly Operation[]): Promise<void> {
  if (batch.length === 0) return;
  try {
    await backend.transact(tenantId, mergeNeeds(batch.map(({ needs }) => needs)), (rows) => {
      for (const { run } of batch) run(rows);
    });
    for (const { resolve } of batch) resolve();
  } catch (error) {
    // One that the database refuses must not take the others with it.
    if (batch.length > 1 && backend.isAboutOne(error)) for (const operation of batch) await runBatch(backend, tenantId, [operation]);
    else for (const { reject } of batch) reject(error);
  }
}

function newOperation<T>(needs: Needs, work: (rows: Rows) => T): { readonly operation: Operation; readonly done: Promise<T> } {
  const { promise: done, resolve, reject } = Promise.withResolvers<T>();
  let result: (() => void) | undefined;
  const operation: Operation = {
    needs,
    // What one of them throws is its own; it has changed nothing by then.
    run: (rows) => {
      try {
        const answer = work(rows);
        result = () => resolve(answer);
      } catch (error) {
        result = () => reject(error);
      }
    },
    resolve: () => result?.(),
    reject,
    isLate: false,
  };
  return { operation, done };
}

/** Each thing once: what is loaded twice would be two of it. */
function mergeNeeds(all: readonly Needs[]): Needs {
  const calls = new Map<string, Needs["calls"][number]>();
  for (const need of all.flatMap((needs) => needs.calls)) {
    const key = JSON.stringify([need.envelope, need.call]);
    const other = calls.get(key);
    calls.set(key, { ...need, debits: need.debits || other?.debits === true, labels: need.labels || other?.labels === true });
  }
  return {
    calls: [...calls.values()],
    accounts: [...new Set(all.flatMap(({ accounts }) => accounts))],
    lineages: [...new Set(all.flatMap(({ lineages }) => lineages))],
    once: [...new Set(all.flatMap(({ once }) => once))],
    now: Math.max(...all.map(({ now }) => now)),
  };
}

function neededCall({ envelopeId, callId }: CallKey, debits: boolean, labels: boolean): Needs["calls"][number] {
  return { envelope: envelopeId, call: callId, debits, labels };
}

function textsOf({ envelopeId, callId }: CallKey): readonly string[] {
  return [envelopeId, callId];
}

/** INVARIANT I14: a text that a database would store as another one could meet that other one. */
function checkText(text: string): void {
  if (typeof text !== "string" || !text.isWellFormed() || text.includes("\0")) throw unavailable("a name has characters that cannot be stored");
}

function checkTime(time: number): void {
  if (!Number.isSafeInteger(time)) throw new RangeError("a time must be whole milliseconds since the epoch");
}
