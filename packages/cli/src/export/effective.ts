import { AmbitError, attenuate, purposeLine, type Envelope, type Narrowing } from "@ambit/core";
import type { Agents, Ceiling } from "@ambit/pdp";
import type { ConfiguredOrder } from "../input/order.ts";

/**
 * What an envelope is worth in the hands of its holder, as the decision point would see it: within the agent's ceiling, and within the data classes of
 * the purpose. Nobody asks for either where the chain is shown, so both have to be in it.
 *
 * Refuses (`agent_unknown`, `purpose_mismatch`) an agent that is not registered and tools that the purpose does not have.
 */
export function effectiveEnvelope(envelope: Envelope, agents: Agents, order: ConfiguredOrder): Envelope {
  const agent = agents.get(envelope.agentId);
  if (agent === undefined) throw new AmbitError("agent_unknown", `the agent \`${envelope.agentId}\` is not registered; add it to the agents`);
  checkPurpose(envelope, order);
  const purposes = (purposeLine(order.purposes, envelope.purpose) ?? []).flatMap((id): readonly Narrowing[] => {
    const classes = order.purposes.get(id)?.dataClasses;
    return classes === undefined ? [] : [{ resourceConstraints: { data_classes: [...classes] } }];
  });
  const bounds = [...(agent.ceiling === "none" ? [] : [ceilingNarrowing(envelope, agent.ceiling)]), ...purposes];
  return bounds.reduce<Envelope>((above, narrowing) => attenuate(above, narrowing, order).envelope, envelope);
}

function ceilingNarrowing({ allowedTools, mayDelegate }: Envelope, ceiling: Ceiling): Narrowing {
  return { allowedTools: allowedTools.filter((tool) => ceiling.allowedTools.has(tool)), mayDelegate, resourceConstraints: ceiling.resourceConstraints };
}

function checkPurpose({ purpose: id, allowedTools }: Envelope, { purposes }: ConfiguredOrder): void {
  const purpose = purposes.get(id);
  if (purpose === undefined) throw new AmbitError("purpose_mismatch", `the purpose \`${id}\` is not in the catalogue`);
  const foreign = allowedTools.find((tool) => !purpose.tools.has(tool));
  if (foreign !== undefined) throw new AmbitError("purpose_mismatch", `\`${foreign}\` is not part of the purpose \`${id}\``);
}
