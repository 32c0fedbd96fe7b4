import type { Asked, Pep } from "@ambit/core";
import { toCall, type ExecuteOptions, type Subject } from "./to-call.ts";

/**
 * The calls of one tool that were asked about when the SDK wanted to know whether to pause, until it runs them: so that a call is decided once. One that the SDK never
 * runs is forgotten with its input, and what was reserved for it goes back when its grant runs out.
 */
export interface PendingCalls {
  /** Asks about a call that is to run. */
  ask(input: unknown, options: ExecuteOptions | undefined): Promise<Asked>;
  /** Has a call run now: the one that was asked about, or else it is asked about now. */
  admit(input: unknown, options: ExecuteOptions | undefined): ReturnType<Pep["admit"]>;
}

export function createPendingCalls(pep: Pep, subject: Subject): PendingCalls {
  const pending = new WeakMap<object, { readonly asked: Asked; readonly options: ExecuteOptions | undefined }>();
  return {
    ask: async (input, options) => {
      const asked = await pep.ask(await toCall(subject, input, options));
      if (typeof input === "object" && input !== null) pending.set(input, { asked, options });
      return asked;
    },
    admit: async (input, options) => {
      const known = typeof input === "object" && input !== null ? pending.get(input) : undefined;
      // The very objects of the same step, and only once: a history that is played again is another question.
      if (known === undefined || known.options?.messages !== options?.messages || known.options?.toolCallId !== options?.toolCallId)
        return pep.admit(await toCall(subject, input, options));
      pending.delete(input as object);
      return known.asked.admit(options?.abortSignal);
    },
  };
}
