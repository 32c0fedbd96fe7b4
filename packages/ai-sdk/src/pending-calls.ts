import type { Asked, Pep } from "@ambit/core";
import { toCall, type ExecuteOptions, type Subject } from "./to-call.ts";
import { noteRunning, noteWaiting } from "./waiting.ts";

/**
 * The calls of one tool that were asked about when the SDK wanted to know whether to pause, until it runs them: so that a call is decided once. One that the SDK never
 * runs is forgotten with its input, and what was reserved for it goes back when its grant runs out.
 */
export interface PendingCalls {
  /** The tool's. */
  readonly name: string;
  /** Whether a call that is to run has to wait for an approval first. */
  hasToWait(input: unknown, options: ExecuteOptions | undefined): Promise<boolean>;
  /** Has a call run now: the one that was asked about, or else it is asked about now. */
  admit(input: unknown, options: ExecuteOptions | undefined): ReturnType<Pep["admit"]>;
}

export function createPendingCalls(pep: Pep, subject: Subject): PendingCalls {
  const { name } = subject;
  const pending = new WeakMap<object, { readonly asked: Asked; readonly options: ExecuteOptions | undefined }>();
  const take = (input: unknown, options: ExecuteOptions | undefined): Asked | undefined => {
    const known = typeof input === "object" && input !== null ? pending.get(input) : undefined;
    // The very objects of the same step, and only once: a history that is played again is another question.
    if (known === undefined || known.options?.messages !== options?.messages || known.options?.toolCallId !== options?.toolCallId) return undefined;
    pending.delete(input as object);
    return known.asked;
  };
  return {
    name,
    hasToWait: async (input, options) => {
      const asked = await pep.ask(await toCall(subject, input, options));
      const { refused } = asked;
      if (refused?.kind !== "approval_required") {
        if (typeof input === "object" && input !== null) pending.set(input, { asked, options });
        return false;
      }
      // Not kept: whoever runs it in the same step after all, as code mode does, has waited for an answer.
      noteWaiting(name, input, refused);
      return true;
    },
    admit: async (input, options) => {
      const asked = take(input, options);
      const admission = await (asked === undefined ? pep.admit(await toCall(subject, input, options)) : asked.admit(options?.abortSignal));
      if (admission.admitted) noteRunning(name, input);
      return admission;
    },
  };
}
