import { AmbitError, attenuate, randomText, type Envelope, type HandOffRequest, type Issued, type IssueAnswer, type RefusalCode } from "@ambit/core";
import { clock } from "../clock.ts";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import { openChain } from "../envelopes/open.ts";
import { refusalDetails, refusalOf, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { checkEnvelope } from "../steps/envelope.ts";
import { partyOf, record } from "../steps/log.ts";
import { recordRefusal } from "../steps/refusal-record.ts";
import { childDetails, decideChild } from "./child.ts";

/**
 * Decides a hand-off behind a handle and gives out the child, exactly as asked for or not at all (`not_narrower`).
 * INVARIANT I2: the child is computed as a meet and then checked by the verifier's own rule. The child of a signed chain is derived by its holder.
 */
export async function handOff(setting: Setting, request: HandOffRequest): Promise<IssueAnswer> {
  const id = `dec_${randomText()}`;
  let parent: Chain | undefined;
  let child: Envelope | undefined;
  let issued: Issued | undefined;
  try {
    parent = await openHandle(setting, request);
    await checkEnvelope(setting, parent, request.agent);
    child = deriveChild(setting, parent, request);
    const { policies } = await decideChild(setting, parent, child, request.excerpts);
    issued = setting.handles.issueChild(parent, child, clock(setting));
    await record(setting, "hand_off", partyOf(parent, request.agent), id, {
      decision: "permit",
      mode: request.mode,
      policies,
      policy_digest: setting.engine.digest,
      child_envelope: issued.envelopeId,
      ...childDetails(parent, child, request.excerpts),
    });
    return { decision: true, id, issued };
  } catch (error) {
    const refusal = refusalOf(error, "envelope", "pdp_unavailable", "the hand-off could not be decided");
    const details = parent === undefined || child === undefined ? askedDetails(request, parent) : childDetails(parent, child, request.excerpts);
    setting.handles.drop(issued);
    await recordRefusal(setting, "hand_off", partyOf(parent, request.agent), id, {
      ...refusalDetails(refusal),
      policy_digest: setting.engine.digest,
      mode: request.mode,
      ...details,
    });
    return { decision: false, id, refusal };
  }
}

async function openHandle(setting: Setting, { parent }: HandOffRequest): Promise<Chain> {
  const chain = await openChain(setting, parent);
  if (chain.issuer === undefined) return chain;
  throw new Refused("envelope", "envelope_malformed", "the child of a signed envelope is signed by its holder, and shown");
}

function deriveChild(setting: Setting, parent: Chain, request: HandOffRequest): Envelope {
  const from = leafOf(parent).envelope;
  try {
    return attenuate(from, request.narrowing, setting.order, { exact: true }).envelope;
  } catch (error) {
    throw AmbitError.isInstance(error) ? new Refused("constraint", error.code as RefusalCode, error.message) : error;
  }
}

/** What was asked for, where it did not become a child. */
function askedDetails({ agent, narrowing, excerpts }: HandOffRequest, parent: Chain | undefined): object {
  return {
    from: parent === undefined ? agent : leafOf(parent).envelope.agentId,
    to: narrowing.agentId,
    parent_envelope: parent === undefined ? undefined : leafOf(parent).id,
    purpose: narrowing.purpose,
    allowed_tools: narrowing.allowedTools,
    excerpts: excerpts.map(({ label, dataClasses }) => ({ label, data_classes: dataClasses })),
  };
}
