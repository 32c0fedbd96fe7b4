import type { EndRequest, Outcome, OutcomeStatus, Redemption, Refusal, Settlement } from "@ambit/core";
import { leafOf } from "./envelope-store.ts";
import { orRefuse, refusalOf, Refused } from "./refusal.ts";
import type { Setting } from "./setting.ts";
import { checkEnvelope, openEnvelope } from "./steps/envelope.ts";
import { partyOf, record } from "./steps/log.ts";

const REDEMPTION_CODES = {
  replayed: ["grant_replayed", "this call has run already"],
  expired: ["grant_invalid", "the grant was not used in time"],
  unknown: ["grant_invalid", "the grant is not for this call"],
} as const;

/** Spends a grant, after a last look at expiry and revocation (I5, I7). */
export async function redeem(
  setting: Setting,
  request: Redemption,
): Promise<{ readonly redeemed: true } | { readonly redeemed: false; readonly refusal: Refusal }> {
  try {
    const chain = openEnvelope(setting, request.presentation);
    await checkEnvelope(setting, chain, request.agent);
    const { tenantId } = leafOf(chain).envelope;
    const answer = await orRefuse("commit", "state_unavailable", "the grant cannot be redeemed", () =>
      setting.state.redeem({ tenantId, callId: request.callId }, request.grantId, request.callDigest, setting.now()),
    );
    if (answer === "redeemed") return { redeemed: true };
    const [code, message] = REDEMPTION_CODES[answer] ?? REDEMPTION_CODES.unknown;
    throw new Refused("commit", code, message);
  } catch (error) {
    return { redeemed: false, refusal: refusalOf(error, "commit", "grant_invalid", "the grant cannot be redeemed") };
  }
}

/** What each ending does with what was reserved, and whether the model saw anything of the tool's answer. */
const SETTLEMENTS: { readonly [status in OutcomeStatus]: Pick<Settlement, "action" | "observed"> } = {
  done: { action: "commit", observed: true },
  failed: { action: "release", observed: true },
  unknown: { action: "keep", observed: true },
  withheld: { action: "keep", observed: false },
  not_run: { action: "cancel", observed: false },
};

/** Settles what was reserved and records how the call ended. Rejects when it cannot: the enforcement point then withholds the answer. */
export async function settle(setting: Setting, outcome: Outcome): Promise<{ readonly recorded: true }> {
  const chain = setting.envelopes.open(outcome.presentation);
  const rule = Object.hasOwn(SETTLEMENTS, outcome.status) ? SETTLEMENTS[outcome.status] : undefined;
  if (chain === undefined || rule === undefined) throw new Refused("envelope", "envelope_malformed", "there is nothing to settle");
  const { tenantId } = leafOf(chain).envelope;
  const used = outcome.records === undefined ? {} : { records: outcome.records };
  const labels = await setting.state.settle({ tenantId, callId: outcome.callId, used, ...rule });
  // INVARIANT I11: an outcome without a call, or a second one, is no outcome.
  if (labels === undefined) throw new Refused("commit", "grant_replayed", "the call is settled already");
  await record(setting, "outcome", partyOf(chain, outcome.agent), outcome.decisionId, {
    call_id: outcome.callId,
    status: outcome.status,
    records: outcome.records,
    result_digest: outcome.resultDigest,
    integrity: labels.integrity,
    data_classes: labels.dataClasses,
  });
  return { recorded: true };
}

/** Revokes an envelope and with it everything derived from it. Recorded, never refused; ending what is not there is nothing. */
export async function end(setting: Setting, request: EndRequest): Promise<{ readonly ended: true }> {
  const chain = setting.envelopes.open(request.presentation);
  if (chain === undefined) return { ended: true };
  const { id, envelope } = leafOf(chain);
  const already = await setting.state.revokedAt(envelope.tenantId, [`envelope:${id}`]);
  await setting.state.revoke(envelope.tenantId, [`envelope:${id}`], setting.now());
  if (already === undefined) await record(setting, "end", partyOf(chain, request.agent), `end_${id}`, {});
  return { ended: true };
}
