import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createPep } from "@ambit/core";
import { createMCPClient } from "@ai-sdk/mcp";
import { Client as ClientV2, InMemoryTransport as InMemoryTransportV2, StreamableHTTPClientTransport as HttpTransportV2 } from "@modelcontextprotocol/client";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createMcpHandler, McpServer as McpServerV2 } from "@modelcontextprotocol/server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { coverage, protect, protectServer } from "../src/index.ts";
import { createCrm, refusalIn } from "./support/crm.ts";
import { Pipe } from "./support/pipe.ts";
import { both, CALL, connectRaw, KEY, presentationOf } from "./support/protected-server.ts";
import { createWorld, CRM, PDP, type World } from "./support/world.ts";

const INFO = { name: "test", version: "1.0.0" };

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const open of opened.splice(0).toReversed()) await open.close();
});

describe("the envelope on its way to the server", () => {
  it("goes along as a chain and a proof for that server, beside the metadata of the call", async () => {
    const { world } = await both();
    const pipe = new Pipe();
    const transport = protect(world.pep, { transport: pipe, server: "crm", envelope: world.task, carry: CRM, now: world.now });
    await transport.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...CALL, _meta: { trace: "t1" } } });
    const [{ params }] = pipe.sent as unknown as [{ readonly params: { readonly _meta: Record<string, Record<string, string>> } }];
    const { _meta } = params;
    expect(_meta["trace"]).toBe("t1");
    expect(Object.keys(_meta[KEY] ?? {}).toSorted()).toEqual(["aat_chain", "aat_pop"]);
    const proof = JSON.parse(Buffer.from(_meta[KEY]?.["aat_pop"]?.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
    expect(proof).toMatchObject({ aat_tool: "contracts.read", hta: CALL.arguments, aat_aud: CRM });
  });

  it("is for the decision point with `carry: true`, is not there unless it is asked for, and is never a handle", async () => {
    const signed = await createWorld({ isSigned: true });
    const handles = await createWorld();
    const sent = async ({ pep, task, now }: World, carry: true | undefined): Promise<string> => {
      const pipe = new Pipe();
      const transport = protect(pep, { transport: pipe, server: "crm", envelope: task, carry, now });
      const forged = { _meta: { [KEY]: "what the agent put there" } };
      await transport.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { ...CALL, ...(carry === true ? forged : {}) } });
      expect(pipe.sent).toHaveLength(1);
      return JSON.stringify(pipe.sent);
    };
    const { aat_pop } = await presentationOf(signed, CALL, PDP);
    expect(Buffer.from(String(aat_pop).split(".")[1] ?? "", "base64url").toString()).toContain(PDP);
    expect(await sent(signed, true)).toContain("aat_pop");
    expect(await sent(signed, undefined)).not.toContain(KEY);
    expect(await sent(handles, true)).not.toContain(KEY);
  });

  it("cannot go along without the key, and then nothing is sent", async () => {
    const { world, own } = await both();
    const key = { ...world.key, sign: vi.fn(world.key.sign) };
    const pep = createPep({ pdp: world.pdp, agent: "reviewer", keys: new Map([["reviewer", key]]), now: world.now });
    const pipe = new Pipe();
    const received: unknown[] = [];
    const transport = protect(pep, { transport: pipe, server: "crm", envelope: world.task, carry: CRM, now: world.now });
    transport.onmessage = (message) => void received.push(message);
    key.sign.mockImplementationOnce(world.key.sign).mockRejectedValue(new Error("the key is locked"));
    await transport.send({ jsonrpc: "2.0", id: 1, method: "tools/call", params: CALL });
    expect(refusalIn((received[0] as { readonly result: unknown }).result).code).toBe("pop_invalid");
    expect(pipe.sent).toEqual([]);
    expect(world.outcomes()).toEqual(["not_run"]);
    expect(own.decisions()).toEqual([]);
  });

  it("is refused as an option that is no name", async () => {
    const { world } = await both();
    for (const carry of ["", false, 1, null])
      expect(() => protect(world.pep, { transport: new Pipe(), server: "crm", envelope: world.task, carry: carry as never })).toThrow(/carry/);
  });
});

