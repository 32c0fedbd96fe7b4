import { AmbitError, type RefusalCode } from "../errors.ts";
import { refusal } from "./ask.ts";
import type { Enforced, HandOffOptions, Pep } from "./pep.ts";
import type { EnvelopeSource, Task } from "./task.ts";

/** What a sub-agent runs with: its own envelope and its own enforcement point. */
export interface Delegate {
  readonly task: Task;
  readonly pep: Pep;
}

/**
 * Hands off, runs the other agent, and ends its envelope when it returns (unless it is still held) or throws; `isPause` tells an error by which it only pauses (an
 * interrupt), and then the envelope goes on until it expires. A refused hand-off is a value, as for a tool call; what `run` throws is thrown on.
 */
export async function delegate<T>(
  pep: Pep,
  envelope: EnvelopeSource,
  options: HandOffOptions,
  run: (delegate: Delegate) => T | Promise<T>,
  isPause: (error: unknown) => boolean = () => false,
): Promise<Enforced<T>> {
  let task: Task;
  try {
    task = await pep.handOff(envelope, options);
  } catch (error) {
    return refused(error);
  }
  let result: T;
  try {
    result = await run({ task, pep: pep.as(options.agentId) });
  } catch (error) {
    if (!isPause(error)) await task.end().catch(() => undefined); // what the other agent threw is what the caller has to see; the envelope still expires
    throw error;
  }
  try {
    await task[Symbol.asyncDispose]();
  } catch (error) {
    return refused(error); // an envelope that could not be ended is not a hand-off that went well
  }
  return { result, decisionId: task.decisionId };
}

function refused(error: unknown): Enforced<never> {
  const isOurs = AmbitError.isInstance(error);
  const reason = isOurs ? refusal(error.code as RefusalCode, error.summary) : refusal("pdp_unavailable", "the hand-off could not be decided");
  return { refused: { kind: "deny", decisionId: (isOurs ? error.decisionId : undefined) ?? "undecided", refusal: reason } };
}
