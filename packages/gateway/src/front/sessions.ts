import { randomUUID } from "node:crypto";
import type { JsonObject } from "@ambit/core";
import type { Message } from "@ambit/mcp/messages";
import { WebStandardStreamableHTTPServerTransport, type AuthInfo, type Server } from "@modelcontextprotocol/server";

export interface SessionsOptions {
  /** Makes the server of one session. */
  readonly serve: (id: string) => Promise<Server>;
  /** Told that a session is over. */
  readonly onEnd: (id: string) => void;
  /** Sessions at a time; whoever begins one more is told to wait. */
  readonly most: number;
  /** Milliseconds after which a session of which nothing was heard is over. */
  readonly idle: number;
  readonly now: () => number;
}

/** Clients of the revisions up to 2025-11-25, which begin a session and then ask in it. */
export interface Sessions {
  handle(request: Request, message: Message | undefined, authInfo: AuthInfo, owner: string): Promise<Response>;
  /** Tells all of them. */
  tell(method: string): void;
  close(): Promise<void>;
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly server: Server;
  /** Whoever else knows its id may not use it. */
  readonly owner: string;
  since: number;
}

export function createSessions({ serve, onEnd, most, idle, now }: SessionsOptions): Sessions {
  const sessions = new Map<string, Session>();

  const end = async (id: string): Promise<void> => {
    const session = sessions.get(id);
    if (!sessions.delete(id)) return;
    onEnd(id);
    await session?.server.close().catch(() => undefined);
  };
  const timer = setInterval(
    () => {
      for (const [id, { since }] of sessions) if (now() - since >= idle) void end(id);
    },
    Math.max(1000, idle / 4),
  );
  timer.unref();

  const begin = async (owner: string): Promise<Session | undefined> => {
    if (sessions.size >= most) return undefined;
    const id = randomUUID();
    const server = await serve(id);
    const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => id });
    const session: Session = { transport, server, owner, since: now() };
    sessions.set(id, session);
    server.onclose = () => void end(id);
    await server.connect(transport);
    return session;
  };

  return {
    handle: async (request, message, authInfo, owner) => {
      const parsed = message === undefined ? {} : { parsedBody: message.wire };
      const id = request.headers.get("mcp-session-id");
      if (id === null) {
        if (request.method !== "POST") return refuse(405, "outside of a session there is nothing but POST");
        if (message?.kind !== "request" || message.method !== "initialize") return refuse(400, "the request is in no session");
        const session = await begin(owner);
        return session === undefined ? refuse(503, "there are too many sessions") : session.transport.handleRequest(request, { ...parsed, authInfo });
      }
      const session = sessions.get(id);
      // One that is somebody else's is none, so that nobody learns which there are.
      if (session === undefined || session.owner !== owner) return refuse(404, "there is no such session");
      session.since = now();
      return session.transport.handleRequest(request, { ...parsed, authInfo });
    },
    tell: (method) => {
      for (const { server } of sessions.values()) server.notification({ method } as never).catch(() => undefined);
    },
    close: async () => {
      clearInterval(timer);
      await Promise.all([...sessions.keys()].map(end));
    },
  };
}

function refuse(status: number, message: string): Response {
  const body: JsonObject = { jsonrpc: "2.0", id: null, error: { code: status === 404 ? -32001 : -32000, message } };
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
