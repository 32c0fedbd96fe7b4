import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Client as ClientV2, InMemoryResponseCacheStore, StreamableHTTPClientTransport as HttpTransportV2 } from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { StreamableHTTPServerTransport, type EventStore } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createMcpHandler, McpServer as McpServerV2 } from "@modelcontextprotocol/server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { protect, protectServer } from "../src/index.ts";
import { createCrm, refusalIn } from "./support/crm.ts";
import { deny, enforcement, fakePdp, limitRecords, permit } from "./support/fake-pdp.ts";
import { Pipe } from "./support/pipe.ts";
import { both, CALL } from "./support/protected-server.ts";

const INFO = { name: "test", version: "1.0.0" };

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const open of opened.splice(0).toReversed()) await open.close();
});

/** What a server has sent, to be sent again: of every stream all that came after an event. */
function createEventStore(): EventStore {
  const events: { readonly streamId: string; readonly message: Parameters<EventStore["storeEvent"]>[1] }[] = [];
  return {
    storeEvent: async (streamId, message) => String(events.push({ streamId, message }) - 1),
    replayEventsAfter: async (lastEventId, { send }) => {
      const streamId = events[Number(lastEventId)]?.streamId ?? "";
      for (const [id, event] of events.entries()) if (id > Number(lastEventId) && event.streamId === streamId) await send(String(id), event.message);
      return streamId;
    },
  };
}

