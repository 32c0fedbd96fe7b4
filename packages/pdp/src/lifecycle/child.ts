import { purposeLine, reasonsNotNarrower, type Envelope, type HandOffRequest } from "@ambit/core";
import { clock } from "../clock.ts";
import { keepUntil, leafOf, type Chain } from "../envelopes/chain.ts";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";
import { ceilingOf } from "../steps/constraint.ts";
import { factsOf } from "../steps/facts.ts";
import { agentEntity, checkPolicy } from "../steps/policy.ts";
import { lifecycleContext, type Decided } from "./root.ts";

type Excerpts = HandOffRequest["excerpts"];

/**
 * Whether a child may be there, however it was derived: the hand-off is one that policy allows, and nothing in it is more than its parent has.
 * What it is given along is labelled before anything is released.
 */
export async function decideChild(setting: Setting, parent: Chain, child: Envelope, excerpts: Excerpts): Promise<Pick<Decided, "policies">> {
  checkChild(setting, parent, child);
  checkExcerpts(setting, parent, child, excerpts);
  const { tenantId } = child;
  const facts = await factsOf(setting, tenantId, parent.lineage);
  const resource = { ...agentEntity(setting, child.agentId, tenantId), type: "Agent" };
  const policies = await checkPolicy(setting, parent, facts, { action: "ambit:hand_off", resource, context: lifecycleContext(child) });
  const dataClasses = [...new Set(excerpts.flatMap((excerpt) => excerpt.dataClasses))].sort();
  await orRefuse("commit", "state_unavailable", "the hand-off cannot be decided", () =>
    setting.state.label(tenantId, parent.lineage, { integrity: "trusted", dataClasses }, keepUntil(parent)),
  );
  return { policies };
}

/** INVARIANT I2: the verifier's own rule, whoever computed the child. */
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
function checkExcerpts(setting: Setting, parent: Chain, child: Envelope, excerpts: Excerpts): void {
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

/** What is handed to whom, for the record. */
export function childDetails(parent: Chain, child: Envelope, excerpts: Excerpts): Decided["details"] {
  const { id, envelope } = leafOf(parent);
  return {
    from: envelope.agentId,
    to: child.agentId,
    parent_envelope: id,
    purpose: child.purpose,
    allowed_tools: child.allowedTools,
    excerpts: excerpts.map(({ label, dataClasses }) => ({ label, data_classes: dataClasses })),
    expires_at: new Date(child.expiresAt).toISOString(),
  };
}
