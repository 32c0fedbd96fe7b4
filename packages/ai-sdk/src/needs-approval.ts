import type { PendingCalls } from "./pending-calls.ts";
import { isWaiting, type ExecuteOptions } from "./to-call.ts";

/** `needsApproval` of a tool of ai 6 and 7: whether the SDK pauses the run, with a request for an approval, instead of running the tool. */
export type NeedsApproval = boolean | ((input: unknown, options: ExecuteOptions | undefined) => boolean | PromiseLike<boolean>);

/**
 * Pauses for a call that the decision point wants approved, or the tool itself. It only ever pauses: whatever a history says of an approval, `execute` asks the decision
 * point, and only an approval that was given there counts.
 */
export function needsApproval(calls: PendingCalls, own: NeedsApproval | undefined): Exclude<NeedsApproval, boolean> {
  return async (input, options) => {
    // ai 6 does not run a call that comes back from its wait unless it still needs an approval. What is said here of one that waits decides nothing.
    if (options !== undefined && isWaiting(options.messages, options.toolCallId)) return true;
    if (typeof own === "function" ? await own(input, options) : own === true) return true;
    return calls.hasToWait(input, options);
  };
}
