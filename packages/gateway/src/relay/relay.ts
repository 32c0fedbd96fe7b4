import { own, randomText, type Admission, type JsonObject, type Refused } from "@ambit/core";
import { DECIDED_REQUESTS, denial, toQuestion, type Request } from "@ambit/mcp/messages";
import type { Action, Credential } from "../credentials/connector.ts";
import type { Connections } from "../upstream/connections.ts";
import type { RequestOptions } from "../upstream/upstream.ts";
import type { Asker } from "./asker.ts";
import { askedBack } from "./asked-back.ts";
import { asksForMore, errorOf, INTERNAL_ERROR, INVALID_PARAMS, refusedResult, refusing, RequestFailure } from "./failure.ts";
import { boundTo, type Leg, type LegOf, type LegSeal } from "./leg.ts";
import { listFor } from "./listed.ts";
import type { Destination, Routes } from "./routes.ts";
import { UNTOUCHED, type Scrub } from "./scrubbing.ts";
import type { Underway } from "./unasked.ts";

export interface RelaySetting {
  readonly routes: Routes;
  readonly connections: Connections;
  readonly seal: LegSeal;
  /** What takes the values of a credential out of what comes back. */
  readonly scrubber: (secrets: readonly Uint8Array[]) => Scrub;
}

/** One request of a client. */
export interface Incoming {
  readonly id: string | number;
  readonly method: string;
  readonly params: JsonObject;
  readonly signal: AbortSignal;
  readonly asker: Asker;
  /** Answers to what the upstream asked in the round before, and what it wanted back. */
  readonly inputResponses?: JsonObject | undefined;
  readonly requestState?: string | undefined;
  /** Whose connections it uses: nobody else's. */
  readonly owner: string;
  readonly asking: Underway;
  readonly onProgress?: RequestOptions["onProgress"];
}

/** The way of a request that is decided, and of one that is not. INVARIANT I1, I3: nothing is sent to an upstream for anybody but from here, after an admission. */
export interface Relay {
  /** What the client is shown for its request: the result, or it rejects with `RequestFailure`. */
  request(incoming: Incoming): Promise<JsonObject>;
  /** Of a list, what the envelope could use. */
  list(incoming: Pick<Incoming, "method" | "params" | "asker">): Promise<JsonObject>;
}

export function createRelay(setting: RelaySetting): Relay {
  return { request: (incoming) => relayed(setting, incoming), list: (incoming) => listFor(setting.routes, incoming) };
}

async function relayed(setting: RelaySetting, incoming: Incoming): Promise<JsonObject> {
  const { id, method, asker, signal } = incoming;
  const destination = DECIDED_REQUESTS.has(method) ? await setting.routes.find(method, incoming.params) : undefined;
  // What is decided, and what goes on, has the names that it has there.
  const params = destination?.params ?? incoming.params;
  const request: Request = { kind: "request", id, method, params, wire: {} };
  const { call, flaw } = toQuestion(request, DECIDED_REQUESTS);
  const server = destination?.catalogue.upstream.name;
  const isCall = method === "tools/call";
  const listed = isCall && flaw === undefined ? await destination?.catalogue.tool(call.tool) : undefined;
  const round = await roundOf(setting.seal, incoming);
  // The id of the request is the client's to choose, so it must not make one call count as the repetition of another.
  const leg = round?.leg ?? { callId: randomText(), turn: "gateway", state: undefined, asked: [] };

  const admitted = await asker.admit({ ...call, server, definition: listed?.digest, callId: leg.callId, turn: leg.turn, signal });
  if (!admitted.admitted) return refuse(method, admitted.refused, flaw);
  const never = async (why: string): Promise<JsonObject> => {
    await admitted.cancel();
    return refuse(method, denial("tool_unmapped", `the request is refused: ${why}`, admitted.decisionId), flaw);
  };
  if (flaw !== undefined) return never(flaw);
  if (destination === undefined || (isCall && listed === undefined)) return never("no upstream has it");
  if (admitted.under === undefined) return never("nobody allowed it");
  const of: LegOf = { server: destination.catalogue.upstream.name, method, params: withoutMeta(params), envelope: admitted.under.envelope };
  if (round !== undefined && round.boundTo !== boundTo(of)) return never("what it goes on with is of another request");
  return run(setting, incoming, { destination, definition: listed?.definition, of, leg, admitted, under: admitted.under });
}

interface Allowed {
  readonly destination: Destination;
  readonly definition: JsonObject | undefined;
  readonly of: LegOf;
  readonly leg: Leg;
  readonly admitted: Admission;
  readonly under: NonNullable<Admission["under"]>;
}

