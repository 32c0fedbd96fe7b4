import type { JsonObject } from "@ambit/core";
import { DECIDED_SERVER_REQUESTS, denial, toQuestion } from "@ambit/mcp/messages";
import { fromJsonSchema, type Server, type ServerContext } from "@modelcontextprotocol/server";
import type { Asking } from "../upstream/connections.ts";
import type { Asker } from "./asker.ts";
import type { Scrubber } from "../scrub/scrubber.ts";
import { refusing } from "./failure.ts";

const ANYTHING = fromJsonSchema<JsonObject>({ type: "object" });
/** Whether a list has changed the catalogue says, for everybody. */
const PASSED: ReadonlySet<string> = new Set(["notifications/message", "notifications/resources/updated", "notifications/elicitation/complete"]);
const HELD = "while the result of a call must be checked";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

/** A request that is relayed; `hold` says that its result must be checked, `end` that it was answered. */
export interface Underway extends Asking {
  hold(): void;
  /** Its credential must not come back, by whatever way. */
  scrubWith(scrubber: Scrubber): void;
  end(): void;
}

/** What an upstream says and asks before it answers a request, on its way to the client that waits. `isSession`: whether that can be asked. */
export function underWay(server: Server, isSession: boolean, asker: Asker, context: ServerContext): Underway {
  let [isHeld, isOver] = [false, false];
  let scrubber: Scrubber | undefined;
  const { mcpReq } = context;
  const capabilities = (isSession ? server.getClientCapabilities() : (mcpReq.envelope as JsonObject | undefined)?.[CAPABILITIES]) ?? {};
  return {
    capabilities: capabilities as JsonObject,
    isSession,
    get isHeld() {
      return isHeld;
    },
    hold: () => void (isHeld = true),
    scrubWith: (made) => void (scrubber = made),
    scrub: (params) => (scrubber === undefined ? params : (scrubber.value(params) as JsonObject)),
    end: () => {
      [isHeld, isOver] = [false, true];
      scrubber = undefined;
    },
    onRequest: async (from, method, params, isAnyHeld) => {
      if (!isSession) throw refusing(denial("tool_unmapped", "the client cannot be asked"));
      const request = { kind: "request", id: mcpReq.id, method, params, wire: {} } as const;
      const { call, flaw } = toQuestion(request, DECIDED_SERVER_REQUESTS, isAnyHeld ? HELD : undefined);
      const ask = async (asked: JsonObject): Promise<JsonObject> => mcpReq.send({ method, params: asked } as never, ANYTHING);
      // What was shown is good for one call. The client that showed it has an enforcement point of its own, which decides what it is asked.
      if (!asker.isStanding) {
        if (flaw !== undefined) throw refusing(denial("tool_unmapped", `the request is refused: ${flaw}`));
        return ask(params);
      }
      const admitted = await asker.admit({ ...call, server: from, signal: mcpReq.signal });
      if (!admitted.admitted) throw refusing(admitted.refused);
      if (flaw !== undefined) {
        await admitted.cancel();
        throw refusing(denial("tool_unmapped", `the request is refused: ${flaw}`, admitted.decisionId));
      }
      let answer: JsonObject;
      try {
        answer = await ask(admitted.arguments as JsonObject);
      } catch (error) {
        await admitted.fail(error);
        throw error;
      }
      const completion = await admitted.complete(answer);
      if (!completion.released) throw refusing(completion.refused);
      return completion.result;
    },
    onNotification: (method, params) => {
      if (!PASSED.has(method)) return;
      // What comes after the answer comes on the stream of the session, and says no more than that something is new.
      const sent = isOver ? isSession && sendUpdate(server, method, params) : mcpReq.notify({ method, params } as never);
      void Promise.resolve(sent).catch(() => undefined); // nobody listens any more
    },
  };
}

async function sendUpdate(server: Server, method: string, { uri }: JsonObject): Promise<void> {
  if (method === "notifications/resources/updated") await server.notification({ method, params: { uri } } as never);
}
