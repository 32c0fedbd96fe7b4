import type { Approval } from "./approval.ts";

/** A way on which people hear that a request waits for them. They answer at the approval desk, however they heard of it. */
export interface ApprovalChannel {
  /** Takes a new request to tell of, and returns at once. What it throws is nobody's: a request waits whether anybody could be told or not. */
  readonly tell: (approval: Approval) => void;
}

/** INVARIANT I13: whoever is told changes nothing of the decision, and does not delay it. */
export function tellAll(channels: readonly ApprovalChannel[], approval: Approval): void {
  for (const channel of channels) {
    try {
      channel.tell(approval);
    } catch {
      // the others are told all the same
    }
  }
}

/** Tells a function of the application. */
export function callbackChannel(onApprovalRequest: (approval: Approval) => void | Promise<void>): ApprovalChannel {
  return {
    tell: (approval) =>
      void Promise.resolve(approval)
        .then(onApprovalRequest)
        .catch(() => undefined),
  };
}
