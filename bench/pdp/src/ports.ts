import type { StateStore } from "@ambit/core";
import { createMemoryLog, type DecisionLog } from "@ambit/core/audit";
import { createMemoryState } from "@ambit/pdp";

/** State and log in memory that can start anew, so that a run of a million calls measures the same as its first thousand. */
export interface Ports {
  readonly state: StateStore;
  readonly log: DecisionLog;
  readonly forgetLog: () => void;
  readonly forget: () => void;
}

export function createPorts(): Ports {
  let [state, log] = [createMemoryState(), createMemoryLog()];
  const forgetLog = (): void => void (log = createMemoryLog());
  return {
    state: {
      commit: (commit) => state.commit(commit),
      redeem: (key, grantId, callDigest, now) => state.redeem(key, grantId, callDigest, now),
      settle: (settlement) => state.settle(settlement),
      unsettled: (tenantId, after, limit) => state.unsettled(tenantId, after, limit),
      reconcile: (reconciliation) => state.reconcile(reconciliation),
      facts: (tenantId, lineage) => state.facts(tenantId, lineage),
      spent: (tenantId, accountIds, now) => state.spent(tenantId, accountIds, now),
      label: (tenantId, lineage, labels, keepUntil) => state.label(tenantId, lineage, labels, keepUntil),
      admit: (tenantId, envelopeId, keepUntil) => state.admit(tenantId, envelopeId, keepUntil),
      admitted: (tenantId, envelopeIds) => state.admitted(tenantId, envelopeIds),
      revoke: (tenantId, scopes, at, keepUntil) => state.revoke(tenantId, scopes, at, keepUntil),
      revokedAt: (tenantId, scopes) => state.revokedAt(tenantId, scopes),
      sweep: (now) => state.sweep(now),
    },
    log: { append: (body) => log.append(body) },
    forgetLog,
    forget: () => {
      state = createMemoryState();
      forgetLog();
    },
  };
}
