import type { JsonObject } from "@ambit/core";
import type { BudgetLeft } from "../approvals/approval.ts";
import { clock } from "../clock.ts";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { reservationsOf } from "./reservations.ts";

/**
 * What a call would take of its budgets, and what would be left. Reserves nothing, and decides nothing: what is too little now may be enough when there is an answer, and a call that goes on after a pause has
 * what it needs. Refuses what `reservationsOf` refuses: nobody is to be asked about it.
 */
export async function budgetLeft(setting: Setting, chain: Chain, tool: ToolEntry, args: JsonObject): Promise<readonly BudgetLeft[]> {
  const { tenantId } = leafOf(chain).envelope;
  const reservations = reservationsOf(setting, chain, tool, args);
  const ids = [...new Set(reservations.flatMap(({ accounts }) => accounts.map(({ id }) => id)))];
  if (ids.length === 0) return [];
  const answer: unknown = await orRefuse("approval", "state_unavailable", UNTOLD, () => setting.state.spent(tenantId, ids, clock(setting)));
  // INVARIANT I8: figures that are none are no figures.
  if (!Array.isArray(answer) || answer.length !== ids.length || !answer.every((spent) => Number.isSafeInteger(spent) && spent >= 0))
    throw new Refused("approval", "state_unavailable", UNTOLD);
  const spent = new Map(ids.map((id, index) => [id, answer[index] as number]));
  return reservations.map(({ unit, want, atLeast, accounts }) => {
    const remaining = Math.min(...accounts.map(({ id, limit }) => limit - (spent.get(id) ?? 0)));
    const takes = Math.max(atLeast, Math.min(want, remaining));
    return { unit, takes, left: remaining - takes };
  });
}

const UNTOLD = "what is left of the budgets cannot be told";
