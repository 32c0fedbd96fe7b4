import type { Account, CallKey, Commit, CommitAnswer, Committed, Labels, LineageFacts, Reservation, StateStore } from "@ambit/core";

interface Call {
  readonly digest: string;
  readonly committed: Committed;
  readonly debits: readonly Debit[];
  readonly labels: Labels;
  readonly lineage: string;
  phase: "reserved" | "redeemed" | "settled";
}

interface Debit {
  readonly unit: string;
  readonly account: string;
  readonly at: number;
  readonly window: number | undefined;
  readonly refundable: boolean;
  amount: number;
  /** A grant that nobody redeems in time holds nothing any longer. */
  heldUntil: number;
}

interface Spent {
  /** Settled for good. */
  total: number;
  /** Not settled yet, or counting for a window only. */
  open: Debit[];
}

interface Lineage {
  /** Every account that it was ever debited on. */
  readonly accounts: Set<string>;
  calls: number;
  readonly toolsUsed: Set<string>;
  previousTool: string | null;
  integrity: Labels["integrity"];
  readonly dataClasses: Set<string>;
}

/** One tenant's state: nothing in it can be reached with another tenant's key (I12). */
interface Tenant {
  /** By envelope and call id. */
  readonly calls: Map<string, Call>;
  /** By account. */
  readonly spent: Map<string, Spent>;
  readonly lineages: Map<string, Lineage>;
  readonly revoked: Map<string, number>;
}

/**
 * State of one process, gone when it ends. Every method does its work before it returns to the event loop, so each is a transaction.
 *
 * Calls, accounts and lineages are kept until `forget` is called for their lineage; the decision point does so when a root expires.
 */
export interface MemoryState extends StateStore {
  /** Drops everything that belongs to a lineage whose envelopes have all expired. */
  forget(tenantId: string, lineage: string): void;
}

export function createMemoryState(): MemoryState {
  const tenants = new Map<string, Tenant>();
  const tenantOf = (id: string): Tenant => {
    let tenant = tenants.get(id);
    if (tenant === undefined) tenants.set(id, (tenant = { calls: new Map(), spent: new Map(), lineages: new Map(), revoked: new Map() }));
    return tenant;
  };

  return {
    commit: async (commit) => commitCall(tenantOf(commit.tenantId), commit),
    redeem: async (key, grantId, callDigest, now) => {
      const call = tenantOf(key.tenantId).calls.get(callKey(key));
      if (call === undefined || call.committed.grant.id !== grantId || call.digest !== callDigest) return "unknown";
      if (call.phase !== "reserved") return "replayed";
      if (!(now < call.committed.grant.expiresAt)) return "expired";
      call.phase = "redeemed";
      for (const debit of call.debits) debit.heldUntil = Infinity;
      return "redeemed";
    },
    settle: async ({ decisionId, action, used, observed, ...key }) => {
      const tenant = tenantOf(key.tenantId);
      const call = tenant.calls.get(callKey(key));
      if (call === undefined || call.committed.decisionId !== decisionId) return undefined;
      if (call.phase === "settled" || (action === "cancel" && call.phase !== "reserved") || (action === "undo" && call.phase !== "redeemed")) return undefined;
      const neverRan = action === "cancel" || action === "undo";
      call.phase = "settled";
      for (const debit of call.debits) {
        if (neverRan || (action === "release" && debit.refundable)) debit.amount = 0;
        if (action === "commit") debit.amount = Math.min(debit.amount, used[debit.unit] ?? debit.amount);
        close(tenant, debit);
      }
      // What failed, or never ran, may be asked again under its id; it is decided and reserved afresh.
      if (neverRan || action === "release") tenant.calls.delete(callKey(key));
      if (observed) addLabels(lineageOf(tenant, call.lineage), call.labels);
      return call.labels;
    },
    facts: async (tenantId, lineage) => factsOf(tenantOf(tenantId).lineages.get(lineage) ?? newLineage()),
    label: async (tenantId, lineage, labels) => addLabels(lineageOf(tenantOf(tenantId), lineage), labels),
    revoke: async (tenantId, scopes, now) => {
      const { revoked } = tenantOf(tenantId);
      for (const scope of scopes) revoked.set(scope, Math.max(now, revoked.get(scope) ?? now));
    },
    revokedAt: async (tenantId, scopes) => {
      const { revoked } = tenantOf(tenantId);
      const times = scopes.map((scope) => revoked.get(scope)).filter((time) => time !== undefined);
      return times.length === 0 ? undefined : Math.max(...times);
    },
    forget: (tenantId, lineage) => {
      const tenant = tenants.get(tenantId);
      if (tenant === undefined) return;
      for (const account of tenant.lineages.get(lineage)?.accounts ?? []) tenant.spent.delete(account);
      tenant.lineages.delete(lineage);
      for (const [key, call] of tenant.calls) if (call.lineage === lineage) tenant.calls.delete(key);
    },
  };
}

