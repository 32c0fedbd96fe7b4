import type { Receiver } from "@ambit/core";
import { readPresentation, type TokenPresentation } from "@ambit/core/token";
import { metaOf, readMessage, snapshot, type Message, type Notification, type Request } from "./json-rpc.ts";
import { createLink, NOT_A_MESSAGE } from "./link.ts";
import { DECIDED_REQUESTS, PASSED_NOTIFICATIONS, PASSED_REQUESTS } from "./methods.ts";
import { shownOf } from "./notifications.ts";
import { cancelledBy, createRequests, type Entry } from "./requests.ts";
import { decidedRequest, PRESENTATION, toAttempt, toQuestion } from "./to-call.ts";
import { toOutcome } from "./to-outcome.ts";
import type { Doors, Handlers } from "./transport.ts";

/** The doors of a server's transport with the enforcement point in them; `host` is where the server hangs its handlers. */
export function createServerConnection(receiver: Receiver, server: string, transport: Doors & Handlers, host: Handlers): Doors {
  // In memory a message is the client's own object, and may say something else when it is read again.
  const link = createLink(transport, host, (raw) => readMessage(snapshot(raw)));
  const { post, deliver, report } = link;
  const requests = createRequests();

  const decide = async (entry: Entry, extra: unknown): Promise<void> => {
    const { request, over } = entry;
    const question = toQuestion(request, DECIDED_REQUESTS);
    const admitted = await receiver.admit(presentationIn(request), { ...question.call, server, signal: over.signal });
    // The chain says who does what for whom; handlers and their logs need none of it.
    const { on, back } = await requests.conclude(entry, question, admitted, (admission) => decidedRequest(request, admission.arguments, "drop"));
    if (on !== undefined) return deliver(on, extra);
    if (back !== undefined) await post(back, { relatedRequestId: request.id });
  };

  const refuseNotification = async (notification: Notification): Promise<void> => {
    report(new Error("a notification that is not known is left out"));
    const admitted = await receiver.admit(presentationIn(notification), { ...toAttempt(notification), server });
    if (admitted.admitted) await admitted.cancel();
  };

  const receive = (message: Message, extra: unknown): void => {
    if (message.kind === "notification") {
      if (!PASSED_NOTIFICATIONS.has(message.method)) return void refuseNotification(message).catch(report);
      void requests.giveUp(cancelledBy(message, requests)).catch(report);
      return deliver(message.wire, extra);
    }
    if (message.kind !== "request") return deliver(message.wire, extra); // to the server's own requests, which the client's enforcement point decides
    const entry = requests.begin(message, !PASSED_REQUESTS.has(message.method));
    if (entry === undefined) return report(new Error("a second request under one id is left out"));
    if (entry.isDecided) return void decide(entry, extra).catch(report);
    deliver(message.wire, extra);
  };

  const send = async (message: Message | undefined, options: unknown): Promise<void> => {
    if (message === undefined) return report(new Error(NOT_A_MESSAGE));
    if (message.kind === "request") return post(message.wire, options);
    if (message.kind === "notification") {
      const shown = shownOf(message, requests.open());
      return shown === undefined ? undefined : post(shown, options);
    }
    const entry = requests.answered(message.id);
    if (entry === undefined) return report(new Error("an answer to nothing that was asked is left out"));
    return post(entry.admission === undefined ? message.wire : await toOutcome(entry.request, entry.admission, message), options);
  };

  return link.doors({ send, receive, giveUpAll: requests.giveUpAll });
}

function presentationIn(message: Request | Notification): TokenPresentation | undefined {
  const read = readPresentation(metaOf(message, PRESENTATION));
  return read.verified ? read.presentation : undefined;
}
