import { own, type Admission, type Receiver } from "@ambit/core";
import { readPresentation } from "@ambit/core/token";
import { metaOf, paramsOf, readMessage, snapshot, type Notification, type Request, type RequestId, type Wire } from "./json-rpc.ts";
import { DECIDED_REQUESTS, PASSED_NOTIFICATIONS, PASSED_REQUESTS } from "./methods.ts";
import { shownOf } from "./notifications.ts";
import { decidedRequest, PRESENTATION, toQuestion } from "./to-call.ts";
import { denial, refused, refusedRequest, toOutcome } from "./to-outcome.ts";
import type { Doors, Handlers } from "./transport.ts";

/** A request of the client that the server has not answered. */
interface Open {
  readonly request: Request;
  readonly isDecided: boolean;
  readonly over: AbortController;
  /** The server has seen no decided request without one. */
  admission?: Admission;
}

/** The doors of a server's transport with the enforcement point in them; `host` is where the server hangs its handlers. */
export function createServerConnection(receiver: Receiver, server: string, transport: Doors & Handlers, host: Handlers): Doors {
  const open = new Map<RequestId, Open>();

  const report = (error: unknown): void => host.onerror?.(error instanceof Error ? error : new Error(String(error)));
  const post = async (message: Wire, options?: unknown): Promise<void> => transport.send(message, options);
  const deliver = (message: Wire, extra?: unknown): void => {
    try {
      host.onmessage?.(message, extra);
    } catch (error) {
      report(error);
    }
  };
  const giveUp = async (entry: Open | undefined): Promise<void> => {
    if (entry === undefined || open.get(entry.request.id) !== entry) return;
    open.delete(entry.request.id);
    entry.over.abort();
    await entry.admission?.abandon();
  };
  const giveUpAll = async (): Promise<void> => void (await Promise.all([...open.values()].map(giveUp)));

  const decide = async (entry: Open, extra: unknown): Promise<void> => {
    const { request, over } = entry;
    const { call, flaw } = toQuestion(request, DECIDED_REQUESTS);
    const read = readPresentation(metaOf(request, PRESENTATION));
    const admission = read.verified ? await receiver.admit(read.presentation, { ...call, server, signal: over.signal }) : NO_ENVELOPE;
    const isLate = open.get(request.id) !== entry;
    if (admission.admitted && !isLate && flaw === undefined) {
      entry.admission = admission;
      // The chain says who does what for whom; handlers and their logs need none of it.
      return deliver(decidedRequest(request, admission.arguments, "drop"), extra);
    }
    if (admission.admitted) await admission.cancel();
    if (isLate) return;
    open.delete(request.id);
    const why = admission.admitted ? denial("tool_unmapped", `the request is refused: ${flaw}`, admission.decisionId) : admission.refused;
    await post(flaw === undefined ? refused(request, why) : refusedRequest(request, why), { relatedRequestId: request.id });
  };

  const receiveNotification = (notification: Notification, extra: unknown): void => {
    const { method, wire } = notification;
    if (!PASSED_NOTIFICATIONS.has(method)) return report(new Error("a notification that is not known is left out"));
    if (method === "notifications/cancelled") void giveUp(open.get(own(paramsOf(notification), "requestId") as RequestId)).catch(report);
    deliver(wire, extra);
  };

  const receive = (raw: unknown, extra?: unknown): void => {
    const message = readMessage(snapshot(raw));
    if (message === undefined) return report(new Error("what is not one JSON-RPC 2.0 message is left out"));
    if (message.kind === "notification") return receiveNotification(message, extra);
    if (message.kind !== "request") return deliver(message.wire, extra); // to the server's own requests, which the client's enforcement point decides
    // With two requests under one id, the answer to the one would pass for the answer to the other.
    if (open.has(message.id)) return report(new Error("a second request under one id is left out"));
    const entry: Open = { request: message, isDecided: !PASSED_REQUESTS.has(message.method), over: new AbortController() };
    open.set(message.id, entry);
    if (entry.isDecided) return void decide(entry, extra).catch(report);
    deliver(message.wire, extra);
  };

  const send = async (raw: unknown, options?: unknown): Promise<void> => {
    attach();
    const message = readMessage(snapshot(raw));
    if (message === undefined) return report(new Error("what is not one JSON-RPC 2.0 message is left out"));
    if (message.kind === "request") return post(message.wire, options);
    if (message.kind === "notification") {
      const shown = shownOf(message, open.values());
      return shown === undefined ? undefined : post(shown, options);
    }
    const entry = open.get(message.id);
    // INVARIANT I1: the server has not seen the request, so this answers something else.
    if (entry === undefined || (entry.isDecided && entry.admission === undefined)) return report(new Error("an answer to nothing that was asked is left out"));
    open.delete(message.id);
    return post(entry.admission === undefined ? message.wire : await toOutcome(entry.request, entry.admission, message), options);
  };

  const closed = (): void => {
    void giveUpAll();
    host.onclose?.();
  };

  // Not before the server begins: until then a transport may keep what comes in for it.
  const attach = (): void => void Object.assign<Handlers, Handlers>(transport, { onmessage: receive, onerror: report, onclose: closed });

  return {
    send,
    start: () => {
      attach();
      return transport.start();
    },
    close: async (options) => void (await Promise.all([giveUpAll(), transport.close(options)])),
  };
}

const NO_ENVELOPE = {
  admitted: false,
  refused: denial("envelope_malformed", `the request comes without an envelope and a proof in \`_meta["${PRESENTATION}"]\``),
} as const;