/** No two pairs have the same key, whatever characters they consist of. */
function callKey({ envelopeId, callId }: Pick<CallKey, "envelopeId" | "callId">): string {
  return JSON.stringify([envelopeId, callId]);
}

function commitCall(tenant: Tenant, commit: Commit): CommitAnswer {
  const key = callKey(commit);
  const earlier = tenant.calls.get(key);
  if (earlier?.digest === commit.callDigest && earlier.committed.grant.expiresAt > commit.now) {
    return earlier.phase === "reserved" ? { status: "repeated", ...earlier.committed } : { status: "spent" };
  }
  if (earlier !== undefined && earlier.phase !== "reserved") return { status: "spent" };

  // Other arguments under the same id, or a grant that nobody used in time: what was reserved for it is free for this one.
  const replaced = new Set(earlier?.debits);
  const debits: Debit[] = [];
  const reserved: Record<string, number> = {};
  for (const reservation of commit.reservations) {
    const { amount, remaining } = take(tenant, reservation, commit.now, replaced);
    if (amount < reservation.atLeast) return { status: "exhausted", unit: reservation.unit, remaining };
    reserved[reservation.unit] = amount;
    const { unit, refundable } = reservation;
    for (const { id: account, window } of reservation.accounts)
      debits.push({ unit, refundable, account, at: commit.now, window, amount, heldUntil: commit.grant.expiresAt });
  }
  // INVARIANT I6: nothing was written, and nothing given back, before everything was found to fit.
  const lineage = lineageOf(tenant, commit.lineage);
  for (const { account } of replaced) drop(tenant, account, replaced);
  for (const debit of debits) {
    spentOf(tenant, debit.account).open.push(debit);
    lineage.accounts.add(debit.account);
  }
  const committed: Committed = { decisionId: commit.decisionId, grant: commit.grant, reserved };
  tenant.calls.set(key, { digest: commit.callDigest, committed, debits, labels: commit.labels, lineage: commit.lineage, phase: "reserved" });
  lineage.calls += 1;
  lineage.toolsUsed.add(commit.toolId);
  lineage.previousTool = commit.toolId;
  return { status: "committed", ...committed };
}

function take(tenant: Tenant, reservation: Reservation, now: number, without: ReadonlySet<Debit>): { readonly amount: number; readonly remaining: number } {
  const { unit, want, atLeast, accounts } = reservation;
  // A negative amount would be a gift to the account, and everything is less than NaN.
  for (const amount of [want, atLeast])
    if (!Number.isSafeInteger(amount) || amount < 0) throw new RangeError(`a reservation of ${unit} must be a whole number of at least 0`);
  const left = accounts.map((account) => account.limit - spentOn(tenant, account, now, without));
  const remaining = Math.min(Number.MAX_SAFE_INTEGER, ...left);
  return { amount: Math.min(want, remaining), remaining: Math.max(0, remaining) };
}

function spentOf(tenant: Tenant, account: string): Spent {
  let spent = tenant.spent.get(account);
  if (spent === undefined) tenant.spent.set(account, (spent = { total: 0, open: [] }));
  return spent;
}

function spentOn(tenant: Tenant, { id }: Account, now: number, without: ReadonlySet<Debit>): number {
  const spent = spentOf(tenant, id);
  spent.open = spent.open.filter(({ at, window, heldUntil }) => heldUntil > now && (window === undefined || at + window > now));
  return spent.open.reduce((sum, debit) => (without.has(debit) ? sum : sum + debit.amount), spent.total);
}

/** What counts for ever needs no entry of its own. */
function close(tenant: Tenant, debit: Debit): void {
  if (debit.window !== undefined) return;
  drop(tenant, debit.account, new Set([debit]));
  spentOf(tenant, debit.account).total += debit.amount;
}

function drop(tenant: Tenant, account: string, debits: ReadonlySet<Debit>): void {
  const spent = spentOf(tenant, account);
  spent.open = spent.open.filter((debit) => !debits.has(debit));
}

function lineageOf(tenant: Tenant, id: string): Lineage {
  let lineage = tenant.lineages.get(id);
  if (lineage === undefined) tenant.lineages.set(id, (lineage = newLineage()));
  return lineage;
}

function newLineage(): Lineage {
  return { accounts: new Set(), calls: 0, toolsUsed: new Set(), previousTool: null, integrity: "trusted", dataClasses: new Set() };
}

function factsOf(lineage: Lineage): LineageFacts {
  return {
    calls: lineage.calls,
    toolsUsed: [...lineage.toolsUsed].sort(),
    previousTool: lineage.previousTool,
    labels: { integrity: lineage.integrity, dataClasses: [...lineage.dataClasses].sort() },
  };
}

function addLabels(lineage: Lineage, labels: Labels): void {
  if (labels.integrity === "untrusted") lineage.integrity = "untrusted";
  for (const name of labels.dataClasses) lineage.dataClasses.add(name);
}