describe("a protected server", () => {
  it("sees a call whose envelope and proof are for it, once, with the decided arguments and without the envelope", async () => {
    const { world, own, reached, call, transport, answered } = await connectRaw();
    const presentation = await presentationOf(world, CALL);
    call(1, presentation);
    await vi.waitFor(() => expect(reached).toEqual([{ jsonrpc: "2.0", id: 1, method: "tools/call", params: CALL }]));
    const records = [{ id: "a" }, { id: "b" }, { id: "c" }];
    await transport.send({ jsonrpc: "2.0", id: 1, result: { structuredContent: { records }, content: [] } });
    expect((await answered(1))[0]).toMatchObject({ id: 1, result: { structuredContent: { records: records.slice(0, 2) } } });
    expect(own.decisions()).toEqual([["contracts.read", "permit"]]);
    expect(own.outcomes()).toEqual(["done"]);
  });

  it("never sees a proof a second time", async () => {
    const { world, reached, call, answered } = await connectRaw();
    const presentation = await presentationOf(world, CALL);
    call(1, presentation);
    await vi.waitFor(() => expect(reached).toHaveLength(1));
    call(2, presentation);
    expect(refusalIn((await answered(1))[0]?.["result"]).code).toBe("pop_replayed");
    expect(reached).toHaveLength(1);
  });

  it.each<[string, (world: World) => unknown, object, string]>([
    ["nothing", () => undefined, CALL, "envelope_malformed"],
    ["a handle", () => ({ kind: "handle", handle: "h" }), CALL, "envelope_malformed"],
    ["a chain without a proof", async (world) => ({ aat_chain: (await presentationOf(world, CALL))["aat_chain"] }), CALL, "envelope_malformed"],
    ["no chain", async (world) => ({ ...(await presentationOf(world, CALL)), aat_chain: ["a.b.c"] }), CALL, "envelope_malformed"],
    ["a proof for the agent's decision point", (world) => presentationOf(world, CALL, PDP), CALL, "audience_mismatch"],
    ["a proof for another server", (world) => presentationOf(world, CALL, "urn:example:other"), CALL, "audience_mismatch"],
    ["a proof for other arguments", (world) => presentationOf(world, { ...CALL, arguments: { customer_id: "c2" } }), CALL, "pop_invalid"],
    ["a proof for another tool", (world) => presentationOf(world, { name: "echo", arguments: {} }), { ...CALL, arguments: {} }, "pop_invalid"],
    ["a tool that the envelope does not have", (world) => presentationOf(world, CALL), { ...CALL, name: "contracts_delete" }, "tool_not_allowed"],
    ["a tool that nobody knows", (world) => presentationOf(world, CALL), { ...CALL, name: "unmapped" }, "tool_unmapped"],
  ])("never sees a call that comes with %s", async (_, show, params, code) => {
    const { world, reached, call, answered } = await connectRaw();
    const shown = await Promise.resolve(show(world)).catch(() => undefined);
    call(1, shown, params);
    expect(refusalIn((await answered(1))[0]?.["result"]).code).toBe(code);
    expect(reached).toEqual([]);
  });

  it("takes no envelope of an issuer that it does not trust, no proof of another key, and none after the envelope's end", async () => {
    const { world, reached, call, answered } = await connectRaw();
    const other = await createWorld({ isSigned: true });
    call(1, await presentationOf(other, CALL));
    expect(refusalIn((await answered(1))[0]?.["result"]).code).toBe("envelope_signature_invalid");
    const stolen = { ...(await presentationOf(world, CALL)), aat_pop: (await presentationOf(other, CALL))["aat_pop"] };
    call(2, stolen);
    expect(refusalIn((await answered(2))[1]?.["result"]).code).toBe("holder_mismatch");
    const presentation = await presentationOf(world, CALL);
    world.advance(600_000);
    call(3, presentation);
    expect(refusalIn((await answered(3))[2]?.["result"]).code).toBe("envelope_expired");
    expect(reached).toEqual([]);
  });

  it("takes no proof for the agent's decision point where that is its own as well, and decides a call of its own there", async () => {
    const { world, protection } = await both();
    const pipe = new Pipe();
    const transport = protectServer(pipe, { ...protection, pdp: world.pdp });
    const reached: unknown[] = [];
    transport.onmessage = (message) => void reached.push(message);
    await transport.start();
    for (const [id, audience] of [PDP, CRM].entries()) {
      const presentation = await presentationOf(world, CALL, audience);
      pipe.onmessage?.({ jsonrpc: "2.0", id, method: "tools/call", params: { ...CALL, _meta: { [KEY]: presentation } } });
    }
    await vi.waitFor(() => expect(reached).toMatchObject([{ id: 1 }]));
    expect(pipe.sent.map(({ id, result }) => [id, refusalIn(result).code])).toEqual([[0, "audience_mismatch"]]);
    await vi.waitFor(() => expect(world.decisions()).toHaveLength(4)); // two of the agent, one for each message
    expect(world.decisions().filter(([, verdict]) => verdict !== "permit")).toEqual([["contracts.read", "audience_mismatch"]]);
  });

  it("answers what sets up the connection or lists what there is, and refuses every other request and notification", async () => {
    const { reached, errors, send, pipe, answered } = await connectRaw();
    for (const [id, method] of ["initialize", "ping", "server/discover", "tools/list", "prompts/list"].entries()) send({ id, method });
    send({ method: "notifications/initialized" });
    expect(reached.map(({ method }) => method)).toEqual(["initialize", "ping", "server/discover", "tools/list", "prompts/list", "notifications/initialized"]);
    const methods = ["resources/read", "prompts/get", "completion/complete", "logging/setLevel", "tasks/result", "acme/anything", "Tools/Call"];
    for (const [index, method] of methods.entries()) send({ id: `r${index}`, method, params: {} });
    for (const answer of await answered(methods.length)) expect(answer).toMatchObject({ error: { code: -32010, data: { code: "envelope_malformed" } } });
    for (const message of [
      { method: "tools/call", params: CALL },
      { id: 0, method: "ping" },
      { id: 9, method: "ping", Method: "tools/call" },
    ])
      send(message);
    pipe.onmessage?.([{ jsonrpc: "2.0", id: 10, method: "tools/call", params: CALL }]);
    expect(errors).toHaveLength(4);
    expect(reached).toHaveLength(6);
  });

  it("has nothing that must be checked told before its result, and no answer to what it has not seen", async () => {
    const { world, own, reached, call, transport, pipe, errors } = await connectRaw();
    call(1, await presentationOf(world, CALL));
    await transport.send({ jsonrpc: "2.0", id: 1, result: { content: [] } });
    expect(errors).toHaveLength(1);
    await vi.waitFor(() => expect(reached).toHaveLength(1));
    await transport.send({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "cust_2" } });
    await transport.send({ jsonrpc: "2.0", method: "notifications/tools/list_changed", params: { _meta: "cust_2" } });
    expect(pipe.sent).toEqual([{ jsonrpc: "2.0", method: "notifications/tools/list_changed" }]);
    await transport.send({ jsonrpc: "2.0", id: 1, error: { code: -32_001, message: "cust_2", data: "cust_2" } });
    expect(JSON.stringify(pipe.sent)).not.toContain("cust_2");
    expect(own.outcomes()).toEqual(["failed"]);
  });

  it("has an unknown outcome for what is cancelled, and for what is open when the connection closes", async () => {
    const { world, own, reached, call, send, pipe } = await connectRaw();
    call(1, await presentationOf(world, CALL));
    await vi.waitFor(() => expect(reached).toHaveLength(1));
    send({ method: "notifications/cancelled", params: { requestId: 1 } });
    await vi.waitFor(() => expect(own.outcomes()).toEqual(["unknown"]));
    call(2, await presentationOf(world, CALL));
    await vi.waitFor(() => expect(reached).toHaveLength(3));
    pipe.onclose?.();
    await vi.waitFor(() => expect(own.outcomes()).toEqual(["unknown", "unknown"]));
  });

  it("is one with the operator's name, an audience and a decision point of ours, or is refused", async () => {
    const { protection } = await both();
    for (const change of [{ server: "" }, { audience: "" }, { pdp: {} }])
      expect(() => protectServer(new Pipe(), { ...protection, ...change } as never)).toThrow(expect.objectContaining({ code: "option_invalid" }));
    expect(() => protectServer({} as never, protection)).toThrow(expect.objectContaining({ code: "option_invalid" }));
  });
});

