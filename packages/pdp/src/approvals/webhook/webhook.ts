import type { JsonObject } from "@ambit/core";
import type { Approval } from "../approval.ts";
import type { ApprovalChannel } from "../channel.ts";
import type { Ending, Outbox } from "./outbox.ts";
import { signatureHeaders } from "./signature.ts";

/** Who is told of requests, as it is configured. */
export interface Webhook {
  readonly url: URL;
  /** What messages to it are signed with. */
  readonly key: Buffer;
}

export interface WebhookOptions {
  readonly outbox: Outbox;
  /** The body of a message. */
  readonly write: (approval: Approval) => JsonObject;
  readonly onEnd: (approval: Approval, host: string, ending: Ending) => Promise<void>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Tells a server of each new request, signed, at least once: whoever receives one with an id that it knows has it already. It has the arguments of the call, as a person has to see
 * them. The answer comes back at the approval desk.
 */
export function webhookChannel({ url, key }: Webhook, { outbox, write, onEnd, now }: WebhookOptions): ApprovalChannel {
  return {
    tell: (approval) => {
      const body = JSON.stringify(write(approval));
      const message = { url, body, headers: () => signatureHeaders(key, approval.id, body, now()), isWanted: () => approval.expiresAt > now() };
      outbox.send(message, (ending) => onEnd(approval, url.host, ending));
    },
  };
}
