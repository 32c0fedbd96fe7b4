import type { Account, Commit, CommitAnswer, Committed, Labels, LineageFacts, Reservation, StateStore } from "@ambit/core";

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
  calls: number;
  readonly toolsUsed: Set<string>;
  previousTool: string | null;
  integrity: Labels["integrity"];
  readonly dataClasses: Set<string>;
}

/** One tenant's state: nothing in it can be reached with another tenant's key (I12). */
interface Tenant {
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
    redeem: async ({ tenantId, callId }, grantId, callDigest, now) => {
      const call = tenantOf(tenantId).calls.get(callId);
      if (call === undefined || call.committed.grant.id !== grantId || call.digest !== callDigest) return "unknown";
      if (call.phase !== "reserved") return "replayed";
      if (now >= call.committed.grant.expiresAt) return "expired";
      call.phase = "redeemed";
      for (const debit of call.debits) debit.heldUntil = Infinity;
      return "redeemed";
    },
    settle: async ({ tenantId, callId, action, used, observed }) => {
      const tenant = tenantOf(tenantId);
      const call = tenant.calls.get(callId);
      if (call === undefined || call.phase === "settled" || (action === "cancel" && call.phase !== "reserved")) return undefined;
      call.phase = "settled";
      for (const debit of call.debits) {
        if (action === "release" || action === "cancel") debit.amount = 0;
        if (action === "commit") debit.amount = Math.min(debit.amount, used[debit.unit] ?? debit.amount);
        close(tenant, debit);
      }
      // What failed, or never ran, may be asked again under its id; it is decided and reserved afresh.
      if (action === "release" || action === "cancel") tenant.calls.delete(callId);
      if (observed) addLabels(lineageOf(tenant, call.lineage), call.labels);
      return call.labels;
    },
    facts: async (tenantId, lineage) => factsOf(lineageOf(tenantOf(tenantId), lineage)),
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
      tenant.lineages.delete(lineage);
      for (const [id, call] of tenant.calls) {
        if (call.lineage !== lineage) continue;
        tenant.calls.delete(id);
        for (const { account } of call.debits) tenant.spent.delete(account);
      }
    },
  };
}

function commitCall(tenant: Tenant, commit: Commit): CommitAnswer {
  const earlier = tenant.calls.get(commit.callId);
  if (earlier?.digest === commit.callDigest && earlier.committed.grant.expiresAt > commit.now) {
    return earlier.phase === "reserved" ? { status: "repeated", ...earlier.committed } : { status: "spent" };
  }
  if (earlier !== undefined && earlier.phase !== "reserved") return { status: "spent" };
  // Other arguments under the same id, or a grant that nobody used in time: what was reserved for it is free again.
  if (earlier !== undefined) for (const debit of earlier.debits) debit.heldUntil = 0;

  const debits: Debit[] = [];
  const reserved: Record<string, number> = {};
  for (const reservation of commit.reservations) {
    const { amount, remaining } = take(tenant, reservation, commit.now);
    if (amount < reservation.atLeast) return { status: "exhausted", unit: reservation.unit, remaining };
    reserved[reservation.unit] = amount;
    for (const { id, window } of reservation.accounts)
      debits.push({ unit: reservation.unit, account: id, at: commit.now, window, amount, heldUntil: commit.grant.expiresAt });
  }
  // INVARIANT I6: nothing was written before everything was found to fit.
  for (const debit of debits) spentOf(tenant, debit.account).open.push(debit);
  const committed: Committed = { decisionId: commit.decisionId, grant: commit.grant, reserved };
  tenant.calls.set(commit.callId, { digest: commit.callDigest, committed, debits, labels: commit.labels, lineage: commit.lineage, phase: "reserved" });
  const lineage = lineageOf(tenant, commit.lineage);
  lineage.calls += 1;
  lineage.toolsUsed.add(commit.toolId);
  lineage.previousTool = commit.toolId;
  return { status: "committed", ...committed };
}

function take(tenant: Tenant, { want, accounts }: Reservation, now: number): { readonly amount: number; readonly remaining: number } {
  const remaining = accounts.reduce((least, account) => Math.min(least, account.limit - spentOn(tenant, account, now)), Number.MAX_SAFE_INTEGER);
  return { amount: Math.min(want, remaining), remaining: Math.max(0, remaining) };
}

function spentOf(tenant: Tenant, account: string): Spent {
  let spent = tenant.spent.get(account);
  if (spent === undefined) tenant.spent.set(account, (spent = { total: 0, open: [] }));
  return spent;
}

function spentOn(tenant: Tenant, { id }: Account, now: number): number {
  const spent = spentOf(tenant, id);
  spent.open = spent.open.filter(({ at, window, heldUntil }) => heldUntil > now && (window === undefined || at + window > now));
  return spent.open.reduce((sum, { amount }) => sum + amount, spent.total);
}

/** What counts for ever needs no entry of its own. */
function close(tenant: Tenant, debit: Debit): void {
  if (debit.window !== undefined) return;
  const spent = spentOf(tenant, debit.account);
  spent.open = spent.open.filter((other) => other !== debit);
  spent.total += debit.amount;
}

function lineageOf(tenant: Tenant, id: string): Lineage {
  let lineage = tenant.lineages.get(id);
  if (lineage === undefined)
    tenant.lineages.set(id, (lineage = { calls: 0, toolsUsed: new Set(), previousTool: null, integrity: "trusted", dataClasses: new Set() }));
  return lineage;
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