describe("a server author's one line", () => {
  it("comes before the server is connected: what is connected already would stay open", async () => {
    for (const server of [createCrm().server, new McpServer(INFO), new McpServerV2(INFO)]) {
      const { protection } = await both();
      opened.push(server);
      await server.connect(new Pipe() as never);
      expect(() => protectServer(server, protection)).toThrow(expect.objectContaining({ code: "option_invalid" }));
      expect((await coverage({ crm: server })).items[0]?.coveredBy).toBeUndefined();
    }
  });

  it("protects a server of SDK 1 in memory, whichever of its doors is connected", async () => {
    for (const door of ["server", "inner"] as const) {
      const { own, protection, carrying, world } = await both();
      const reached: unknown[] = [];
      const server = new McpServer(INFO);
      server.registerTool("contracts_read", { inputSchema: { customer_id: z.string() } }, (args, { _meta }) => {
        reached.push([args, _meta]);
        return { content: [{ type: "text", text: "read" }], structuredContent: { records: [] } };
      });
      server.registerTool("echo", {}, () => ({ content: [] }));
      expect(protectServer(server, protection)).toBe(server);
      const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
      const client = new Client(INFO);
      opened.push(client);
      await Promise.all([(door === "server" ? server : server.server).connect(serverSide), client.connect(carrying(clientSide))]);
      expect((await client.callTool(CALL)).structuredContent).toEqual({ records: [] });
      expect(reached).toEqual([[{ customer_id: "c1" }, undefined]]);
      expect(own.decisions()).toEqual([["contracts.read", "permit"]]);
      expect(world.decisions()).toEqual([["contracts.read", "permit"]]);
    }
  });

  it("refuses a client of SDK 1 that brings no envelope", async () => {
    const { own, protection } = await both();
    const crm = createCrm();
    protectServer(crm.server, protection);
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
    const client = new Client(INFO);
    opened.push(client);
    await Promise.all([crm.server.connect(serverSide), client.connect(clientSide)]);
    expect((await client.listTools()).tools).toHaveLength(1);
    expect(refusalIn(await client.callTool(CALL)).code).toBe("envelope_malformed");
    await expect(client.readResource({ uri: "crm://public" })).rejects.toMatchObject({ code: -32010 });
    expect(crm.reached).toEqual([]);
    expect(own.decisions()).toEqual([
      ["contracts.read", "envelope_malformed"],
      ["resources.read", "envelope_malformed"],
    ]);
  });

  it.each([true, false])("protects a server of SDK 1 over Streamable HTTP, with JSON answers: %s", async (enableJsonResponse) => {
    const { own, protection, carrying } = await both();
    const crm = createCrm();
    const serverSide = new StreamableHTTPServerTransport({ sessionIdGenerator: () => "session_1", enableJsonResponse });
    await protectServer(crm.server, protection).connect(serverSide as Parameters<typeof crm.server.connect>[0]);
    const http = createServer((request, response) => void serverSide.handleRequest(request, response));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    opened.push({ close: () => new Promise((resolve) => http.close(resolve).closeAllConnections()) }, crm.server);
    const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`);
    const client = new Client(INFO);
    opened.push(client);
    await client.connect(carrying(new StreamableHTTPClientTransport(url)) as Parameters<typeof client.connect>[0]);
    expect((await client.callTool(CALL)).structuredContent).toEqual({ records: [{ id: "contract_1" }, { id: "contract_2" }] });
    await expect(client.readResource({ uri: "crm://public" })).resolves.toMatchObject({ contents: [{ text: "secret" }] });
    expect(own.decisions()).toEqual([
      ["contracts.read", "permit"],
      ["resources.read", "permit"],
    ]);
  });

  function crmV2(protection: Awaited<ReturnType<typeof both>>["protection"]) {
    const reached: unknown[] = [];
    const create = (): McpServerV2 => {
      const server = new McpServerV2(INFO);
      const outputSchema = z.object({ records: z.array(z.object({ id: z.string() })) });
      server.registerTool("contracts_read", { inputSchema: z.object({ customer_id: z.string() }), outputSchema }, (args, { mcpReq }) => {
        reached.push([args, Object.keys((mcpReq as { readonly _meta?: object })._meta ?? {}).includes(KEY)]);
        return { structuredContent: { records: [{ id: "a" }, { id: "b" }, { id: "c" }] }, content: [] };
      });
      return protectServer(server, protection);
    };
    return { create, reached };
  }

  it("protects a server of SDK 2 with the sessions of 2025", async () => {
    const { protection, carrying } = await both();
    const { create, reached } = crmV2(protection);
    const [clientSide, serverSide] = InMemoryTransportV2.createLinkedPair();
    const client = new ClientV2(INFO);
    opened.push(client);
    await Promise.all([create().connect(serverSide), client.connect(carrying(clientSide))]);
    await client.listTools();
    expect((await client.callTool(CALL)).structuredContent).toEqual({ records: [{ id: "a" }, { id: "b" }] });
    expect(reached).toEqual([[CALL.arguments, false]]);
  });

  it("protects a server of SDK 2 without sessions, as of 2026-07-28, and refuses a bare client of it", async () => {
    const { own, protection, carrying } = await both();
    const { create, reached } = crmV2(protection);
    const handler = createMcpHandler(create);
    const fetch = (url: string | URL, init?: RequestInit): Promise<Response> => handler.fetch(new Request(url, init));
    const stateless = { versionNegotiation: { mode: { pin: "2026-07-28" } } } as const;
    const transport = (): HttpTransportV2 => new HttpTransportV2(new URL("http://crm.test/"), { fetch });
    const [client, bare] = [new ClientV2(INFO, stateless), new ClientV2(INFO, stateless)];
    opened.push(handler, client, bare);
    await Promise.all([client.connect(carrying(transport())), bare.connect(transport())]);
    expect((await client.callTool(CALL)).structuredContent).toEqual({ records: [{ id: "a" }, { id: "b" }] });
    expect(refusalIn(await bare.callTool(CALL)).code).toBe("envelope_malformed");
    expect(reached).toEqual([[CALL.arguments, false]]);
    expect(own.outcomes()).toEqual(["done"]);
  });

  it("protects a server in another process over stdio, and works with the client of `@ai-sdk/mcp`", async () => {
    const { world, own, carrying } = await both({ isNow: true });
    const script = fileURLToPath(new URL("support/protected-server.mjs", import.meta.url));
    const args = ["--conditions=@ambit/source", script, JSON.stringify({ config: own.config, audience: CRM })];
    const stdio = (): StdioClientTransport => new StdioClientTransport({ command: process.execPath, args });
    const client = await createMCPClient({ transport: carrying(stdio()) as never });
    const bare = new Client(INFO);
    opened.push(client, bare);
    const { echo } = await client.tools();
    const result: unknown = await echo?.execute?.({ n: 1 }, { toolCallId: "call_1", messages: [], context: {} });
    expect(result).toMatchObject({ content: [{ type: "text", text: '{"name":"echo","arguments":{"n":1}}' }] });
    await bare.connect(stdio());
    expect(refusalIn(await bare.callTool({ name: "echo", arguments: { n: 1 } })).code).toBe("envelope_malformed");
    expect(world.outcomes()).toEqual(["done"]);
  });
});
