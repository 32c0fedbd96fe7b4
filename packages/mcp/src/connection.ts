import { AmbitError, own, type Admission, type Pep } from "@ambit/core";
import { createDefinitions } from "./definitions.ts";
import { metaOf, paramsOf, readMessage, snapshot, type Answer, type Notification, type Request, type RequestId, type Wire } from "./json-rpc.ts";
import { BARE_SERVER_NOTIFICATIONS, DECIDED, PASSED_NOTIFICATIONS, PASSED_REQUESTS, PASSED_SERVER_REQUESTS } from "./methods.ts";
import { decidedRequest, toCall, type CallSetting } from "./to-call.ts";
import { refusedCall, refusedRequest, toOutcome } from "./to-outcome.ts";
import { signalsOf, type Doors, type Handlers } from "./transport.ts";

/** A request that waits for its answer. */
interface Waiting {
  readonly request: Request;
  /** Aborted when the waiting is over, however it ends. */
  readonly over: AbortController;
  /** Takes the result of a `tools/list`. */
  readonly remember: ((result: unknown) => void) | undefined;
  /** A tool call without one was not sent. */
  admission?: Admission;
}

/** The doors of a transport with the enforcement point in them; `client` is where the client hangs its handlers. */
export function createConnection(pep: Pep, setting: CallSetting, transport: Doors & Handlers, client: Handlers): Doors {
  const waiting = new Map<RequestId, Waiting>();
  const askedByServer = new Set<RequestId>();
  const definitions = createDefinitions();

  const report = (error: unknown): void => client.onerror?.(error instanceof Error ? error : new Error(String(error)));
  const post = async (message: Wire, options?: unknown): Promise<void> => transport.send(message, options);
  const deliver = (message: Wire, extra?: unknown): void => {
    try {
      client.onmessage?.(message, extra);
    } catch (error) {
      report(error);
    }
  };

  /** Ends the waiting; false when it was over already. */
  const take = (entry: Waiting): boolean => {
    if (waiting.get(entry.request.id) !== entry) return false;
    entry.over.abort();
    return waiting.delete(entry.request.id);
  };
  /** A call that was sent and is waited for no more may have taken effect or not. */
  const giveUp = async (entry: Waiting | undefined): Promise<void> => {
    if (entry !== undefined && take(entry)) await entry.admission?.abandon();
  };
  const giveUpAll = async (): Promise<void> => void (await Promise.all([...waiting.values()].map(giveUp)));

  const forward = async (entry: Waiting, message: Wire, options: unknown): Promise<void> => {
    try {
      await post(message, options);
    } catch (error) {
      await giveUp(entry);
      throw error;
    }
  };

  const decide = async (entry: Waiting, options: unknown): Promise<void> => {
    const { request, over } = entry;
    const call = toCall(request, setting, definitions, over.signal);
    const admission = call === undefined ? undefined : await pep.admit(call);
    if (waiting.get(request.id) !== entry) {
      if (admission?.admitted === true) await admission.cancel();
    } else if (admission?.admitted !== true) {
      take(entry);
      deliver(admission === undefined ? refusedRequest(request, `${DECIDED} with more than a name and arguments`) : refusedCall(request, admission.refused));
    } else {
      entry.admission = admission;
      await forward(entry, decidedRequest(request, admission.arguments), options);
    }
  };

  const sendRequest = async (request: Request, options: unknown): Promise<void> => {
    // With two requests under one id, the answer to the one would pass for the answer to the other.
    if (waiting.has(request.id)) throw new AmbitError("option_invalid", "the `id` of the request is in use");
    const isDecided = request.method === DECIDED;
    if (!isDecided && !PASSED_REQUESTS.has(request.method)) return deliver(refusedRequest(request));

    const remember = request.method === "tools/list" ? definitions.list(request) : undefined;
    const entry: Waiting = { request, over: new AbortController(), remember };
    waiting.set(request.id, entry);
    for (const signal of signalsOf(options)) {
      if (signal.aborted) await giveUp(entry);
      else signal.addEventListener("abort", () => void giveUp(entry), { once: true, signal: entry.over.signal });
    }
    return isDecided ? decide(entry, options) : forward(entry, request.wire, options);
  };

  const sendNotification = async (notification: Notification, options: unknown): Promise<void> => {
    const { method, wire } = notification;
    if (!PASSED_NOTIFICATIONS.has(method)) throw new AmbitError("tool_unmapped", `\`${method}\` is not decided yet, so it is refused`);
    const cancelled = method === "notifications/cancelled" ? waiting.get(own(paramsOf(notification), "requestId") as RequestId) : undefined;
    await Promise.all([giveUp(cancelled), post(wire, options)]);
  };

  const send = async (raw: unknown, options?: unknown): Promise<void> => {
    attach();
    const message = readMessage(snapshot(raw));
    if (message === undefined) throw new AmbitError("option_invalid", "what is sent must be one JSON-RPC 2.0 message; batches are refused");
    if (message.kind === "request") return sendRequest(message, options);
    if (message.kind === "notification") return sendNotification(message, options);
    if (!askedByServer.delete(message.id)) throw new AmbitError("option_invalid", "the response answers nothing that was asked");
    return post(message.wire, options);
  };

  const receiveAnswer = (answer: Answer, extra: unknown): void => {
    const entry = waiting.get(answer.id);
    // INVARIANT I1: an answer while the call is still being decided is a guess, and would end the call without a decision.
    if (entry === undefined || (entry.request.method === DECIDED && entry.admission === undefined)) {
      return report(new Error("an answer to nothing that was asked is left out"));
    }
    take(entry);
    if (entry.admission !== undefined) return void toOutcome(entry.request, entry.admission, answer).then((message) => deliver(message, extra), report);
    if (answer.kind === "result") entry.remember?.(answer.value);
    deliver(answer.wire, extra);
  };

  /** What must be checked in a result must not come before it in a notification. `undefined`: nothing of the notification is shown. */
  const shownOf = (notification: Notification): Wire | undefined => {
    const { method, wire } = notification;
    const { progressToken, progress, total } = paramsOf(notification);
    const isProgress = method === "notifications/progress";
    const entries = [...waiting.values()];
    if (isProgress && !entries.some(({ request }) => metaOf(request, "progressToken") === progressToken)) return undefined;
    if (!entries.some(({ admission }) => admission?.holdsResult === true)) return wire;
    if (!isProgress) return BARE_SERVER_NOTIFICATIONS.has(method) ? { jsonrpc: "2.0", method } : undefined;
    const numbers = Object.entries({ progress, total }).filter(([, value]) => typeof value === "number");
    return { ...wire, params: { progressToken, ...Object.fromEntries(numbers) } };
  };

  const receive = (raw: unknown, extra?: unknown): void => {
    const message = readMessage(raw);
    if (message === undefined) return report(new Error("what is not one JSON-RPC 2.0 message is left out"));
    if (message.kind === "request") {
      if (!PASSED_SERVER_REQUESTS.has(message.method)) return void post(refusedRequest(message)).catch(report);
      askedByServer.add(message.id);
    } else if (message.kind === "notification") {
      if (message.method === "notifications/tools/list_changed") definitions.forget();
      const shown = shownOf(message);
      return shown === undefined ? undefined : deliver(shown, extra);
    } else {
      return receiveAnswer(message, extra);
    }
    deliver(message.wire, extra);
  };

  const closed = (): void => {
    void giveUpAll();
    askedByServer.clear();
    client.onclose?.();
  };

  // Not before the client begins: until then a transport may keep what comes in for it.
  const attach = (): void => void Object.assign<Handlers, Handlers>(transport, { onmessage: receive, onerror: report, onclose: closed });

  return {
    send,
    start: () => {
      attach();
      definitions.forget(); // another connection may lead to another server
      return transport.start();
    },
    close: async (options) => void (await Promise.all([giveUpAll(), transport.close(options)])),
  };
}
