import { randomText, type Introduction, type IssueAnswer } from "@ambit/core";
import { decideRoot, rootDetails } from "./root.ts";
import { keepUntil, leafOf, type Chain, type ChainLink } from "../envelopes/chain.ts";
import { childDetails, decideChild } from "./child.ts";
import { orRefuse, Recorded, recordedAs, refusalDetails, refusalOf, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { checkEnvelope } from "../steps/envelope.ts";
import { partyOf, record } from "../steps/log.ts";
import { recordRefusal } from "../steps/refusal-record.ts";

type Excerpts = Introduction["excerpts"];

/** Answers what was decided of a signed chain, and decides what is new of it. */
export async function introduce(setting: Setting, request: Introduction): Promise<IssueAnswer> {
  let chain: Chain | undefined;
  try {
    if (setting.signed === undefined)
      throw new Refused("envelope", "envelope_malformed", "signed envelopes are not taken here", "configure `signing` or `anchors`");
    chain = await setting.signed.open(request.chain);
    const leaf = leafOf(chain);
    await checkEnvelope(setting, chain, leaf.envelope.agentId);
    await letIn(setting, chain, request.excerpts, request.mode);
    const holding = { kind: "chain", chain: request.chain } as const;
    const issued = { envelopeId: leaf.id, lineage: chain.lineage, depth: chain.links.length - 1, envelope: leaf.envelope, holding };
    return { decision: true, id: introductionOf(leaf), issued };
  } catch (error) {
    const refusal = refusalOf(error, "envelope", "pdp_unavailable", "the envelope could not be decided");
    // What a step refused is on the record already; of what no step was asked about, there is nothing to say but that.
    const recorded = recordedAs(error);
    const id = recorded ?? `dec_${randomText()}`;
    if (recorded === undefined)
      await recordRefusal(setting, "hand_off", partyOf(chain, request.agent), id, {
        ...refusalDetails(refusal),
        policy_digest: setting.engine.digest,
        mode: request.mode,
      });
    return { decision: false, id, refusal };
  }
}

/**
 * Decides what is new of a signed chain, from the root down: its beginning, and each hand-off. What was let in once is in; a refusal of one is a refusal
 * of all below it, and is decided anew the next time.
 */
export async function letIn(setting: Setting, chain: Chain, excerpts: Excerpts = [], mode?: Introduction["mode"]): Promise<void> {
  const leaf = leafOf(chain);
  if (chain.issuer === undefined || (setting.letIn.has(leaf) && excerpts.length === 0)) return;
  const { tenantId } = chain.links[0].envelope;
  const message = "it cannot be told whether the envelope was decided before";
  const ids = chain.links.map(({ id }) => id);
  const isIn: unknown = await orRefuse("envelope", "state_unavailable", message, () => setting.state.admitted(tenantId, ids));
  if (!Array.isArray(isIn) || isIn.length !== ids.length) throw new Refused("envelope", "state_unavailable", message);
  for (const [index, link] of chain.links.entries()) {
    // Own answers only: whatever is not `true` is decided.
    if (isIn[index] !== true) await onceAtATime(setting, link, () => decideLink(setting, prefixOf(chain, index), link === leaf ? excerpts : [], mode));
  }
  // What is given along is labelled when the envelope is let in, or not given.
  if (excerpts.length > 0 && isIn[ids.length - 1] === true)
    throw new Refused("envelope", "hand_off_denied", "the envelope was shown before; what is given along comes with the first showing");
  setting.letIn.add(leaf);
}

/** Twenty parallel calls under a new envelope are one hand-off. */
async function onceAtATime(setting: Setting, { id }: ChainLink, decide: () => Promise<void>): Promise<void> {
  const running = setting.introducing.get(id);
  if (running !== undefined) return running;
  const deciding = decide();
  setting.introducing.set(id, deciding);
  try {
    await deciding;
  } finally {
    setting.introducing.delete(id);
  }
}

/** INVARIANT I11: on the record before it is let in. */
async function decideLink(setting: Setting, chain: Chain, excerpts: Excerpts, mode: Introduction["mode"]): Promise<void> {
  const link = leafOf(chain);
  const { tenantId, agentId } = link.envelope;
  const parent = prefixOf(chain, chain.links.length - 2);
  const isRoot = chain.links.length === 1;
  const kind = isRoot ? "begin" : "hand_off";
  const about = isRoot ? chain : parent;
  const details = {
    policy_digest: setting.engine.digest,
    ...(isRoot
      ? { asserted_by: `issuer ${chain.issuer}`, ...rootDetails(link.envelope) }
      : { child_envelope: link.id, ...childDetails(parent, link.envelope, excerpts) }),
  };
  try {
    const decided = isRoot ? await decideRoot(setting, chain) : await decideChild(setting, parent, link.envelope, excerpts);
    await record(setting, kind, partyOf(about, agentId), introductionOf(link), { decision: "permit", mode, policies: decided.policies, ...details });
  } catch (error) {
    const refusal = refusalOf(error, "envelope", "pdp_unavailable", "the envelope could not be decided");
    const id = `dec_${randomText()}`;
    await recordRefusal(setting, kind, partyOf(about, agentId), id, { ...refusalDetails(refusal), mode, ...details });
    throw new Recorded(refusal, id);
  }
  const message = "the envelope could not be let in";
  const admitted: unknown = await orRefuse("envelope", "state_unavailable", message, () => setting.state.admit(tenantId, link.id, keepUntil(chain)));
  if (typeof admitted !== "boolean") throw new Refused("envelope", "state_unavailable", message);
}

/** The decision by which an envelope was let in is named after it, so that everybody who asks hears of the same. */
function introductionOf({ id }: ChainLink): string {
  return `dec_${id.slice("env_".length)}`;
}

function prefixOf(chain: Chain, last: number): Chain {
  return { ...chain, links: chain.links.slice(0, Math.max(1, last + 1)) as [ChainLink, ...ChainLink[]] };
}
