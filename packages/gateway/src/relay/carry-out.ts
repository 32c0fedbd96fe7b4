import { AmbitError, own, type Admission, type CredentialUse, type JsonObject } from "@ambit/core";
import { denial } from "@ambit/mcp/messages";
import { carriedOf } from "../credentials/carry.ts";
import type { Action, Connector, Credential } from "../credentials/connector.ts";
import { createScrubber, type Scrubber } from "../scrub/scrubber.ts";
import type { Connections } from "../upstream/connections.ts";
import type { RequestOptions } from "../upstream/upstream.ts";
import { askedBack } from "./asked-back.ts";
import { asksForMore, errorOf, INTERNAL_ERROR, refuse, RequestFailure } from "./failure.ts";
import type { Leg, LegOf, LegSeal } from "./leg.ts";
import type { Incoming } from "./incoming.ts";
import type { Destination } from "./routes.ts";

/** A request that is allowed, and on the record. */
export interface Allowed {
  readonly destination: Destination;
  readonly definition: JsonObject | undefined;
  readonly of: LegOf;
  readonly leg: Leg;
  readonly admitted: Admission;
  readonly under: NonNullable<Admission["under"]>;
}

export interface CarryOutSetting {
  readonly connections: Connections;
  readonly seal: LegSeal;
}

/** Carries out what is allowed, with a credential for it alone. Whatever happens, its outcome is on the record. Rejects with `RequestFailure`. */
export async function carryOut(setting: CarryOutSetting, incoming: Incoming, allowed: Allowed): Promise<JsonObject> {
  const { method, asking, signal } = incoming;
  const { destination, of, admitted, under } = allowed;
  const { upstream } = destination.catalogue;
  const { tenantId, delegatorId } = under.envelope;
  if (admitted.holdsResult) asking.hold();
  let leased: Leased | undefined;
  try {
    leased = await leaseFor(upstream.connector, actionOf(allowed), signal);
  } catch {
    await admitted.cancel();
    return refuse(method, denial("credential_unavailable", "there is no credential for this action now", admitted.decisionId));
  }
  try {
    const { credential, scrubber } = leased ?? {};
    if (leased !== undefined) admitted.uses(leased.use);
    if (scrubber !== undefined) asking.scrubWith(scrubber);
    let taken: Awaited<ReturnType<Connections["take"]>>;
    try {
      // INVARIANT I12: a connection is one person's; what an upstream keeps in it is not for anybody else.
      taken = await setting.connections.take(JSON.stringify([incoming.owner, tenantId, delegatorId]), upstream, asking);
    } catch {
      await admitted.cancel();
      return refuse(method, denial("upstream_unavailable", "the upstream cannot be reached", admitted.decisionId));
    }
    try {
      const params = sent(incoming, allowed);
      let result: JsonObject;
      try {
        result = await admitted.run(() => taken.connection.request(of.method, params, optionsOf(incoming, allowed, credential, scrubber)));
      } catch (error) {
        throw await failed(admitted, error, scrubber);
      }
      return await concluded(setting, incoming, allowed, scrubbed(scrubber, result));
    } finally {
      taken.release();
    }
  } finally {
    await leased?.end();
  }
}

interface Leased {
  readonly credential: Credential;
  readonly scrubber: Scrubber;
  readonly use: CredentialUse;
  end(): Promise<void>;
}

/** The credential of an action, and what takes it out of all that comes back; rejects where there is no one of both. */
async function leaseFor(connector: Connector | undefined, action: Action, signal: AbortSignal): Promise<Leased | undefined> {
  if (connector === undefined) return undefined;
  const credential = await connector.obtain(action, signal);
  // How the call ended is on the record, whatever becomes of its credential.
  const dispose = async (): Promise<void> => credential[Symbol.asyncDispose]();
  try {
    const scrubber = createScrubber(credential.secrets);
    const use = { connector: connector.name, overPrivileged: credential.overPrivileged };
    return { credential, scrubber, use, end: async () => (scrubber[Symbol.dispose](), dispose().catch(() => undefined)) };
  } catch (error) {
    await dispose().catch(() => undefined);
    throw error;
  }
}

async function concluded(
  { seal }: CarryOutSetting,
  { method, asker, signal }: Incoming,
  { admitted, leg, of }: Allowed,
  result: JsonObject,
): Promise<JsonObject> {
  if (!asksForMore(result)) {
    const completion = await admitted.complete(result);
    return completion.released ? completion.result : refuse(method, completion.refused);
  }
  const [state, questions] = [own(result, "requestState"), (own(result, "inputRequests") ?? {}) as JsonObject];
  const refused = admitted.holdsResult
    ? denial("tool_unmapped", "the upstream asks for more while its result must be checked, so it is refused", admitted.decisionId)
    : await askedBack(asker, of.server, questions, signal);
  if (refused !== undefined) {
    await admitted.abandon();
    return refuse(method, refused);
  }
  await admitted.pause();
  const next: Leg = { ...leg, state: typeof state === "string" ? state : undefined, asked: Object.keys(questions) };
  return { ...result, requestState: await seal.seal(next, of) };
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
  scrubber: Scrubber | undefined,
): RequestOptions {
  const { timeout = 60_000 } = destination.catalogue.upstream;
  // While a result must be checked, numbers alone may come before it.
  const shown = ({ message: _, ...numbers }: JsonObject): JsonObject => numbers;
  return {
    signal,
    timeout,
    ...carriedOf(credential),
    definition,
    onProgress: onProgress && ((progress) => onProgress(admitted.holdsResult ? shown(progress) : scrubbed(scrubber, progress))),
  };
}

/** How the call ended, for the record, and what the client is told of it. */
async function failed(admitted: Admission, error: unknown, scrubber: Scrubber | undefined): Promise<RequestFailure> {
  const said = errorOf(error);
  if (said === undefined) {
    // Nobody knows whether it took effect.
    await admitted.abandon();
    // Of errors the relayed ones alone say anything of the upstream, and these are our own.
    return new RequestFailure(INTERNAL_ERROR, AmbitError.isInstance(error) ? error.summary : "the upstream did not answer");
  }
  await admitted.fail(error);
  if (admitted.holdsResult) return new RequestFailure(said.code, "the tool failed; what it says of that is withheld, because it cannot be checked");
  const { message, data } = scrubbed(scrubber, { message: said.message, ...(said.data === undefined ? {} : { data: said.data as JsonObject }) });
  return new RequestFailure(said.code, String(message), data);
}

/** INVARIANT I10. Where no secret went along there is none to come back. */
function scrubbed(scrubber: Scrubber | undefined, value: JsonObject): JsonObject {
  return scrubber === undefined ? value : (scrubber.value(value) as JsonObject);
}

function actionOf({ of: { server, method, params, envelope }, admitted, under }: Allowed): Action {
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
