import { AmbitError, parseEnvelope, randomText, type BeginRequest, type Envelope, type IssueAnswer, type RefusalCode } from "@ambit/core";
import { clock } from "./clock.ts";
import type { Chain } from "./envelope-store.ts";
import { entryToAdd } from "./manifest/parse-manifest.ts";
import { refusalOf, Refused } from "./refusal.ts";
import type { Setting } from "./setting.ts";
import { factsOf } from "./steps/facts.ts";
import { record, type Party } from "./steps/log.ts";
import { checkPolicy, type Question } from "./steps/policy.ts";

/**
 * Decides the beginning of a task. Refuses what no call could ever be permitted under, with the reason a person can act on: an envelope that is
 * malformed or has expired, an unregistered agent, a purpose or a tool that nobody knows.
 */
export async function begin(setting: Setting, request: BeginRequest): Promise<IssueAnswer> {
  const id = `dec_${randomText()}`;
  let envelope: Envelope | undefined;
  try {
    envelope = readEnvelope(setting, request);
    checkReach(setting, envelope);
    const now = clock(setting);
    const draft: Chain = { lineage: id, links: [{ id, envelope, issuedAt: now }] };
    const facts = await factsOf(setting, envelope.tenantId, id);
    const policies = await checkPolicy(setting, draft, facts, beginQuestion(envelope));
    const issued = setting.envelopes.issueRoot(envelope, now);
    const party: Party = { tenant: envelope.tenantId, task: envelope.taskId, lineage: issued.lineage, envelope: issued.envelopeId, agent: envelope.agentId };
    await record(setting, "begin", party, id, { decision: "permit", asserted_by: request.assertedBy, policies, ...detailsOf(envelope) });
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
      decision: "deny",
      code: refusal.code,
      step: refusal.step,
      message: refusal.message,
      hint: refusal.hint,
      ...(envelope === undefined ? {} : detailsOf(envelope)),
    };
    // A refusal stays one, recorded or not.
    await record(setting, "begin", party, id, details).catch(() => undefined);
    return { decision: false, id, refusal };
  }
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
  if (!(envelope.expiresAt > clock(setting)))
    throw new Refused("envelope", "envelope_expired", `\`expires_at\` is in the past: ${new Date(envelope.expiresAt).toISOString()}`);
  return envelope;
}

/** Tools that could never be called are a mistake to hear of now, not at the first call. */
function checkReach(setting: Setting, envelope: Envelope): void {
  const purpose = setting.purposes.get(envelope.purpose);
  if (purpose === undefined)
    throw new Refused("intent", "purpose_mismatch", `the purpose \`${envelope.purpose}\` is not in the catalogue`, "add it to the purposes");
  for (const tool of [...envelope.allowedTools, ...envelope.mayDelegate]) {
    if (!setting.manifest.tools.has(tool)) {
      throw new Refused(
        "constraint",
        "tool_unmapped",
        `the manifest has no tool \`${tool}\``,
        `to have it, add to its \`tools\`: ${JSON.stringify(entryToAdd(tool, undefined))}`,
      );
    }
    if (!purpose.tools.has(tool)) throw new Refused("intent", "purpose_mismatch", `\`${tool}\` is not part of the purpose \`${purpose.id}\``);
  }
}

function beginQuestion(envelope: Envelope): Question {
  return { action: "ambit:begin", resource: { type: "Purpose", id: envelope.purpose }, context: lifecycleContext(envelope) };
}

/** What policies see of an envelope that is about to be given out. */
export function lifecycleContext(envelope: Envelope): Question["context"] {
  const classes = envelope.resourceConstraints["data_classes"];
  return { allowed_tools: envelope.allowedTools, may_delegate: envelope.mayDelegate, data_classes: Array.isArray(classes) ? classes : [] };
}

function detailsOf(envelope: Envelope): object {
  return {
    delegator: envelope.delegatorId,
    purpose: envelope.purpose,
    allowed_tools: envelope.allowedTools,
    may_delegate: envelope.mayDelegate,
    expires_at: new Date(envelope.expiresAt).toISOString(),
  };
}
