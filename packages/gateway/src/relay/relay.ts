import { randomText, type JsonObject } from "@ambit/core";
import { DECIDED_REQUESTS, denial, toQuestion, type Request } from "@ambit/mcp/messages";
import { carryOut, type CarryOutSetting } from "./carry-out.ts";
import { INVALID_PARAMS, refuse, RequestFailure } from "./failure.ts";
import type { Incoming } from "./incoming.ts";
import { boundTo, type LegOf, type LegSeal } from "./leg.ts";
import { listFor } from "./listed.ts";
import type { Routes } from "./routes.ts";

export interface RelaySetting extends CarryOutSetting {
  readonly routes: Routes;
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
  return carryOut(setting, incoming, { destination, definition: listed?.definition, of, leg, admitted, under: admitted.under });
}

/** What goes on from nothing is a first round. */
async function roundOf(seal: LegSeal, { requestState }: Incoming): ReturnType<LegSeal["open"]> {
  if (requestState === undefined) return undefined;
  const opened = await seal.open(requestState);
  if (opened === undefined) throw new RequestFailure(INVALID_PARAMS, "Invalid or expired requestState", { reason: "invalid_request_state" });
  return opened;
}

function withoutMeta({ _meta: _, ...params }: JsonObject): JsonObject {
  return params;
}