/** From here on the action is allowed and on the record; whatever happens, its outcome is as well. */
async function run(setting: RelaySetting, incoming: Incoming, allowed: Allowed): Promise<JsonObject> {
  const { method, owner, asking } = incoming;
  const { destination, of, admitted, under } = allowed;
  const { upstream } = destination.catalogue;
  const { tenantId, delegatorId } = under.envelope;
  let taken: Awaited<ReturnType<Connections["take"]>>;
  let credential: Credential | undefined;
  if (admitted.holdsResult) asking.hold();
  try {
    // INVARIANT I12: a connection is one person's; what an upstream keeps in it is not for anybody else.
    taken = await setting.connections.take(JSON.stringify([owner, tenantId, delegatorId]), upstream, asking);
  } catch {
    await admitted.cancel();
    return refuse(method, denial("tool_unmapped", "the upstream cannot be reached", admitted.decisionId));
  }
  try {
    try {
      credential = await upstream.connector?.obtain(actionOf(of, allowed), incoming.signal);
    } catch {
      await admitted.cancel();
      return refuse(method, denial("credential_unavailable", "there is no credential for this action now", admitted.decisionId));
    }
    const scrub = credential === undefined ? UNTOUCHED : setting.scrubber(credential.secrets);
    let result: JsonObject;
    try {
      result = scrub.json(await admitted.run(() => taken.connection.request(method, sent(incoming, allowed), optionsOf(incoming, allowed, credential, scrub))));
    } catch (error) {
      throw await failed(admitted, error, scrub);
    }
    return await concluded(setting, incoming, allowed, result);
  } finally {
    taken.release();
    await credential?.[Symbol.asyncDispose]();
  }
}

async function concluded({ seal }: RelaySetting, { method, asker, signal }: Incoming, { admitted, leg, of }: Allowed, result: JsonObject): Promise<JsonObject> {
  if (asksForMore(result)) {
    if (admitted.holdsResult) {
      // What must be checked in a result must not come before it in a question.
      await admitted.abandon();
      return refuse(method, denial("tool_unmapped", "the upstream asks for more while its result must be checked, so it is refused", admitted.decisionId));
    }
    const [state, questions] = [own(result, "requestState"), own(result, "inputRequests") ?? {}];
    const refused = await askedBack(asker, of.server, questions as JsonObject, signal);
    if (refused !== undefined) {
      await admitted.abandon();
      return refuse(method, refused);
    }
    await admitted.pause();
    const next: Leg = { ...leg, state: typeof state === "string" ? state : undefined, asked: Object.keys(questions as JsonObject) };
    return { ...result, requestState: await seal.seal(next, of) };
  }
  const completion = await admitted.complete(result);
  return completion.released ? completion.result : refuse(method, completion.refused);
}

/** INVARIANT I4: what goes on carries the decided arguments, and of `_meta` nothing. */
function sent({ method, inputResponses = {} }: Incoming, { of, admitted, leg: { state, asked } }: Allowed): JsonObject {
  // What nobody asked for is no answer.
  const answers = Object.fromEntries(Object.entries(inputResponses).filter(([name]) => asked.includes(name)));
  const args = admitted.arguments as JsonObject;
  const decided: JsonObject = method === "tools/call" ? { name: of.params["name"] ?? null, arguments: args } : args;
  return { ...decided, ...(Object.keys(answers).length === 0 ? {} : { inputResponses: answers }), ...(state === undefined ? {} : { requestState: state }) };
}

function optionsOf(
  { signal, onProgress }: Incoming,
  { destination, definition, admitted }: Allowed,
  credential: Credential | undefined,
  scrub: Scrub,
): RequestOptions {
  const { timeout = 60_000 } = destination.catalogue.upstream;
  // While a result must be checked, numbers alone may come before it.
  const shown = ({ message: _, ...numbers }: JsonObject): JsonObject => numbers;
  return {
    signal,
    timeout,
    headers: credential?.headers,
    definition,
    onProgress: onProgress && ((progress) => onProgress(admitted.holdsResult ? shown(progress) : scrub.json(progress))),
  };
}

/** How the call ended, for the record, and what the client is told of it. */
async function failed(admitted: Admission, error: unknown, scrub: Scrub): Promise<RequestFailure> {
  const said = errorOf(error);
  if (said === undefined) {
    // Nobody knows whether it took effect.
    await admitted.abandon();
    return new RequestFailure(INTERNAL_ERROR, "the upstream did not answer");
  }
  await admitted.fail(error);
  if (admitted.holdsResult) return new RequestFailure(said.code, "the tool failed; what it says of that is withheld, because it cannot be checked");
  return new RequestFailure(said.code, scrub.text(said.message), said.data === undefined ? undefined : scrub.json(said.data as JsonObject));
}

function refuse(method: string, why: Refused, flaw?: string): JsonObject {
  // What the result of a flawed request would look like nobody can tell.
  if (method === "tools/call" && flaw === undefined) return refusedResult(why);
  throw refusing(why);
}

/** What goes on from nothing is a first round. */
async function roundOf(seal: LegSeal, { requestState }: Incoming): ReturnType<LegSeal["open"]> {
  if (requestState === undefined) return undefined;
  const opened = await seal.open(requestState);
  if (opened === undefined) throw new RequestFailure(INVALID_PARAMS, "Invalid or expired requestState", { reason: "invalid_request_state" });
  return opened;
}

function actionOf({ server, method, params, envelope }: LegOf, { admitted, under }: Allowed): Action {
  const { tenantId, delegatorId, agentId, taskId } = envelope;
  const { purpose, resourceConstraints: constraints } = under.envelope;
  const { decisionId } = admitted;
  const tool = method === "tools/call" ? String(params["name"]) : method;
  return {
    tenantId,
    delegatorId,
    agentId,
    taskId,
    purpose,
    constraints,
    server,
    tool,
    arguments: admitted.arguments as JsonObject,
    decisionId,
    until: under.until,
  };
}

function withoutMeta({ _meta: _, ...params }: JsonObject): JsonObject {
  return params;
}
