import { type JsonObject } from "@ambit/core";
import { DECIDED_SERVER_REQUESTS, denial, toQuestion } from "@ambit/mcp/messages";
import { fromJsonSchema, type Server, type ServerContext } from "@modelcontextprotocol/server";
import type { UpstreamClient } from "../upstream/upstream.ts";
import type { Asker } from "./asker.ts";
import { refusing } from "./failure.ts";

/** What upstreams say and ask unasked, on its way to one client. */
export interface Unasked {
  /** A request of the client, until it is answered: what an upstream says or asks meanwhile is said because of it. */
  during(asker: Asker, context: ServerContext): During;
}

export interface During {
  readonly client: Omit<UpstreamClient, "onClose">;
  /** From now on its result must be checked, so nothing may come before it. */
  hold(): void;
  end(): void;
}

const ANYTHING = fromJsonSchema<JsonObject>({ type: "object" });
/** Whether a list has changed the catalogue says, for everybody. */
const PASSED: ReadonlySet<string> = new Set(["notifications/message", "notifications/resources/updated", "notifications/elicitation/complete"]);

interface Open {
  readonly asker: Asker;
  readonly context: ServerContext;
  isHeld: boolean;
}

/** `isSession`: whether the client can be asked, and told something when it has not asked. */
export function unaskedFor(server: Server, isSession: boolean): Unasked {
  const open = new Set<Open>();
  const isHeld = (): boolean => [...open].some((request) => request.isHeld);
  /** Which of several requests an upstream asks because of, the protocol does not say. */
  const latest = (): Open | undefined => [...open].at(-1);

  const onRequest: UpstreamClient["onRequest"] = async (method, params) => {
    const because = latest();
    if (!isSession || because === undefined) throw refusing(denial("tool_unmapped", "the client cannot be asked"));
    const { asker, context } = because;
    const { call, flaw } = toQuestion(
      { kind: "request", id: context.mcpReq.id, method, params, wire: {} },
      DECIDED_SERVER_REQUESTS,
      isHeld() ? HELD : undefined,
    );
    const ask = async (asked: JsonObject): Promise<JsonObject> => context.mcpReq.send({ method, params: asked } as never, ANYTHING);
    // What was shown is good for one call. The client that showed it has an enforcement point of its own, which decides what it is asked.
    if (!asker.isStanding) {
      if (flaw !== undefined) throw refusing(denial("tool_unmapped", `the request is refused: ${flaw}`));
      return ask(params);
    }
    const admitted = await asker.admit({ ...call, signal: context.mcpReq.signal });
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
  };

  const onNotification: UpstreamClient["onNotification"] = (method, params) => {
    if (!PASSED.has(method) || isHeld()) return;
    const notification = { method, params } as never;
    const context = latest()?.context;
    const sent = context === undefined ? isSession && server.notification(notification) : context.mcpReq.notify(notification);
    void Promise.resolve(sent).catch(() => undefined); // nobody listens any more
  };

  return {
    during: (asker, context) => {
      const entry: Open = { asker, context, isHeld: false };
      open.add(entry);
      const capabilities = (isSession ? server.getClientCapabilities() : (context.mcpReq.envelope as JsonObject | undefined)?.[CAPABILITIES]) ?? {};
      return {
        client: { capabilities: capabilities as JsonObject, onRequest, onNotification },
        hold: () => void (entry.isHeld = true),
        end: () => void open.delete(entry),
      };
    },
  };
}

const HELD = "while the result of a call must be checked";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