/** A server of SDK 1 over Streamable HTTP with sessions, whose streams can be resumed. */
async function serve(crm = createCrm()) {
  const serverSide = new StreamableHTTPServerTransport({ sessionIdGenerator: () => "session_1", eventStore: createEventStore() });
  await crm.server.connect(serverSide as Parameters<typeof crm.server.connect>[0]);
  const http = createServer((request, response) => void serverSide.handleRequest(request, response));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  opened.push({ close: () => new Promise((resolve) => http.close(resolve).closeAllConnections()) }, crm.server);
  return { crm, url: new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`) };
}

async function open(client: Client, transport: unknown): Promise<Client> {
  opened.push(client);
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  return client;
}

describe("a stream that is resumed", () => {
  async function connectResumable() {
    const { crm, url } = await serve();
    // What must be held back of one call must not come as the answer to another.
    const pdp = fakePdp({ decide: async ({ action }) => (action.name === "contracts_read" ? permit(limitRecords(1)) : permit()) });
    const { pep, task } = await enforcement(pdp, undefined);
    const transport = protect(pep, { transport: new StreamableHTTPClientTransport(url), server: "crm", envelope: task });
    const client = await open(new Client(INFO), transport);
    const errors: Error[] = [];
    client.onerror = (error) => void errors.push(error);
    const tokens: string[] = [];
    const read = await client.callTool(CALL, undefined, { onresumptiontoken: (token) => void tokens.push(token) });
    expect(JSON.stringify(read)).not.toContain("contract_2");
    await vi.waitFor(() => expect(tokens.length).toBeGreaterThan(0));
    return { client, transport, crm, errors, first: tokens[0] as string };
  }

  it("under another request is refused, with whatever method it is asked for", async () => {
    const { client, crm, first } = await connectResumable();
    const options = { resumptionToken: first };
    for (const asking of [
      () => client.callTool({ name: "echo" }, undefined, options),
      () => client.listTools({}, options),
      () => client.ping(options),
      () => client.readResource({ uri: "crm://public" }, options),
    ])
      await expect(asking()).rejects.toMatchObject({ code: "option_invalid" });
    expect(crm.reached).toHaveLength(1);
  });

  it("by `resumeStream` of the transport shows nothing of what has been answered", async () => {
    const { client, transport, errors, first } = await connectResumable();
    const seen: unknown[] = [];
    const inner = transport.onmessage;
    transport.onmessage = (message) => {
      seen.push(message);
      inner?.(message);
    };
    await transport.resumeStream(first);
    await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0));
    expect(JSON.stringify(seen)).not.toContain("contract_2");
    await client.ping();
  });
});

describe("the session of a protected client", () => {
  it("is no way round a protected server: whoever has its id has no envelope", async () => {
    const { world, own, protection } = await both();
    const crm = createCrm();
    protectServer(crm.server, protection);
    const { url } = await serve(crm);
    const transport = protect(world.pep, {
      transport: new StreamableHTTPClientTransport(url),
      server: "crm",
      envelope: world.task,
      carry: "urn:example:crm",
      now: world.now,
    });
    await open(new Client(INFO), transport);
    const other = await open(new Client(INFO), new StreamableHTTPClientTransport(url, { sessionId: transport.sessionId as string }));
    expect(refusalIn(await other.callTool(CALL)).code).toBe("envelope_malformed");
    // So is a batch, of which an HTTP transport makes messages.
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-session-id": "session_1" };
    const batch = [1, 2].map((id) => ({ jsonrpc: "2.0", id, method: "tools/call", params: CALL }));
    const answer = await (await fetch(url, { method: "POST", headers, body: JSON.stringify(batch) })).text();
    expect(answer.match(/envelope_malformed/g)).toHaveLength(2);
    expect(crm.reached).toEqual([]);
    expect(own.attempts()).toHaveLength(3);
  });

  it("is a way round a server that is not: this is the limit that `coverage` tells", async () => {
    const { crm, url } = await serve();
    const { pep, task } = await enforcement(fakePdp({ decide: async () => deny() }));
    const transport = protect(pep, { transport: new StreamableHTTPClientTransport(url), server: "crm", envelope: task });
    const client = await open(new Client(INFO), transport);
    expect(refusalIn(await client.callTool(CALL)).code).toBe("policy_denied");
    const other = await open(new Client(INFO), new StreamableHTTPClientTransport(url, { sessionId: transport.sessionId as string }));
    expect((await other.callTool(CALL)).isError).toBeUndefined();
    expect(crm.reached).toHaveLength(1);
  });
});

describe("a client of SDK 2 without sessions", () => {
  it("opens no subscription that is not permitted, and answers no question in the place of a call", async () => {
    const reached: unknown[] = [];
    const handler = createMcpHandler(() => {
      const server = new McpServerV2(INFO, { capabilities: { tools: { listChanged: true } } });
      server.registerTool("contracts_read", {}, () => ({ content: [] }));
      return server;
    });
    const fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
      reached.push((JSON.parse(String(init?.body ?? "{}")) as { readonly method?: unknown }).method);
      return handler.fetch(new Request(url, init));
    };
    const pdp = fakePdp({ decide: async () => deny() });
    const { pep, task } = await enforcement(pdp);
    const client = new ClientV2(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
    opened.push(handler, client);
    await client.connect(protect(pep, { transport: new HttpTransportV2(new URL("http://crm.test/"), { fetch }), server: "crm", envelope: task }));
    await client.discover();
    await client.listTools();
    await expect(client.listen({ toolsListChanged: true })).rejects.toMatchObject({ code: -32010 });
    const answering = { method: "tools/call", params: { ...CALL, inputResponses: { password: { action: "accept", content: {} } }, requestState: "s" } };
    await expect(client.request(answering as never)).rejects.toMatchObject({ code: -32010 });
    expect(new Set(reached)).toEqual(new Set(["server/discover", "tools/list"]));
    expect(pdp.asked.map(({ action }) => action.name)).toEqual(["subscriptions/listen", "contracts_read (with more than a name and arguments)"]);
  });

  it.each([
    ["the server", { ttlMs: 86_400_000, cacheScope: "public" }, {}],
    ["the client", {}, { defaultCacheTtlMs: 86_400_000 }],
  ])("asks again about a resource although %s would keep it", async (_, said, options) => {
    // Not stamped by an SDK, which would say something of its own.
    const pipe = new Pipe();
    const answers: Readonly<Record<string, object>> = {
      "server/discover": { resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: { resources: {} }, serverInfo: INFO },
      "resources/read": { resultType: "complete", contents: [{ uri: "crm://a", text: "secret" }], ...said },
    };
    const send = pipe.send.bind(pipe);
    pipe.send = async (message) => {
      await send(message);
      const { id, method } = message as { readonly id: unknown; readonly method: string };
      if (answers[method] !== undefined) queueMicrotask(() => pipe.onmessage?.({ jsonrpc: "2.0", id, result: answers[method] }));
    };
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    let envelope: typeof task | undefined = task;
    const client = new ClientV2(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } }, ...options });
    opened.push(client);
    await client.connect(protect(pep, { transport: pipe, server: "crm", envelope: () => envelope }) as never);
    expect(await client.readResource({ uri: "crm://a" })).toMatchObject({ contents: [{ text: "secret" }] });
    await client.readResource({ uri: "crm://a" });
    expect(pdp.asked.map(({ action }) => action.name)).toEqual(["resources/read", "resources/read"]);
    envelope = undefined;
    await expect(client.readResource({ uri: "crm://a" })).rejects.toMatchObject({ data: { code: "envelope_malformed" } });
  });

  it("shows what a cache has that the application gave it, which nobody is asked about: LIMIT", async () => {
    const store = new InMemoryResponseCacheStore();
    const handler = createMcpHandler(() => {
      const server = new McpServerV2(INFO);
      server.registerResource("a", "crm://a", {}, () => ({ contents: [{ uri: "crm://a", text: "secret" }], ttlMs: 60_000, cacheScope: "public" as const }));
      return server;
    });
    const fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => handler.fetch(new Request(url, init));
    const url = new URL("http://crm.test/");
    const settings = { versionNegotiation: { mode: { pin: "2026-07-28" } }, responseCacheStore: store } as const;
    const [bare, closed] = [new ClientV2(INFO, settings), new ClientV2(INFO, settings)];
    opened.push(handler, bare, closed);
    await bare.connect(new HttpTransportV2(url, { fetch }));
    await bare.readResource({ uri: "crm://a" });
    const pdp = fakePdp({ decide: async () => deny() });
    const { pep, task } = await enforcement(pdp);
    await closed.connect(protect(pep, { transport: new HttpTransportV2(url, { fetch }), server: "crm", envelope: task }));
    expect(await closed.readResource({ uri: "crm://a" })).toMatchObject({ contents: [{ text: "secret" }] });
    expect(pdp.asked).toEqual([]);
  });
});
