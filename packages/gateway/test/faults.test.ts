import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { httpUpstream, type Connector } from "../src/index.ts";
import { createWorld, type World } from "./support/world.ts";

const INFO = { name: "test", version: "1.0.0" };
const CALL = { name: "contracts_read", arguments: { customer_id: "c1" } };
const ECHO = { name: "echo", inputSchema: { type: "object", properties: { text: { type: "string" } } } };
const TOOL = { name: "contracts_read", inputSchema: { type: "object", properties: { customer_id: { type: "string" } } } };

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const open of opened.splice(0).toReversed()) await open.close();
});

type Answer = (request: { readonly id?: number; readonly method: string }, response: ServerResponse, incoming: IncomingMessage) => void;

/** An upstream of 2026-07-28 that answers everything but calls, which `onCall` answers, or does not. */
async function startUpstream(onCall: Answer) {
  const calls: unknown[] = [];
  const http = createServer((incoming, response) => {
    let text = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    incoming.on("end", () => {
      if (incoming.method !== "POST") return void response.writeHead(405).end();
      const request = JSON.parse(text) as { readonly id?: number; readonly method: string; readonly params?: unknown };
      const reply = (result: object): unknown =>
        response
          .writeHead(200, { "content-type": "application/json" })
          .end(JSON.stringify({ jsonrpc: "2.0", id: request.id, result: { resultType: "complete", ttlMs: 0, cacheScope: "private", ...result } }));
      if (request.method === "server/discover") return void reply({ supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
      if (request.method === "tools/list") return void reply({ tools: [TOOL, ECHO] });
      if (request.method !== "tools/call") return void response.writeHead(202).end();
      calls.push(request.params);
      onCall(request, response, incoming);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  opened.push({ close });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, calls };
}

async function before(onCall: Answer, more: { readonly connector?: Connector; readonly timeout?: number } = {}) {
  const upstream = await startUpstream(onCall);
  const upstreams = [httpUpstream({ name: "crm", url: upstream.url, allowPrivate: ["127.0.0.1"], timeout: 1000, ...more })];
  const world = await createWorld({ isLetIn: true, upstreams });
  opened.push({ close: () => world[Symbol.asyncDispose]() as Promise<void> });
  return { world, upstream, client: await connected(world) };
}

async function connected({ url }: World): Promise<Client> {
  const client = new Client(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  await client.connect(new StreamableHTTPClientTransport(url));
  opened.push(client);
  return client;
}

const ok: Answer = ({ id }, response) =>
  void response
    .writeHead(200, { "content-type": "application/json" })
    .end(JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", content: [], structuredContent: { records: [] } } }));

describe("an upstream that", () => {
  it("does not answer is waited for as long as is said, and what became of the call nobody knows", async () => {
    const { world, client } = await before(() => undefined, { timeout: 300 });
    await expect(client.callTool(CALL)).rejects.toMatchObject({ code: -32603 });
    expect(world.outcomes()).toEqual(["unknown"]);
  });

  it.each([
    ["breaks off", (_: unknown, response: ServerResponse): void => void response.writeHead(200, { "content-type": "application/json" }).socket?.destroy()],
    ["answers garbage", (_: unknown, response: ServerResponse): void => void response.writeHead(200, { "content-type": "application/json" }).end("}{")],
    ["answers with a page", (_: unknown, response: ServerResponse): void => void response.writeHead(200, { "content-type": "text/html" }).end("<html>")],
    ["leads elsewhere", (_: unknown, response: ServerResponse): void => void response.writeHead(307, { location: "http://169.254.169.254/latest/" }).end()],
    ["fails", (_: unknown, response: ServerResponse): void => void response.writeHead(500).end("stack trace of the crm")],
    ["answers to another id", (_: unknown, response: ServerResponse): void => ok({ id: 4711, method: "" }, response, undefined as never)],
  ] as const)("%s has its call recorded, and says nothing to the client", async (_, onCall) => {
    const { world, client, upstream } = await before(onCall as Answer);
    const error: unknown = await client.callTool(CALL).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).not.toContain("crm");
    expect(upstream.calls).toHaveLength(1);
    expect(["unknown", "failed"]).toContain(world.outcomes()[0]);
    expect(world.outcomes()).toHaveLength(1);
  });

  it("is no longer waited for when the client gives up", async () => {
    const gone = vi.fn();
    const { world, client, upstream } = await before((_, response) => void response.on("close", gone), { timeout: 20_000 });
    const abort = new AbortController();
    const call = client.callTool(CALL, { signal: abort.signal });
    await vi.waitFor(() => expect(upstream.calls).toHaveLength(1), { timeout: 10_000 });
    abort.abort();
    await expect(call).rejects.toThrow(/abort/iu);
    await vi.waitFor(() => expect([gone.mock.calls.length, world.outcomes()]).toEqual([1, ["unknown"]]), { timeout: 10_000 });
  });
});

describe("without a credential", () => {
  it("an action does not run, and nothing is charged for it", async () => {
    const connector: Connector = {
      name: "crm",
      obtain: async (action) => {
        if (action !== undefined) throw new Error("the vault is sealed, and the key is hunter2");
        return { headers: {}, secrets: [], [Symbol.asyncDispose]: async () => undefined };
      },
    };
    const { world, client, upstream } = await before(ok, { connector });
    const { content } = await client.callTool(CALL);
    expect(JSON.stringify(content)).toContain("credential_unavailable");
    expect(JSON.stringify(content)).not.toContain("hunter2");
    expect([upstream.calls, world.outcomes()]).toEqual([[], ["not_run"]]);
  });

  it("that is for the very action, none is asked for", async () => {
    const actions: unknown[] = [];
    const disposed = vi.fn(async () => undefined);
    const connector: Connector = {
      name: "crm",
      obtain: async (action) => {
        if (action !== undefined) actions.push(action);
        return { headers: {}, secrets: [], [Symbol.asyncDispose]: disposed };
      },
    };
    const { world, client } = await before(ok, { connector });
    await client.callTool(CALL);
    const [tenantId, delegatorId, agentId] = ["tenant_1", "user_1", "reviewer"];
    expect(actions).toMatchObject([{ tenantId, delegatorId, agentId, server: "crm", tool: "contracts_read", arguments: { customer_id: "c1" } }]);
    expect(disposed.mock.calls.length).toBeGreaterThan(0);
    expect(world.outcomes()).toEqual(["done"]);
  });
});

describe("a decision point that", () => {
  it("hangs keeps everything from the upstream, and the client has an answer soon", async () => {
    const upstream = await startUpstream(ok);
    const upstreams = [httpUpstream({ name: "crm", url: upstream.url, allowPrivate: ["127.0.0.1"] })];
    let isHanging = false;
    const world = await createWorld({ isLetIn: true, upstreams, pepDeadline: 200, isHanging: () => isHanging });
    opened.push({ close: () => world[Symbol.asyncDispose]() as Promise<void> });
    const client = await connected(world);
    isHanging = true;
    const begun = performance.now();
    const { content } = await client.callTool(CALL);
    expect(JSON.stringify(content)).toContain("pdp_timeout");
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(upstream.calls).toEqual([]);
  });
});

describe("two people at one gateway", () => {
  it("get their own answers, however many they ask at once", async () => {
    const echo: Answer = ({ id }, response, incoming) => {
      const text = JSON.stringify({ whose: incoming.headers["x-whose"] });
      setTimeout(
        () =>
          response
            .writeHead(200, { "content-type": "application/json" })
            .end(
              JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", content: [{ type: "text", text }], structuredContent: { records: [] } } }),
            ),
        Math.random() * 5,
      );
    };
    const upstream = await startUpstream(echo);
    const connector: Connector = {
      name: "crm",
      obtain: async (action) => ({ headers: { "x-whose": action?.delegatorId ?? "nobody" }, secrets: [], [Symbol.asyncDispose]: async () => undefined }),
    };
    const upstreams = [httpUpstream({ name: "crm", url: upstream.url, allowPrivate: ["127.0.0.1"], connector })];
    const world = await createWorld({
      upstreams,
      pepDeadline: 20_000,
      clients: ["user_1", "user_2"],
    });
    opened.push({ close: () => world[Symbol.asyncDispose]() as Promise<void> });
    const people = await Promise.all(
      ["user_1", "user_2"].map(async (who) => {
        const client = new Client(INFO, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
        await client.connect(new StreamableHTTPClientTransport(world.url, { requestInit: { headers: { "x-client": who } } }));
        opened.push(client);
        return { who, client };
      }),
    );
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const { who, client } = people[n % 2] as (typeof people)[number];
        const { content } = (await client.callTool({ name: "echo", arguments: { text: "whose?" } })) as {
          readonly content: readonly { readonly text: string }[];
        };
        return [who, (JSON.parse(content[0]?.text ?? "{}") as { readonly whose?: string }).whose] as const;
      }),
    );
    for (const [who, whose] of answers) expect(whose).toBe(who);
    expect(answers).toHaveLength(60);
  });
});
