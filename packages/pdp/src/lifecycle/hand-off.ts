import {
  AmbitError,
  attenuate,
  purposeLine,
  randomText,
  reasonsNotNarrower,
  type Envelope,
  type HandOffRequest,
  type IssueAnswer,
  type RefusalCode,
} from "@ambit/core";
import { lifecycleContext } from "./begin.ts";
import { clock } from "./clock.ts";
import { leafOf, type Chain } from "./envelope-store.ts";
import { orRefuse, refusalOf, Refused } from "./refusal.ts";
import type { Setting } from "./setting.ts";
import { ceilingOf } from "./steps/constraint.ts";
import { checkEnvelope, openEnvelope } from "./steps/envelope.ts";
import { factsOf } from "./steps/facts.ts";
import { partyOf, record } from "./steps/log.ts";
import { agentEntity, checkPolicy } from "./steps/policy.ts";

/**
 * Decides a hand-off and gives out the child, exactly as asked for or not at all (`not_narrower`).
 * INVARIANT I2: the child is computed as a meet and then checked by the verifier's own rule.
 */
export async function handOff(setting: Setting, request: HandOffRequest): Promise<IssueAnswer> {
  const id = `dec_${randomText()}`;
  let parent: Chain | undefined;
  let child: Envelope | undefined;
  try {
    parent = openEnvelope(setting, request.parent);
    await checkEnvelope(setting, parent, request.agent);
    child = deriveChild(setting, parent, request);
    checkChild(setting, parent, child);
    checkExcerpts(setting, parent, child, request.excerpts);
    const { tenantId } = child;
    const lineage = parent.lineage;
    const facts = await factsOf(setting, tenantId, lineage);
    const resource = agentEntity(setting, child.agentId, tenantId);
    const policies = await checkPolicy(setting, parent, facts, {
      action: "ambit:hand_off",
      resource: { ...resource, type: "Agent" },
      context: lifecycleContext(child),
    });
    const dataClasses = [...new Set(request.excerpts.flatMap((excerpt) => excerpt.dataClasses))].sort();
    await orRefuse("commit", "state_unavailable", "the hand-off cannot be decided", () =>
      setting.state.label(tenantId, lineage, { integrity: "trusted", dataClasses }),
    );
    const issued = setting.envelopes.issueChild(parent, child, clock(setting));
    await record(setting, "hand_off", partyOf(parent, request.agent), id, {
      decision: "permit",
      policies,
      child_envelope: issued.envelopeId,
      ...detailsOf(request, parent, child),
    });
    return { decision: true, id, issued };
  } catch (error) {
    const refusal = refusalOf(error, "envelope", "pdp_unavailable", "the hand-off could not be decided");
    const details = {
      decision: "deny",
      code: refusal.code,
      step: refusal.step,
      message: refusal.message,
      hint: refusal.hint,
      ...detailsOf(request, parent, child),
    };
    // A refusal stays one, recorded or not.
    await record(setting, "hand_off", partyOf(parent, request.agent), id, details).catch(() => undefined);
    return { decision: false, id, refusal };
  }
}

function deriveChild(setting: Setting, parent: Chain, request: HandOffRequest): Envelope {
  const from = leafOf(parent).envelope;
  try {
    return attenuate(from, request.narrowing, setting.order, { exact: true }).envelope;
  } catch (error) {
    throw AmbitError.isInstance(error) ? new Refused("constraint", error.code as RefusalCode, error.message) : error;
  }
}

function checkChild(setting: Setting, parent: Chain, child: Envelope): void {
  const from = leafOf(parent).envelope;
  const depth = parent.links.length;
  if (!setting.agents.has(child.agentId))
    throw new Refused("envelope", "agent_unknown", `the agent \`${child.agentId}\` is not registered`, "add it to the agents");
  if (depth > child.maxDepth) throw new Refused("constraint", "depth_exceeded", `no more than ${child.maxDepth} hand-offs may follow one another`);
  if (!(child.expiresAt > clock(setting))) throw new Refused("envelope", "envelope_expired", "the child would be expired already");
  const reasons = reasonsNotNarrower(child, from, setting.order);
  if (reasons.length > 0) throw new Refused("constraint", "not_narrower", `the child would be wider than its parent: ${reasons.join("; ")}`);
  const purpose = setting.purposes.get(child.purpose);
  const beyond = [...child.allowedTools, ...child.mayDelegate].find((tool) => purpose?.tools.has(tool) !== true);
  if (beyond !== undefined) throw new Refused("intent", "purpose_mismatch", `\`${beyond}\` is not part of the purpose \`${child.purpose}\``);
}

/** An excerpt is given instead of access, so what nobody of the chain may have, and what the child's purpose cannot need, cannot be in one. */
function checkExcerpts(setting: Setting, parent: Chain, child: Envelope, excerpts: HandOffRequest["excerpts"]): void {
  const bounds = excerptBounds(setting, parent, child);
  for (const { label, dataClasses } of excerpts) {
    if (dataClasses.length === 0) throw new Refused("constraint", "hand_off_denied", `the excerpt \`${label}\` must say its data classes`);
    const excess = dataClasses.find((name) => bounds.some((bound) => !bound.has(name)));
    if (excess !== undefined)
      throw new Refused("constraint", "hand_off_denied", `the excerpt \`${label}\` carries the data class \`${excess}\`, which must not be handed on`);
  }
}

/** Each names the only data classes that may be in an excerpt. */
function excerptBounds(setting: Setting, parent: Chain, child: Envelope): readonly ReadonlySet<string>[] {
  const agents = [...parent.links.map(({ envelope }) => envelope.agentId), child.agentId];
  const constraints = [leafOf(parent).envelope.resourceConstraints, ...agents.map((id) => ceilingOf(setting, id)?.resourceConstraints ?? {})];
  const purposes = purposeLine(setting.purposes, child.purpose) ?? [];
  return [
    ...constraints.flatMap(({ data_classes: names }) => (Array.isArray(names) ? [new Set(names as readonly string[])] : [])),
    ...purposes.flatMap((id) => setting.purposes.get(id)?.dataClasses ?? []),
  ];
}

function detailsOf(request: HandOffRequest, parent: Chain | undefined, child: Envelope | undefined): object {
  const { narrowing, excerpts } = request;
  return {
    from: parent === undefined ? request.agent : leafOf(parent).envelope.agentId,
    to: child?.agentId ?? narrowing.agentId,
    parent_envelope: parent === undefined ? undefined : leafOf(parent).id,
    purpose: child?.purpose ?? narrowing.purpose,
    allowed_tools: child?.allowedTools ?? narrowing.allowedTools,
    excerpts: excerpts.map(({ label, dataClasses }) => ({ label, data_classes: dataClasses })),
    expires_at: child === undefined ? undefined : new Date(child.expiresAt).toISOString(),
  };
}
