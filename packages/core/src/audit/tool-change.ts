import type { HeldEnvelope } from "./history.ts";
import { named } from "./named.ts";
import type { RefusalFacts } from "./refusal-facts.ts";

/** What makes a tool allowed: one entry, as near to the call as it goes. What the envelopes of the chain allow is on the record, their ceilings are not. */
export function toolChange({ kind, tool, chain, agent }: RefusalFacts): string {
  if (kind !== "call") return "leave the tool that the message names out of what is asked for";
  const leaf = chain.at(-1);
  if (leaf === undefined) return `have an envelope given out that names ${named(tool)} in \`allowedTools\`, and nothing else more`;
  if (tool !== undefined && leaf.allowedTools.includes(tool)) return ceilingChange(tool, agent);
  if (chain.length === 1) return rootChange(tool, leaf);
  const parents = chain.slice(0, -1);
  if (tool !== undefined && parents.every((parent) => reaches(parent, tool)))
    return `hand ${named(tool)} on as well: add it to \`allowedTools\` of the hand-off to ${named(leaf.agent)}`;
  return `begin the task with ${named(tool)} in \`mayDelegate\`, and hand it on, down to ${named(leaf.agent)}; no agent above has to be able to use it`;
}

/** What a child may hand on is not on its record, so a child reaches what it is known to have. */
function reaches({ allowedTools, mayDelegate }: HeldEnvelope, tool: string): boolean {
  return allowedTools.includes(tool) || mayDelegate?.includes(tool) === true;
}

function rootChange(tool: string | undefined, { mayDelegate, agent }: HeldEnvelope): string {
  if (tool !== undefined && mayDelegate?.includes(tool) === true)
    return `hand ${named(tool)} on to an agent that is to use it; ${named(agent)} has it to hand on, not to use`;
  return `begin the task with ${named(tool)} in \`allowedTools\` as well, and nothing else more`;
}

function ceilingChange(tool: string, agent: string): string {
  const [quoted, who] = [named(tool), named(agent)];
  return `have an agent call it whose ceiling has ${quoted}; if ${who} is to, add exactly ${quoted} to the ceiling that the message names, in \`agents.json\`, and leave it out of \`deniedTools\``;
}
