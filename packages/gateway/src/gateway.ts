import { randomBytes } from "node:crypto";
import { AmbitError, createReceiver, isIdentifier, own, type Json, type JsonObject, type Pdp, type Pep, type Task } from "@ambit/core";
import { readPresentation } from "@ambit/core/token";
import { DECIDED_REQUESTS, LISTS, metaOf, PRESENTATION, toQuestion, type Request as Asked } from "@ambit/mcp/messages";
import { createMcpHandler, isLegacyRequest, type AuthInfo, type Server, type ServerContext } from "@modelcontextprotocol/server";
import { enter, type DoorOptions } from "./front/door.ts";
import { createSessions } from "./front/sessions.ts";
import { letIn, showing, type Asker } from "./relay/asker.ts";
import { together } from "./relay/capabilities.ts";
import { createLegSeal } from "./relay/leg.ts";
import { createRelay } from "./relay/relay.ts";
import { createRoutes } from "./relay/routes.ts";
import { createServer } from "./relay/server.ts";
import { createCatalogue } from "./upstream/catalogue.ts";
import { createConnections } from "./upstream/connections.ts";
import type { Upstream } from "./upstream/upstream.ts";

/** A client that was let in with something else than an envelope of its own, such as an access token. */
export interface LetIn {
  /** Who it is, the same at every request: its sessions are nobody else's. */
  readonly id: string;
  /** The enforcement point and the envelope that its requests are asked under; it sees neither. */
  readonly pep: Pep;
  readonly task: Task;
}

export interface GatewayOptions extends DoorOptions {
  readonly pdp: Pdp;
  /** The name of the gateway in `aud`, which every proof has to be for; one of the audiences of the decision point. */
  readonly audience: string;
  readonly upstreams: readonly Upstream[];
  /**
   * Who comes with the credentials of an HTTP request: a client, nobody (`undefined`: then every message has to show an envelope and a proof), or an answer that turns it away.
   *
   * @defaultValue nobody
   */
  readonly authenticate?: ((request: Request) => Promise<LetIn | Response | undefined>) | undefined;
  /** 32 bytes that seal what a client carries between the rounds of a call; the same in all replicas. @defaultValue made up */
  readonly sealKey?: Uint8Array | undefined;
  /** Milliseconds for one question to the decision point. @defaultValue 1000 */
  readonly deadline?: number | undefined;
  /** Milliseconds for which the lists of an upstream count as what it has. @defaultValue 60,000 */
  readonly lifetime?: number | undefined;
  /** Milliseconds after which a session or a connection that nobody uses is closed. @defaultValue 1,800,000 */
  readonly idle?: number | undefined;
  /** Sessions, and connections to upstreams, at a time. @defaultValue 1000 */
  readonly most?: number | undefined;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: (() => number) | undefined;
}

export interface Gateway extends AsyncDisposable {
  /** The MCP endpoint. */
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/**
 * The boundary: an MCP server that agents reach instead of their tools. Every request is decided, and nothing reaches an upstream without a permit that is on the record; the credentials
 * of the upstreams stay here. Refuses (`option_invalid`) upstreams of the same name.
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { pdp, audience, upstreams, authenticate, sealKey = randomBytes(32) } = options;
  const { deadline, lifetime = 60_000, idle = 1_800_000, most = 1000, now = Date.now } = options;
  const names = upstreams.map(({ name }) => name);
  if (!names.every(isIdentifier) || new Set(names).size !== names.length)
    throw new AmbitError("option_invalid", "every upstream needs a name of its own: the one that the manifest has for it");

  const receiver = createReceiver({ pdp, audience, deadline, now });
  const catalogues = upstreams.map((upstream) => createCatalogue(upstream, { lifetime, now, onChanged: (list) => changed(list) }));
  const routes = createRoutes(catalogues);
  const connections = createConnections({ most, idle, now });
  const relay = createRelay({ routes, connections, seal: createLegSeal(sealKey, now) });

  const asking = (client: LetIn | undefined, presentation: Json | undefined): Asker => {
    if (client !== undefined) return letIn(client.pep, client.task);
    const read = readPresentation(presentation);
    return showing(receiver, read.verified ? read.presentation : undefined);
  };
  const whoAsks = ({ http, mcpReq }: ServerContext): Asker =>
    asking(http?.authInfo?.extra?.[CLIENT] as LetIn | undefined, own((mcpReq._meta ?? {}) as JsonObject, PRESENTATION));
  /** A request of a method that is not known is refused by whoever speaks the protocol; here it is put on the record. */
  const attempted = async (message: Asked, client: LetIn | undefined): Promise<void> => {
    const { call } = toQuestion(message, NONE);
    const admitted = await asking(client, metaOf(message, PRESENTATION)).admit(call);
    if (admitted.admitted) await admitted.cancel();
  };
  const serve = async (owner: string, isSession: boolean): Promise<Server> =>
    createServer({ relay, ...(await together(catalogues)), owner, isSession }, whoAsks);

  const sessions = createSessions({ serve: (id) => serve(id, true), onEnd: (id) => void connections.drop(id), most, idle, now });
  const stateless = createMcpHandler(() => serve("", false), { legacy: "reject", keepAliveMs: 15_000 });
  const changed = (list: string): void => {
    const kind = list === "tools/list" ? "tools" : list === "prompts/list" ? "prompts" : "resources";
    sessions.tell(`notifications/${kind}/list_changed`);
    stateless.notify[`${kind}Changed`]();
  };

  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await Promise.all([sessions.close(), stateless.close()]);
    await Promise.all([connections.close(), ...catalogues.map((catalogue) => catalogue.close().catch(() => undefined))]);
  };

  return {
    fetch: async (request) => {
      const entered = await enter(request, options);
      if (entered.refused !== undefined) return entered.refused;
      const client = await authenticate?.(request);
      if (client instanceof Response) return client;
      const { message } = entered;
      const authInfo: AuthInfo = { token: "", clientId: client?.id ?? "", scopes: [], ...(client === undefined ? {} : { extra: { [CLIENT]: client } }) };
      if (message?.kind === "request" && !isKnown(message.method)) await attempted(message, client);
      // INVARIANT I4: what is read from here on is what was read before, and not the bytes that came in.
      const plain = new Request(request.url, { method: request.method, headers: request.headers, signal: request.signal });
      if (message === undefined || (await isLegacyRequest(plain, message.wire))) return sessions.handle(plain, message, authInfo, client?.id ?? "");
      return stateless.fetch(plain, { authInfo, parsedBody: message.wire });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const CLIENT = "dev.ambit/client";
const NONE: ReadonlySet<string> = new Set();
/** What sets up the connection, or listens for changes of lists. */
const OF_THE_PROTOCOL: ReadonlySet<string> = new Set(["initialize", "ping", "server/discover", "subscriptions/listen"]);

function isKnown(method: string): boolean {
  return DECIDED_REQUESTS.has(method) || LISTS.has(method) || OF_THE_PROTOCOL.has(method);
}
