import { AmbitError, chainOf, type Admission, type EnvelopeSource, type JsonObject, type Pep, type Refused } from "@ambit/core";
import { writePresentation } from "@ambit/core/token";
import { createDefinitions } from "./definitions.ts";
import { paramsOf, type Answer, type Message, type Notification, type Request, type Wire } from "./json-rpc.ts";
import { createLink } from "./link.ts";
import { shownList } from "./lists.ts";
import { DECIDED_REQUESTS, DECIDED_SERVER_REQUESTS, LISTS, PASSED_NOTIFICATIONS, PASSED_REQUESTS, PASSED_SERVER_REQUESTS } from "./methods.ts";
import { isHeld, shownOf } from "./notifications.ts";
import { createListReader } from "./read-definitions.ts";
import { cancelledBy, createRequests, type Entry } from "./requests.ts";
import { decidedRequest, protocolMeta, toAttempt, toolOf, toQuestion } from "./to-call.ts";
import { denial, toOutcome } from "./to-outcome.ts";
import { sendOptions, signalsOf, type Doors, type Handlers } from "./transport.ts";

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

export interface Connection {
  /** The doors of the transport with the enforcement point in them. */
  readonly doors: Doors;
  /** The names of the server's tools as it lists them now; none when it cannot be asked. */
  tools(): Promise<readonly string[]>;
}

const HELD = "while the result of a call must be checked";

