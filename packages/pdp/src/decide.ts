import { callDigest, randomText, saltedDigestOf, type AccessRequest, type Committed, type Decision, type Obligation, type Refusal } from "@ambit/core";
import { leafOf, type Chain } from "./envelopes/chain.ts";
import type { ToolEntry } from "./manifest/manifest.ts";
import { policiesIn, refusalDetails, refusalOf, Refused } from "./refusal.ts";
import type { Setting } from "./setting.ts";
import { checkApproval } from "./steps/approval.ts";
import { commit } from "./steps/commit.ts";
import { checkConstraints, type ResultObligation } from "./steps/constraint.ts";
import { openCall, recogniseChain } from "./envelopes/open.ts";
import { letIn } from "./lifecycle/introduce.ts";
import { checkEnvelope } from "./steps/envelope.ts";
import { factsOf } from "./steps/facts.ts";
import { checkIntent } from "./steps/intent.ts";
import { partyOf, record } from "./steps/log.ts";
import { recordRefusal } from "./steps/refusal-record.ts";
import { callQuestion, checkPolicy, dataClassesOf } from "./steps/policy.ts";
import { checkTool } from "./steps/tool.ts";

/** What is known of a call so far; grows step by step, so that a record can say how far it came. */
interface Progress {
  readonly id: string;
  readonly request: AccessRequest;
  chain?: Chain;
  tool?: ToolEntry;
  policies?: readonly string[];
  obligations: readonly ResultObligation[];
  committed?: Committed;
  isRepeated?: boolean;
}

/**
 * The decision point's half of the one path: seven steps, in their order, cheap and local first, side effects last.
 * INVARIANT I1: `decision: true` is built in one place, after every step. Never throws.
 */
export async function decide(setting: Setting, request: AccessRequest): Promise<Decision> {
  const progress: Progress = { id: `dec_${randomText()}`, request, obligations: [] };
  try {
    await judge(setting, progress);
  } catch (error) {
    progress.policies ??= policiesIn(error) ?? [];
    return refuse(setting, progress, refusalOf(error, "call", "pdp_unavailable", "the decision could not be taken"));
  }
  try {
    await recordPermit(setting, progress);
  } catch (error) {
    return denial(progress.id, refusalOf(error, "log", "log_unavailable", "the decision could not be recorded"));
  }
  const { committed, tool } = progress;
  if (committed === undefined || tool === undefined) return denial(progress.id, new Refused("commit", "state_unavailable", "nothing was reserved").refusal);
  return { decision: true, context: { id: committed.decisionId, grant: committed.grant, obligations: obligationsOf(progress.obligations, tool, committed) } };
}

/**
 * INVARIANT I11: whoever releases a grant has it on the record. A repetition waits for the record of the decision that it repeats, where that was taken here; where another process took it, nobody
 * here knows whether it is durable, so it is recorded as a repetition. When a record fails, what was reserved goes back before anybody hears of it.
 */
async function recordPermit(setting: Setting, progress: Progress): Promise<void> {
  const { committed, isRepeated = false, request } = progress;
  if (committed === undefined) return;
  const { decisionId } = committed;
  const known = setting.recorded.get(decisionId);
  if (isRepeated && known !== undefined) return known;
  const details = detailsOf(setting, progress, { decision: "permit", ...(isRepeated ? { repeats: decisionId } : {}) });
  const recorded = record(setting, "decision", partyOf(progress.chain, request.context.agent), progress.id, details).catch(async (error: unknown) => {
    setting.recorded.delete(decisionId);
    if (!isRepeated) await release(setting, progress);
    throw error;
  });
  setting.recorded.set(decisionId, recorded);
  await recorded;
}

async function judge(setting: Setting, progress: Progress): Promise<void> {
  const { context, subject, action } = progress.request;
  const { chain, once } = await openOwnCall(setting, progress);
  await checkEnvelope(setting, chain, context.agent);
  await letIn(setting, chain, [], context.mode);
  const { envelope } = leafOf(chain);
  if (subject.type !== "user" || subject.id !== envelope.delegatorId)
    throw new Refused("envelope", "holder_mismatch", "the request names another delegator than the envelope");
  // INVARIANT I4: a digest is what it is of, or the same call would be another one.
  if (context.call_digest !== callDigest(action.name, action.properties?.server, context.arguments))
    throw new Refused("call", "argument_not_allowed", "the digest of the call is that of another one");
  if (context.refusal !== undefined) throw new Refused("call", context.refusal.code, context.refusal.message);
  const tool = (progress.tool = checkTool(setting, action));
  const constrained = checkConstraints(setting, chain, tool, context.arguments);
  progress.obligations = [...constrained, ...checkIntent(setting, chain, tool)];
  const facts = await factsOf(setting, envelope.tenantId, chain.lineage);
  progress.policies = await checkPolicy(setting, chain, facts, callQuestion(tool, context.arguments));
  const approved = await checkApproval(setting, chain, tool, progress.request);
  const committed = await commit(setting, {
    chain,
    tool,
    arguments: context.arguments,
    obligations: progress.obligations,
    callId: context.call_id,
    callDigest: context.call_digest,
    decisionId: progress.id,
    grantId: `grant_${randomText()}`,
    once: [...once, ...approved.once],
    approvals: new Set(approved.once.map(({ key }) => key)),
    onApprovalUsed: approved.askAgain,
  });
  progress.committed = committed;
  progress.isRepeated = committed.status === "repeated";
}

