import { AmbitError, own, type Admission, type EnvelopeSource, type Pep } from "@ambit/core";
import { writePresentation } from "@ambit/core/token";
import { createDefinitions } from "./definitions.ts";
import { paramsOf, readMessage, snapshot, type Answer, type Notification, type Request, type RequestId, type Wire } from "./json-rpc.ts";
import { shownList } from "./lists.ts";
import { DECIDED_REQUESTS, LISTS, PASSED_NOTIFICATIONS, PASSED_REQUESTS } from "./methods.ts";
import { shownOf } from "./notifications.ts";
import { createListReader } from "./read-definitions.ts";
import { createServerRequests } from "./server-requests.ts";
import { decidedRequest, toolOf, toQuestion } from "./to-call.ts";
import { denial, refused, refusedRequest, toOutcome } from "./to-outcome.ts";
import { signalsOf, type Doors, type Handlers } from "./transport.ts";

/** What a connection adds to each of its calls. */
export interface ConnectionSetting {
  readonly server: string;
  readonly envelope: EnvelopeSource;
  /** Whom the envelope is shown to on the way: a name, or the decision point; `undefined`: nobody. */
  readonly carry: true | string | undefined;
  /** Milliseconds for which a definition that was read counts as what is. */
  readonly definitionsLifetime: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A request that waits for its answer. */
interface Waiting {
  readonly request: Request;
  readonly isDecided: boolean;
  /** Aborted when the waiting is over, however it ends. */
  readonly over: AbortController;
  /** Takes the result of a `tools/list`. */
  readonly remember: ((result: unknown) => void) | undefined;
  /** A decided request without one was not sent. */
  admission?: Admission;
}

/** The doors of a transport with the enforcement point in them; `client` is where the client hangs its handlers. */
export function createConnection(pep: Pep, setting: ConnectionSetting, transport: Doors & Handlers, client: Handlers): Doors {
  const { server, envelope, carry } = setting;
  const waiting = new Map<RequestId, Waiting>();
  const definitions = createDefinitions(setting.definitionsLifetime, setting.now);

  const report = (error: unknown): void => client.onerror?.(error instanceof Error ? error : new Error(String(error)));
  const post = async (message: Wire, options?: unknown): Promise<void> => transport.send(message, options);
  const deliver = (message: Wire, extra?: unknown): void => {
    try {
      client.onmessage?.(message, extra);
    } catch (error) {
      report(error);
    }
  };
  const lists = createListReader(definitions, post);
  const serverRequests = createServerRequests({ pep, server, envelope, post, deliver, report, open: () => waiting.values() });

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
  const giveUpAll = async (): Promise<void> => void (await Promise.all([...[...waiting.values()].map(giveUp), serverRequests.giveUpAll()]));

  const forward = async (entry: Waiting, message: Wire, options: unknown): Promise<void> => {
    try {
      await post(message, options);
    } catch (error) {
      await giveUp(entry);
      throw error;
    }
  };

  /** The request as it goes on; `undefined` when the envelope should go along and cannot be shown. */
  const presented = async (request: Request, admission: Admission): Promise<Wire | undefined> => {
    if (carry === undefined) return decidedRequest(request, admission.arguments);
    try {
      const shown = await admission.show?.(carry === true ? undefined : carry);
      return decidedRequest(request, admission.arguments, shown === undefined ? "drop" : writePresentation(shown));
    } catch {
      return undefined; // INVARIANT I1: refused by the caller
    }
  };

  const decide = async (entry: Waiting, options: unknown): Promise<void> => {
    const { request, over } = entry;
    const { call, flaw } = toQuestion(request, DECIDED_REQUESTS);
    const tool = flaw === undefined ? toolOf(request) : undefined;
    if (tool !== undefined && definitions.isUnknown(tool)) await lists.read(request, over.signal);
    const definition = tool === undefined ? undefined : definitions.of(tool);
    const admission = await pep.admit({ ...call, envelope, server, definition, signal: over.signal });
    const message = admission.admitted && flaw === undefined ? await presented(request, admission) : undefined;
    if (waiting.get(request.id) !== entry) return admission.admitted ? admission.cancel() : undefined;
    if (admission.admitted && message !== undefined) {
      entry.admission = admission;
      return forward(entry, message, options);
    }
    take(entry);
    if (admission.admitted) await admission.cancel();
    const why = admission.admitted ? notSent(flaw, admission.decisionId) : admission.refused;
    // What the result of a flawed request would look like nobody can tell.
    deliver(flaw === undefined ? refused(request, why) : refusedRequest(request, why));
  };

  const sendRequest = async (request: Request, options: unknown): Promise<void> => {
    // With two requests under one id, the answer to the one would pass for the answer to the other.
    if (waiting.has(request.id)) throw new AmbitError("option_invalid", "the `id` of the request is in use");
    const isDecided = !PASSED_REQUESTS.has(request.method);
    const remember = request.method === "tools/list" ? definitions.list(request) : undefined;
    const entry: Waiting = { request, isDecided, over: new AbortController(), remember };
    waiting.set(request.id, entry);
    for (const signal of signalsOf(options)) {
      if (signal.aborted) await giveUp(entry);
      else signal.addEventListener("abort", () => void giveUp(entry), { once: true, signal: entry.over.signal });
    }
    return isDecided ? decide(entry, options) : forward(entry, request.wire, options);
  };

  const sendNotification = async (notification: Notification, options: unknown): Promise<void> => {
    const { method, wire } = notification;
    if (!PASSED_NOTIFICATIONS.has(method)) throw new AmbitError("tool_unmapped", `\`${method}\` is no notification that is known, so it is refused`);
    const cancelled = method === "notifications/cancelled" ? waiting.get(own(paramsOf(notification), "requestId") as RequestId) : undefined;
    await Promise.all([giveUp(cancelled), post(wire, options)]);
  };

  const send = async (raw: unknown, options?: unknown): Promise<void> => {
    attach();
    const message = readMessage(snapshot(raw));
    if (message === undefined) throw new AmbitError("option_invalid", "what is sent must be one JSON-RPC 2.0 message; batches are refused");
    if (message.kind === "request") return sendRequest(message, options);
    if (message.kind === "notification") return sendNotification(message, options);
    return post(await serverRequests.answer(message), options);
  };

  const receiveAnswer = (answer: Answer, extra: unknown): void => {
    if (lists.take(answer.id, answer.kind === "result" ? answer.value : undefined)) return;
    const entry = waiting.get(answer.id);
    // INVARIANT I1: an answer while the call is still being decided is a guess, and would end the call without a decision.
    if (entry === undefined || (entry.isDecided && entry.admission === undefined)) return report(new Error("an answer to nothing that was asked is left out"));
    take(entry);
    const { request, admission } = entry;
    if (admission !== undefined) return void toOutcome(request, admission, answer).then((message) => deliver(message, extra), report);
    const rule = LISTS.get(request.method);
    if (answer.kind === "error" || rule === undefined) return deliver(answer.wire, extra);
    entry.remember?.(answer.value);
    void shownList(pep, setting, request, rule, answer).then((message) => deliver(message, extra), report);
  };

  const receive = (raw: unknown, extra?: unknown): void => {
    const message = readMessage(raw);
    if (message === undefined) return report(new Error("what is not one JSON-RPC 2.0 message is left out"));
    if (message.kind === "request") return void serverRequests.receive(message, extra).catch(report);
    if (message.kind !== "notification") return receiveAnswer(message, extra);
    if (message.method === "notifications/tools/list_changed") definitions.forget();
    if (message.method === "notifications/cancelled") void serverRequests.cancel(own(paramsOf(message), "requestId")).catch(report);
    const shown = shownOf(message, waiting.values());
    return shown === undefined ? undefined : deliver(shown, extra);
  };

  const closed = (): void => {
    void giveUpAll();
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

/** Why a request does not go on although whoever was asked about it had nothing against it. */
function notSent(flaw: string | undefined, decisionId: string): ReturnType<typeof denial> {
  if (flaw !== undefined) return denial("tool_unmapped", `the request is refused: ${flaw}`, decisionId);
  return denial("pop_invalid", "the envelope cannot be shown to the server, so the call is refused", decisionId);
}