/** `client` is where the client hangs its handlers. */
export function createConnection(pep: Pep, setting: ConnectionSetting, transport: Doors & Handlers, client: Handlers): Connection {
  const { server, envelope, carry } = setting;
  const link = createLink(transport, client);
  const { post, deliver, report } = link;
  const requests = createRequests();
  const definitions = createDefinitions(setting.definitionsLifetime, setting.now);
  /** A list shows what its reader could ask for, so the chain goes along with it; nothing is done by it, so there is nothing to prove. */
  const listing = async (request: Request): Promise<Wire> => {
    if (carry === undefined) return request.wire;
    try {
      const chain = chainOf(typeof envelope === "function" ? await envelope() : envelope);
      return decidedRequest(request, paramsOf(request), chain === undefined ? "drop" : writePresentation({ chain, pop: "" }));
    } catch {
      return decidedRequest(request, paramsOf(request), "drop"); // who has no envelope is shown what that is shown
    }
  };
  const lists = createListReader(definitions, async (request) => post(await listing(request)));
  /** What the server asks of the client: sampling, elicitation and roots let it act in the delegator's name. */
  const asked = createRequests();
  /** What the client last said of its protocol. */
  let protocol: JsonObject = {};
  /** Take the results of lists of tools. */
  const readers = new WeakMap<Entry, (result: unknown) => void>();

  const forward = async (entry: Entry, message: Wire, options: unknown): Promise<void> => {
    try {
      await post(message, options);
    } catch (error) {
      await requests.giveUp(entry);
      throw error;
    }
  };

  /** The request as it goes on, with the envelope where that should go along. */
  const presented = async (request: Request, admission: Admission): Promise<Wire | Refused> => {
    if (carry === undefined) return decidedRequest(request, admission.arguments);
    try {
      const shown = await admission.show?.(carry === true ? undefined : carry);
      return decidedRequest(request, admission.arguments, shown === undefined ? "drop" : writePresentation(shown));
    } catch {
      return denial("pop_invalid", "the envelope cannot be shown to the server, so the call is refused", admission.decisionId);
    }
  };

  const decide = async (entry: Entry, options: unknown): Promise<void> => {
    const { request, over } = entry;
    const question = toQuestion(request, DECIDED_REQUESTS);
    const tool = question.flaw === undefined ? toolOf(request) : undefined;
    if (tool !== undefined && definitions.isUnknown(tool)) await lists.read(protocolMeta(request), over.signal);
    const definition = tool === undefined ? undefined : definitions.of(tool);
    const admitted = await pep.admit({ ...question.call, envelope, server, definition, signal: over.signal });
    const { on, back } = await requests.conclude(entry, question, admitted, (admission) => presented(request, admission));
    if (on !== undefined) return forward(entry, on, options);
    if (back !== undefined) deliver(back);
  };

  const sendRequest = async (request: Request, options: unknown): Promise<void> => {
    const entry = requests.begin(request, !PASSED_REQUESTS.has(request.method));
    if (entry === undefined) throw new AmbitError("option_invalid", "the `id` of the request is in use");
    protocol = protocolMeta(request);
    if (request.method === "tools/list") readers.set(entry, definitions.list(request));
    for (const signal of signalsOf(options)) {
      if (signal.aborted) await requests.giveUp(entry);
      else signal.addEventListener("abort", () => void requests.giveUp(entry), { once: true, signal: entry.over.signal });
    }
    if (entry.isDecided) return decide(entry, options);
    return forward(entry, LISTS.has(request.method) ? await listing(request) : request.wire, options);
  };

  const sendNotification = async (notification: Notification, options: unknown): Promise<void> => {
    const { method, wire } = notification;
    if (!PASSED_NOTIFICATIONS.has(method)) {
      const admitted = await pep.admit({ ...toAttempt(notification), envelope, server });
      if (admitted.admitted) await admitted.cancel();
      throw new AmbitError("tool_unmapped", `\`${method}\` is no notification that is known, so it is refused`);
    }
    await Promise.all([requests.giveUp(cancelledBy(notification, requests)), post(wire, options)]);
  };

  const send = async (message: Message | undefined, given: unknown): Promise<void> => {
    const options = sendOptions(given);
    if (message === undefined) throw new AmbitError("option_invalid", "what is sent must be one JSON-RPC 2.0 message; batches are refused");
    if (message.kind === "request") return sendRequest(message, options);
    if (message.kind === "notification") return sendNotification(message, options);
    const entry = asked.answered(message.id);
    if (entry === undefined) throw new AmbitError("option_invalid", "the response answers nothing that was asked");
    return post(entry.admission === undefined ? message.wire : await toOutcome(entry.request, entry.admission, message), options);
  };

  const receiveAnswer = (answer: Answer, extra: unknown): void => {
    if (lists.take(answer.id, answer.kind === "result" ? answer.value : undefined)) return;
    const entry = requests.answered(answer.id);
    if (entry === undefined) return report(new Error("an answer to nothing that was asked is left out"));
    const { request, admission } = entry;
    if (admission !== undefined) return void toOutcome(request, admission, answer).then((message) => deliver(message, extra), report);
    const rule = LISTS.get(request.method);
    if (answer.kind === "error" || rule === undefined) return deliver(answer.wire, extra); // at once, before whatever comes next
    readers.get(entry)?.(answer.value);
    void shownList(pep, setting, request, rule, answer).then((message) => deliver(message, extra), report);
  };

  const receiveRequest = async (request: Request, extra: unknown): Promise<void> => {
    const entry = asked.begin(request, !PASSED_SERVER_REQUESTS.has(request.method));
    if (entry === undefined) return report(new Error("a second request under one id is left out"));
    if (!entry.isDecided) return deliver(request.wire, extra);
    // What must be checked in a result must not come before it in a question, neither when the question comes nor when it is decided.
    const question = toQuestion(request, DECIDED_SERVER_REQUESTS, isHeld(requests.open()) ? HELD : undefined);
    const admitted = await pep.admit({ ...question.call, envelope, server, signal: entry.over.signal });
    const { on, back } = await asked.conclude(entry, question, admitted, ({ arguments: args, decisionId }) =>
      isHeld(requests.open()) ? denial("tool_unmapped", `the request is refused: ${HELD}`, decisionId) : decidedRequest(request, args),
    );
    if (on !== undefined) return deliver(on, extra);
    if (back !== undefined) await post(back);
  };

  const receive = (message: Message, extra: unknown): void => {
    if (message.kind === "request") return void receiveRequest(message, extra).catch(report);
    if (message.kind !== "notification") return receiveAnswer(message, extra);
    if (message.method === "notifications/tools/list_changed") definitions.forget();
    void asked.giveUp(cancelledBy(message, asked)).catch(report);
    const shown = shownOf(message, requests.open());
    return shown === undefined ? undefined : deliver(shown, extra);
  };

  const doors = link.doors({
    send,
    receive,
    giveUpAll: async () => void (await Promise.all([requests.giveUpAll(), asked.giveUpAll()])),
    onStart: () => definitions.forget(), // another connection may lead to another server
  });
  const tools = async (): Promise<readonly string[]> => {
    await lists.read(protocol, new AbortController().signal);
    return definitions.names();
  };
  return { doors, tools };
}