/** Whom the record of a refusal is about is known, too: whose envelope it was that somebody could not use. */
async function openOwnCall(setting: Setting, progress: Progress): ReturnType<typeof openCall> {
  const { request } = progress;
  try {
    const opened = await openCall(setting, request);
    progress.chain = opened.chain;
    return opened;
  } catch (error) {
    const chain = await recogniseChain(setting, request.context.presentation).catch(() => undefined);
    if (chain !== undefined) progress.chain = chain;
    throw error;
  }
}

function obligationsOf(results: readonly ResultObligation[], tool: ToolEntry, { reserved }: Committed): readonly Obligation[] {
  const { records } = tool;
  const most = reserved["records"];
  const limit: readonly Obligation[] =
    most === undefined || records === undefined || records === "none"
      ? []
      : [{ id: "records", type: "limit_records", properties: { pointer: records.result, max: most } }];
  return [
    ...results,
    ...limit,
    ...moneyReport(tool, reserved),
    { id: "labels", type: "label_output", properties: { integrity: tool.output, data_classes: dataClassesOf(tool, results) } },
  ];
}

/** What was really spent is told where the manifest says where it stands, and only where any of it was reserved. */
function moneyReport({ money }: ToolEntry, reserved: Committed["reserved"]): readonly Obligation[] {
  const pointer = money === "none" ? undefined : money?.result;
  const currency = Object.keys(reserved).flatMap((unit) => (unit.split("/")[0] === "money" ? [unit.slice("money/".length)] : []))[0];
  return pointer === undefined || currency === undefined ? [] : [{ id: "money", type: "report_money", properties: { pointer, currency } }];
}

async function refuse(setting: Setting, progress: Progress, refusal: Refusal): Promise<Decision> {
  const { chain, request, id } = progress;
  try {
    const [party, details] = [partyOf(chain, request.context.agent), detailsOf(setting, progress, refusalDetails(refusal))];
    // Without an envelope anybody can ask anything.
    await (chain === undefined ? recordRefusal : record)(setting, "decision", party, id, details);
  } catch {
    return denial(id, refusal); // a deny stays the deny that it is, recorded or not
  }
  return denial(progress.id, refusal);
}

function denial(id: string, refusal: Refusal): Decision {
  return { decision: false, context: { id, refusal } };
}

/** INVARIANT I11: no grant without a durable record, so what was reserved for it goes back. */
async function release(setting: Setting, { chain, request, id, committed }: Progress): Promise<void> {
  if (chain === undefined || committed === undefined) return;
  const { id: envelopeId, envelope } = leafOf(chain);
  const call = { tenantId: envelope.tenantId, envelopeId, callId: request.context.call_id, decisionId: id, grantId: committed.grant.id };
  await setting.state.settle({ ...call, action: "cancel", used: {}, observed: false }).catch(() => undefined);
}

/**
 * INVARIANT I10: names, digests and figures; the arguments themselves only as a digest whose salt is kept nowhere, so that no guess of them can be tried against
 * the log.
 */
function detailsOf(setting: Setting, progress: Progress, verdict: object): object {
  const { request, tool, policies, committed } = progress;
  // In the order in which a record has them, which then need not be found.
  return {
    arguments_digest: saltedDigestOf(request.context.arguments, randomText()),
    call_id: request.context.call_id,
    data_classes: tool === undefined ? undefined : dataClassesOf(tool, progress.obligations),
    ...verdict,
    effect: tool?.effect,
    mode: request.context.mode,
    policies,
    policy_digest: setting.engine.digest,
    reserved: committed?.reserved,
    server: request.action.properties?.server,
    tool: (tool ?? setting.manifest.resolve(request.action.name, request.action.properties?.server)?.entry)?.id ?? request.action.name.slice(0, 256),
  };
}
