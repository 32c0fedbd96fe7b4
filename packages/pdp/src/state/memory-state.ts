import type { StateStore } from "@ambit/core";
import { checkLimit } from "./documents.ts";
import { addLabels, commitCall, factsOf, newRows, redeemCall, settleCall, spentOn, type Rows } from "./ledger.ts";
import { KEEP_UNSETTLED, reconcileCall, UNSETTLED, unsettledIn } from "./unsettled.ts";

/** One tenant's state: nothing in it can be reached with another tenant's key (I12). */
export interface Tenant {
  readonly rows: Rows;
  /** Times until which they have to be remembered, by envelope. */
  readonly admitted: Map<string, number>;
  readonly revoked: Map<string, { readonly at: number; readonly keepUntil: number }>;
}

/**
 * State of one process, gone when it ends. Every method does its work before it returns to the event loop, so each is a transaction. Who only asks leaves nothing
 * behind: tenants that nobody has would fill the memory.
 */
export function createMemoryState(tenants: Map<string, Tenant> = new Map()): StateStore {
  const tenantOf = (id: string): Tenant => {
    let tenant = tenants.get(id);
    if (tenant === undefined) tenants.set(id, (tenant = newTenant()));
    return tenant;
  };

  const known = (id: string): Tenant => tenants.get(id) ?? newTenant();

  return {
    commit: async (commit) => commitCall(tenantOf(commit.tenantId).rows, commit),
    redeem: async (key, grantId, callDigest, now) => redeemCall(known(key.tenantId).rows, key, grantId, callDigest, now),
    settle: async (settlement) => settleCall(known(settlement.tenantId).rows, settlement),
    unsettled: async (tenantId, after, limit) => {
      checkLimit(limit);
      return unsettledIn(known(tenantId).rows, after, limit);
    },
    reconcile: async (reconciliation) => reconcileCall(known(reconciliation.tenantId).rows, reconciliation),
    facts: async (tenantId, lineage) => factsOf(known(tenantId).rows.lineages.get(lineage)),
    spent: async (tenantId, accountIds, now) => spentOn(known(tenantId).rows, accountIds, now),
    label: async (tenantId, lineage, labels, keepUntil) => addLabels(tenantOf(tenantId).rows, lineage, labels, keepUntil),
    admit: async (tenantId, envelopeId, keepUntil) => {
      const { admitted } = tenantOf(tenantId);
      const isFirst = !admitted.has(envelopeId);
      if (isFirst) admitted.set(envelopeId, keepUntil);
      return isFirst;
    },
    admitted: async (tenantId, envelopeIds) => envelopeIds.map((id) => tenants.get(tenantId)?.admitted.has(id) ?? false),
    revoke: async (tenantId, scopes, at, keepUntil) => {
      const { revoked } = tenantOf(tenantId);
      for (const scope of scopes) {
        const earlier = revoked.get(scope) ?? { at, keepUntil };
        revoked.set(scope, { at: Math.max(at, earlier.at), keepUntil: Math.max(keepUntil, earlier.keepUntil) });
      }
    },
    revokedAt: async (tenantId, scopes) => scopes.map((scope) => tenants.get(tenantId)?.revoked.get(scope)?.at ?? null),
    sweep: async (now) => {
      for (const [id, tenant] of tenants) {
        sweepTenant(tenant, now);
        if (isEmpty(tenant)) tenants.delete(id);
      }
    },
  };
}

function newTenant(): Tenant {
  return { rows: newRows(), admitted: new Map(), revoked: new Map() };
}

function isEmpty({ rows, admitted, revoked }: Tenant): boolean {
  return [rows.calls, rows.accounts, rows.lineages, rows.once, admitted, revoked].every(({ size }) => size === 0);
}

function sweepTenant({ rows, admitted, revoked }: Tenant, now: number): void {
  for (const times of [rows.once, admitted]) for (const [key, until] of times) if (until < now) times.delete(key);
  for (const [scope, { keepUntil }] of revoked) if (keepUntil < now) revoked.delete(scope);
  const waiting = new Set([...rows.calls.values()].flatMap(({ phase, lineage }) => (UNSETTLED.includes(phase) ? [lineage] : [])));
  for (const [id, { keepUntil }] of rows.lineages) if (keepUntil < now - (waiting.has(id) ? KEEP_UNSETTLED : 0)) rows.lineages.delete(id);
  for (const [id, { lineage, keepUntil }] of rows.accounts) if (keepUntil < now && !rows.lineages.has(lineage)) rows.accounts.delete(id);
  for (const [key, { lineage }] of rows.calls) if (!rows.lineages.has(lineage)) rows.calls.delete(key);
}
