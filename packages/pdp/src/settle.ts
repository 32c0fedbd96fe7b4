import type { CallKey, Outcome, OutcomeStatus, Redemption, Refusal, Settlement } from "@ambit/core";
import { clock } from "./clock.ts";
import { leafOf, type Chain } from "./envelopes/chain.ts";
import { openChain, recogniseChain } from "./envelopes/open.ts";
import { orRefuse, refusalOf, Refused } from "./refusal.ts";
import type { Setting } from "./setting.ts";
import { checkEnvelope } from "./steps/envelope.ts";
import { isLabels } from "./steps/facts.ts";
import { noteExceeded } from "./steps/exceeded.ts";
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
): Promise<{ readonly redeemed: true; readonly receipt: string } | { readonly redeemed: false; readonly refusal: Refusal }> {
  try {
    const chain = await openChain(setting, request.presentation);
    await checkEnvelope(setting, chain, request.agent);
    const now = clock(setting);
    const call = callOf(chain, request);
    // Before the grant is spent: without it nobody could say how the call ended.
    const receipt = await orRefuse("commit", "state_unavailable", "the grant cannot be redeemed", () => setting.receipts.of(call, request.grantId));
    const answer = await orRefuse("commit", "state_unavailable", "the grant cannot be redeemed", () =>
      setting.state.redeem(call, request.grantId, request.callDigest, now),
    );
    if (answer === "redeemed") return { redeemed: true, receipt };
    const [code, message] = REDEMPTION_CODES[answer] ?? REDEMPTION_CODES.unknown;
    throw new Refused("commit", code, message);
  } catch (error) {
    return { redeemed: false, refusal: refusalOf(error, "commit", "grant_invalid", "the grant cannot be redeemed") };
  }
}

/** INVARIANT I11: an envelope redeems and settles its own calls only. */
function callOf(chain: Chain, { callId }: { readonly callId: string }): CallKey {
  const { id: envelopeId, envelope } = leafOf(chain);
  return { tenantId: envelope.tenantId, envelopeId, callId };
}

/** What each ending does with what was reserved, and whether the model saw anything of the tool's answer. */
const SETTLEMENTS: { readonly [status in OutcomeStatus]: Pick<Settlement, "action" | "observed"> } = {
  done: { action: "commit", observed: true },
  failed: { action: "release", observed: true },
  unknown: { action: "keep", observed: true },
  // It has ended, and nobody can look into its answer.
  withheld: { action: "commit", observed: false },
  not_run: { action: "cancel", observed: false },
  paused: { action: "pause", observed: true },
};

const UNDO = { action: "undo", observed: false } as const;

/** What an enforcement point says was used, by unit. */
function usedBy({ records, money }: Outcome): Settlement["used"] {
  return { ...(records === undefined ? {} : { records }), ...(money === undefined ? {} : { [`money/${money.currency}`]: money.amount }) };
}

/** Settles what was reserved and records how the call ended. Rejects when it cannot: the enforcement point then withholds the answer. */
export async function settle(setting: Setting, outcome: Outcome): Promise<{ readonly recorded: true }> {
  const chain = await recogniseChain(setting, outcome.presentation);
  const usual = Object.hasOwn(SETTLEMENTS, outcome.status) ? SETTLEMENTS[outcome.status] : undefined;
  const rule = outcome.status === "not_run" && outcome.redeemed === true ? UNDO : usual;
  if (rule === undefined) throw new Refused("envelope", "envelope_malformed", "there is nothing to settle");
  const { decisionId, grantId } = outcome;
  const call = callOf(chain, outcome);
  // INVARIANT I6: whoever asked may give up a grant that nobody redeemed; how a call ended, only who redeemed it can say.
  if (rule.action !== "cancel" && outcome.receipt !== (await setting.receipts.of(call, grantId)))
    throw new Refused("commit", "grant_replayed", "the call is another one's to settle");
  const used = usedBy(outcome);
  const settled = await setting.state.settle({ ...call, decisionId, grantId, used, ...rule });
  // INVARIANT I11: an outcome without a call, or a second one, is no outcome.
  if (settled === undefined) throw new Refused("commit", "grant_replayed", "there is no such call, or it is settled already");
  const labels: unknown = settled?.labels;
  if (!isLabels(labels)) throw new Refused("commit", "state_unavailable", "what the call read cannot be told");
  await record(setting, "outcome", partyOf(chain, outcome.agent), decisionId, {
    call_id: outcome.callId,
    status: outcome.status,
    records: outcome.records,
    money: outcome.money,
    exceeded: noteExceeded(setting, rule.action === "commit" ? used : {}, settled.reserved),
    result_digest: outcome.resultDigest,
    ...(outcome.credential === undefined
      ? {}
      : { credential: { connector: outcome.credential.connector, over_privileged: outcome.credential.overPrivileged } }),
    integrity: labels.integrity,
    data_classes: labels.dataClasses,
  });
  return { recorded: true };
}
