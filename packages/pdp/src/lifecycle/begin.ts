import {
  ACTS,
  renewalArgs,
  AmbitError,
  parseEnvelope,
  randomText,
  type BeginRequest,
  type Envelope,
  type Issued,
  type IssueAnswer,
  type JsonObject,
  type RefusalCode,
} from "@ambit/core";
import { publicKey, type PublicKey } from "@ambit/core/token";
import { clock } from "../clock.ts";
import { leafOf, LONGEST_LIFE, purposeScope, REMEMBER_EXPIRED, type Chain } from "../envelopes/chain.ts";
import { openAct } from "../envelopes/open.ts";
import { orRefuse, refusalDetails, refusalOf, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { checkEnvelope, checkRevocation } from "../steps/envelope.ts";
import { record, type Party } from "../steps/log.ts";
import { recordRefusal } from "../steps/refusal-record.ts";
import { checkDelegator } from "./delegator.ts";
import { letIn } from "./introduce.ts";
import { CLOCK_SKEW } from "./revoke.ts";
import { decideRoot, rootDetails } from "./root.ts";

/**
 * Decides the beginning of a task, or that it goes on. Refuses what no call could ever be permitted under, with the reason a person can act on: an envelope that is
 * malformed or has expired, an unregistered agent or key, a purpose or a tool that nobody knows, a delegator who is not who the proof says.
 */
export async function begin(setting: Setting, request: BeginRequest): Promise<IssueAnswer> {
  const id = `dec_${randomText()}`;
  let envelope: Envelope | undefined;
  let issued: Issued | undefined;
  try {
    envelope = readEnvelope(setting, request);
    const assertedBy = await checkDelegator(setting, request, envelope);
    const now = clock(setting);
    const earlier = await openEarlier(setting, request, envelope);
    const lineage = earlier?.lineage;
    const chain: Chain = { lineage: lineage ?? id, links: [{ id, envelope, issuedAt: now }] };
    const { policies, details } = await decideRoot(setting, chain, earlier && leafOf(earlier).envelope);
    // INVARIANT I6: what was spent and read is remembered for as long as the new root lives; before it is there.
    const { tenantId, expiresAt } = envelope;
    if (lineage !== undefined)
      await orRefuse("commit", "state_unavailable", "the task could not be renewed", () =>
        setting.state.label(tenantId, lineage, { integrity: "trusted", dataClasses: [] }, expiresAt + REMEMBER_EXPIRED),
      );
    issued = await issueRoot(setting, envelope, request, now, lineage);
    const isReplaced = earlier !== undefined && leafOf(earlier).envelope.purpose !== envelope.purpose;
    if (isReplaced) await revokePurpose(setting, earlier);
    if (earlier !== undefined) await checkStill(setting, earlier, issued, isReplaced, now);
    const party: Party = { tenant: envelope.tenantId, task: envelope.taskId, lineage: issued.lineage, envelope: issued.envelopeId, agent: envelope.agentId };
    await record(setting, "begin", party, id, {
      decision: "permit",
      mode: request.mode,
      asserted_by: assertedBy,
      policies,
      policy_digest: setting.engine.digest,
      ...details,
      ...(earlier === undefined ? {} : { continues: leafOf(earlier).id, replaces: isReplaced }),
    });
    return { decision: true, id, issued };
  } catch (error) {
    const refusal = refusalOf(error, "envelope", "pdp_unavailable", "the task could not be begun");
    const party: Party = {
      tenant: envelope?.tenantId ?? "unknown",
      task: envelope?.taskId ?? "unknown",
      lineage: "none",
      envelope: "none",
      agent: String(request.agent).slice(0, 256),
    };
    const details = {
      ...refusalDetails(refusal),
      policy_digest: setting.engine.digest,
      mode: request.mode,
      ...(envelope === undefined ? {} : rootDetails(envelope)),
    };
    setting.handles.drop(issued);
    await recordRefusal(setting, "begin", party, id, details);
    return { decision: false, id, refusal };
  }
}

/** A signed chain for whoever has a key, a handle for the others. */
async function issueRoot(setting: Setting, envelope: Envelope, { holder }: BeginRequest, now: number, lineage: string | undefined): Promise<Issued> {
  if (holder === undefined) return setting.handles.issueRoot(envelope, now, lineage);
  if (setting.signed === undefined) throw new Refused("envelope", "envelope_malformed", "no envelopes are signed here", "configure `signing`");
  const issued = await setting.signed.issueRoot(envelope, readKey(holder), now, lineage);
  await orRefuse("envelope", "state_unavailable", "the envelope could not be let in", () =>
    setting.state.admit(envelope.tenantId, issued.envelopeId, envelope.expiresAt + REMEMBER_EXPIRED),
  );
  return issued;
}

function readKey(holder: BeginRequest["holder"]): PublicKey {
  try {
    return publicKey(holder as unknown as JsonObject);
  } catch (error) {
    throw new Refused("envelope", "holder_mismatch", AmbitError.isInstance(error) ? error.message : "the key cannot be read");
  }
}

/** The envelope that a task goes on from. It is the root of its lineage, of the same task and for the same people, and its holder asks. */
async function openEarlier(setting: Setting, { continues, envelope: wire, agent, holder }: BeginRequest, envelope: Envelope): Promise<Chain | undefined> {
  if (continues === undefined) return undefined;
  const { chain, by } = await openAct(setting, continues, () => ({ name: ACTS.renew, args: renewalArgs(wire, holder) }));
  await checkEnvelope(setting, chain, agent);
  if ((chain.issuer === undefined) !== (holder === undefined))
    throw new Refused("envelope", "holder_mismatch", "a signed envelope goes on as a signed one, and a handle as a handle");
  if (by !== "leaf" || chain.links.length !== 1)
    throw new Refused("envelope", "hand_off_denied", "only the first envelope of a lineage can be renewed, by its holder; ask whoever handed this one on");
  const { envelope: from } = leafOf(chain);
  const other = (["tenantId", "delegatorId", "sessionId", "taskId", "agentId"] as const).find((member) => from[member] !== envelope[member]);
  if (other !== undefined) throw new Refused("envelope", "not_narrower", `a task goes on with the same \`${other}\`, or is another one`);
  await letIn(setting, chain);
  return chain;
}

/**
 * INVARIANT I7: what was allowed for the old purpose is not there for the new one, whichever of the envelopes for it the task goes on from. Clocks may differ, as for
 * every revocation; so nothing goes back to a purpose within 5 seconds.
 */
function revokePurpose(setting: Setting, earlier: Chain): Promise<void> {
  const at = Math.max(clock(setting), earlier.links[0].issuedAt) + CLOCK_SKEW;
  const { tenantId } = earlier.links[0].envelope;
  return orRefuse("commit", "state_unavailable", "the old purpose could not be revoked", () =>
    setting.state.revoke(tenantId, [purposeScope(earlier)], at, at + LONGEST_LIFE),
  );
}

/** What was stopped while the new envelope was made stays stopped: it is asked about again now that the new one is there. */
async function checkStill(setting: Setting, earlier: Chain, issued: Issued, isReplaced: boolean, issuedAt: number): Promise<void> {
  if (!isReplaced) await checkRevocation(setting, earlier);
  await checkRevocation(setting, { ...earlier, links: [{ id: issued.envelopeId, envelope: issued.envelope, issuedAt }] });
}

function readEnvelope(setting: Setting, request: BeginRequest): Envelope {
  let envelope: Envelope;
  try {
    envelope = parseEnvelope(request.envelope, setting.order.vocabulary, request.agent);
  } catch (error) {
    throw AmbitError.isInstance(error) ? new Refused("envelope", error.code as RefusalCode, error.message) : error;
  }
  if (envelope.agentId !== request.agent) throw new Refused("envelope", "holder_mismatch", "the envelope is for another agent than the one that begins");
  if (!setting.agents.has(envelope.agentId))
    throw new Refused("envelope", "agent_unknown", `the agent \`${envelope.agentId}\` is not registered`, "add it to the agents");
  const now = clock(setting);
  if (!(envelope.expiresAt > now))
    throw new Refused("envelope", "envelope_expired", `\`expires_at\` is in the past: ${new Date(envelope.expiresAt).toISOString()}`);
  if (!(envelope.expiresAt <= now + LONGEST_LIFE)) throw new Refused("envelope", "envelope_malformed", "an envelope lives 90 days at most");
  return envelope;
}
