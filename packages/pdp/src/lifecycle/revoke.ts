import { isIdentifier, randomText } from "@ambit/core";
import { AmbitError } from "@ambit/core";
import { clock } from "../clock.ts";
import type { Setting } from "../setting.ts";
import { LONGEST_LIFE } from "../envelopes/chain.ts";
import { orRefuse } from "../refusal.ts";
import { record } from "../steps/log.ts";

/** What a person stops: everything that was given out so far for one of these. */
export interface Revocation {
  readonly tenantId: string;
  /** `task` is the task with all its parts; `agent` whatever is held by it or derived from that; `tenant` needs no `id`. */
  readonly scope: "envelope" | "task" | "session" | "agent" | "delegator" | "tenant";
  readonly id?: string | undefined;
  /** Who says so, for the record. */
  readonly by: string;
  readonly reason?: string | undefined;
}

/** Milliseconds by which the clocks of decision points may differ; what is given out within them after a revocation counts as from before it. */
export const CLOCK_SKEW = 5000;

const SCOPES: readonly Revocation["scope"][] = ["envelope", "task", "session", "agent", "delegator", "tenant"];

/**
 * Revokes what was given out until now, and for as long as clocks may differ (5 seconds), for one scope, with everything derived from it; what is begun afterwards is not concerned. A signed envelope says its time in
 * whole seconds, so one of the very second of the revocation counts as from before it.
 *
 * The next question is refused (`envelope_revoked`), also the redemption of a grant that was given before. Throws `option_invalid` for a scope that is none,
 * `state_unavailable` and `log_unavailable` when it cannot be done or recorded; done and not recorded, it stays done.
 */
export async function revoke(setting: Setting, { tenantId, scope, id, by, reason }: Revocation): Promise<void> {
  const isNamed = scope === "tenant" ? id === undefined : isIdentifier(id);
  if (!isIdentifier(tenantId) || !isIdentifier(by) || !SCOPES.includes(scope) || !isNamed)
    throw new AmbitError("option_invalid", "a revocation names its tenant, a scope, the id of the scope (none for `tenant`) and who says so");
  const now = clock(setting);
  // INVARIANT I7: whose clock is ahead may have given something out that says so.
  await orRefuse("commit", "state_unavailable", "it could not be revoked", () =>
    setting.state.revoke(tenantId, [scope === "tenant" ? scope : `${scope}:${id}`], now + CLOCK_SKEW, now + CLOCK_SKEW + LONGEST_LIFE),
  );
  const party = {
    tenant: tenantId,
    task: scope === "task" ? (id as string) : "any",
    lineage: "any",
    envelope: scope === "envelope" ? (id as string) : "any",
    agent: scope === "agent" ? (id as string) : "any",
  };
  await record(setting, "revoke", party, `rev_${randomText()}`, { scope, id, by, reason });
}

/** Whoever leaves leaves with everything that was given out on their behalf. */
export function revokeLeaver(setting: Setting, tenantId: string, id: string): Promise<void> {
  return revoke(setting, { tenantId, scope: "delegator", id, by: "directory", reason: "the user was removed" });
}
