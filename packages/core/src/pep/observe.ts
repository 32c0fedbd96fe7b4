import type { Envelope } from "../envelope/envelope.ts";
import { AmbitError, type RefusalCode } from "../errors.ts";
import { admit } from "./admit.ts";
import { refusal } from "./ask.ts";
import type { Admission, Completion } from "./pep.ts";
import type { PepSetting } from "./present.ts";
import { createTask, type Task } from "./task.ts";
import type { ToolCall } from "./tool-call.ts";
import type { Refused } from "./verdict.ts";

/** Told of everything that would have been refused. What it throws is nobody's. */
export type OnObserved = (refused: Refused, call: Pick<ToolCall, "tool" | "server"> | undefined) => void;

/**
 * Decides and records a call, and lets it run as if nobody had asked: with its own arguments, its result whole. INVARIANT I1 does not hold here, which is what the mode is for;
 * nothing of it is reached unless an application asks for it by name.
 */
export async function observe(setting: PepSetting, call: ToolCall, onObserved: OnObserved): Promise<Admission> {
  const tell = (refused: Refused): void => {
    try {
      onObserved(refused, call);
    } catch {
      // an observer changes nothing
    }
  };
  const admitted = await admit(setting, call);
  const released = <T>(result: T): Completion<T> => ({ released: true, result });
  const args = call.arguments as Record<string, unknown>;
  if (!admitted.admitted) {
    tell(admitted.refused);
    const nothing = async (): Promise<void> => undefined;
    const { decisionId } = admitted.refused;
    return {
      admitted: true,
      decisionId,
      arguments: args,
      holdsResult: false,
      run: (body) => body(),
      uses: () => undefined,
      complete: async (result) => released(result),
      fail: nothing,
      abandon: nothing,
      pause: nothing,
      cancel: nothing,
    };
  }
  return {
    ...admitted,
    arguments: args,
    holdsResult: false,
    complete: async (result) => {
      const completion = await admitted.complete(result);
      if (!completion.released) tell(completion.refused);
      return released(result);
    },
  };
}

/** A task that nobody gave out, so that an observed run goes on; every call under it would be refused. */
export async function observeTask(ask: () => Promise<Task>, envelope: () => Envelope, onObserved: OnObserved): Promise<Task> {
  try {
    return await ask();
  } catch (error) {
    if (!AmbitError.isInstance(error)) throw error;
    const decisionId = error.decisionId ?? "undecided";
    try {
      onObserved({ kind: "deny", decisionId, refusal: refusal(error.code as RefusalCode, error.summary) }, undefined);
    } catch {
      // an observer changes nothing
    }
    const issued = { envelopeId: "env_observed", lineage: "observed", depth: 0, envelope: envelope(), holding: undefined };
    return createTask(issued, decisionId, [], async () => undefined);
  }
}
