import { reachOf } from "../envelope/envelope.ts";
import type { HandOffOptions } from "./pep.ts";
import type { PepSetting } from "./present.ts";
import { resolveEnvelope, type EnvelopeSource, type Task } from "./task.ts";
import { taskAround } from "./under-way.ts";

/**
 * The automatic hand-off, for an agent that is run by another one and was given nothing of its own. What it inherits is the envelope of the call within which it runs, if
 * that goes on from what `source` stands for, else that itself; where the holder is another agent, all of it is handed off to this one: decided and recorded once, at the
 * first call. INVARIANT I2: what is met there with the agent's ceiling, at every call, is never more than whoever runs it has.
 */
export function inheriting(
  setting: PepSetting,
  handOff: (parent: Task, options: HandOffOptions) => Promise<Task>,
): (source: EnvelopeSource) => () => Promise<Task | undefined> {
  // As long as the parent is of use to anybody; it ends what was derived from it.
  const children = new WeakMap<Task, Promise<Task>>();
  return (source) => async () => {
    const given = await resolveEnvelope(source);
    if (given?.envelope === undefined) return given;
    const around = taskAround(setting.pdp);
    const parent = around !== undefined && around.lineage === given.lineage && around.depth > given.depth ? around : given;
    if (parent.envelope.agentId === setting.agent) return parent;
    const known = children.get(parent);
    if (known !== undefined) return known;
    const { mayDelegate } = parent.envelope;
    const child = handOff(parent, { agentId: setting.agent, allowedTools: [...reachOf(parent.envelope)], mayDelegate });
    children.set(parent, child);
    child.catch(() => children.delete(parent)); // a refusal is not for ever
    return child;
  };
}
