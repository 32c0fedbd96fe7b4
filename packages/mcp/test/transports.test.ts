import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createMCPClient } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport } from "@ai-sdk/mcp/mcp-stdio";
import { Client as ClientV2, InMemoryTransport as InMemoryTransportV2, StreamableHTTPClientTransport as HttpTransportV2 } from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioTransportV2 } from "@modelcontextprotocol/client/stdio";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { createMcpHandler, inputRequired, McpServer as McpServerV2 } from "@modelcontextprotocol/server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { protect, type McpTransport } from "../src/index.ts";
import { createCrm, refusalIn } from "./support/crm.ts";
import { deny, enforcement, fakePdp, type FakePdp, limitRecords, permit } from "./support/fake-pdp.ts";

const INFO = { name: "test", version: "1.0.0" };
const STDIO = { command: process.execPath, args: [fileURLToPath(new URL("support/stdio-server.mjs", import.meta.url))] };
const STATELESS = { versionNegotiation: { mode: { pin: "2026-07-28" } } } as const;

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const open of opened.splice(0).toReversed()) await open.close();
});

/** The transport in front of a decision point that permits one call and denies every further one. */
async function once<T extends McpTransport>(transport: T, pdp: FakePdp = fakePdp({ decide: async () => (pdp.asked.length === 1 ? permit() : deny()) })) {
  const { pep, task } = await enforcement(pdp);
  return { transport: protect(pep, { transport, server: "crm", envelope: task }), pdp };
}

/** A server of SDK 2 that writes down what reaches it. */
function crmV2() {
  const reached: unknown[] = [];
  const create = (): McpServerV2 => {
    const server = new McpServerV2({ name: "crm", version: "2.0.0" });
    const inputSchema = z.object({ customer_id: z.string() });
    const outputSchema = z.object({ records: z.array(z.object({ id: z.string() })) });
    server.registerTool("contracts_read", { inputSchema, outputSchema }, (args) => {
      reached.push(args);
      const records = [{ id: "contract_1" }, { id: "contract_2" }];
      return { structuredContent: { records }, content: [{ type: "text", text: JSON.stringify({ records }) }] };
    });
    server.registerTool("asks", { inputSchema: z.object({}) }, () => {
      reached.push("asks");
      return inputRequired({
        inputRequests: { password: inputRequired.elicit({ message: "password?", requestedSchema: { type: "object", properties: {} } }) },
      });
    });
    server.registerTool("hangs", { inputSchema: z.object({}) }, async (_, { mcpReq }) => {
      reached.push("hangs");
      await new Promise((_resolve, reject) => mcpReq.signal.addEventListener("abort", () => reject(new Error("aborted"))));
      return { content: [] };
    });
    server.registerResource("secret", "crm://secret", {}, (uri) => {
      reached.push("resources/read");
      return { contents: [{ uri: uri.href, text: "secret" }] };
    });
    return server;
  };
  return { create, reached };
}

const CALL = { name: "contracts_read", arguments: { customer_id: "cust_1" } };

describe("SDK 1", () => {
  it("is protected over stdio", async () => {
    const { transport, pdp } = await once(new StdioClientTransport(STDIO));
    const client = new Client(INFO);
    opened.push(client);
    await client.connect(transport);
    expect(transport.pid).toBeTypeOf("number");
    const first = await client.callTool({ name: "echo", arguments: { n: 1 } });
    expect(first.content).toEqual([{ type: "text", text: '{"calls":1,"arguments":{"n":1}}' }]);
    expect(refusalIn(await client.callTool({ name: "echo", arguments: { n: 2 } })).code).toBe("policy_denied");
    expect(pdp.settled.map(({ status }) => status)).toEqual(["done"]);
  });

  it.each([true, false])("is protected over Streamable HTTP, with JSON answers: %s", async (enableJsonResponse) => {
    const crm = createCrm();
    const serverSide = new StreamableHTTPServerTransport({ sessionIdGenerator: () => "session_1", enableJsonResponse });
    await crm.server.connect(serverSide as Parameters<typeof crm.server.connect>[0]);
    const http = createServer((request, response) => void serverSide.handleRequest(request, response));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    opened.push({ close: () => new Promise((resolve) => http.close(resolve).closeAllConnections()) }, crm.server);

    const { transport } = await once(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`)));
    const client = new Client(INFO);
    opened.push(client);
    await client.connect(transport as Parameters<typeof client.connect>[0]);
    expect(transport.sessionId).toBe("session_1");
    expect(transport.protocolVersion).toBe("2025-11-25");
    await client.listTools();
    expect((await client.callTool(CALL)).isError).toBeUndefined();
    expect(refusalIn(await client.callTool(CALL)).code).toBe("policy_denied");
    await expect(client.readResource({ uri: "crm://contract_1" })).rejects.toMatchObject({ code: -32010 });
    expect(crm.reached).toEqual([["contracts_read", { customer_id: "cust_1" }]]);
    await transport.terminateSession();
    expect(transport.sessionId).toBeUndefined();
  });
});

describe("SDK 2", () => {
  it("is protected with the sessions of 2025", async () => {
    const crm = crmV2();
    const [clientSide, serverSide] = InMemoryTransportV2.createLinkedPair();
    const { transport, pdp } = await once(clientSide);
    const client = new ClientV2(INFO);
    opened.push(client);
    await Promise.all([crm.create().connect(serverSide), client.connect(transport)]);
    await client.listTools();
    expect((await client.callTool(CALL)).isError).toBeUndefined();
    expect(refusalIn(await client.callTool(CALL)).code).toBe("policy_denied");
    await expect(client.readResource({ uri: "crm://secret" })).rejects.toMatchObject({ code: -32010 });
    expect(crm.reached).toEqual([{ customer_id: "cust_1" }]);
    expect(pdp.asked[0]?.action.properties?.definition).toMatch(/^sha-256:/);
  });

  async function connectStateless(pdp?: FakePdp) {
    const crm = crmV2();
    const handler = createMcpHandler(crm.create);
    const fetch = (url: string | URL, init?: RequestInit): Promise<Response> => handler.fetch(new Request(url, init));
    const protectedTransport = await once(new HttpTransportV2(new URL("http://crm.test/"), { fetch }), pdp);
    const client = new ClientV2(INFO, { ...STATELESS, capabilities: { elicitation: {} } });
    const askedOfClient = vi.fn(() => ({ action: "accept" as const, content: {} }));
    client.setRequestHandler("elicitation/create", askedOfClient);
    opened.push(handler, client);
    await client.connect(protectedTransport.transport);
    expect(client.getProtocolEra()).toBe("modern");
    return { client, crm, askedOfClient, ...protectedTransport };
  }

  it("is protected without sessions, as of 2026-07-28", async () => {
    const { client, crm, transport } = await connectStateless();
    expect(transport.hasPerRequestStream).toBe(true);
    await client.listTools();
    expect((await client.callTool(CALL)).isError).toBeUndefined();
    expect(refusalIn(await client.callTool(CALL)).code).toBe("policy_denied");
    await expect(client.readResource({ uri: "crm://secret" })).rejects.toMatchObject({ code: -32010 });
    expect(crm.reached).toEqual([{ customer_id: "cust_1" }]);
  });

  it("gets a result that is cut to what the decision allows", async () => {
    const { client } = await connectStateless(fakePdp({ decide: async () => permit(limitRecords(1)) }));
    await client.listTools();
    const result = await client.callTool(CALL);
    expect(result.structuredContent).toEqual({ records: [{ id: "contract_1" }] });
    expect(result.content).toEqual([{ type: "text", text: '{"records":[{"id":"contract_1"}]}' }]);
  });

  it("is not asked for input by the server in the middle of a call", async () => {
    const { client, crm, pdp, askedOfClient } = await connectStateless();
    expect(refusalIn(await client.callTool({ name: "asks", arguments: {} })).code).toBe("tool_unmapped");
    expect(askedOfClient).not.toHaveBeenCalled();
    expect(crm.reached).toEqual(["asks"]);
    expect(pdp.settled.map(({ status }) => status)).toEqual(["unknown"]);
  });

  it("gives a call up by closing its stream, which leaves the outcome unknown", async () => {
    const { client, crm, pdp } = await connectStateless();
    await expect(client.callTool({ name: "hangs", arguments: {} }, { timeout: 100 })).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
    expect(crm.reached).toEqual(["hangs"]);
    await vi.waitFor(() => expect(pdp.settled.map(({ status }) => status)).toEqual(["unknown"]));
  });

  it("is protected over stdio while it finds out the revision with a second process", async () => {
    const { transport, pdp } = await once(new StdioTransportV2(STDIO));
    const client = new ClientV2(INFO, { versionNegotiation: { mode: "auto" } });
    opened.push(client);
    await client.connect(transport);
    expect(client.getProtocolEra()).toBe("legacy");
    expect((await client.callTool({ name: "echo", arguments: {} })).content).toEqual([{ type: "text", text: '{"calls":1,"arguments":{}}' }]);
    expect(refusalIn(await client.callTool({ name: "echo", arguments: {} })).code).toBe("policy_denied");
    expect(pdp.settled).toHaveLength(1);
  });
});

describe("@ai-sdk/mcp", () => {
  it("is protected through its tools, its `callTool` and its resources", async () => {
    const { transport, pdp } = await once(new Experimental_StdioMCPTransport(STDIO));
    const client = await createMCPClient({ transport });
    opened.push(client);
    const { echo } = await client.tools();
    const result: unknown = await echo?.execute?.({ n: 1 }, { toolCallId: "call_1", messages: [], context: {} });
    expect(result).toMatchObject({ content: [{ type: "text", text: '{"calls":1,"arguments":{"n":1}}' }] });
    expect(refusalIn(await echo?.execute?.({ n: 2 }, { toolCallId: "call_2", messages: [], context: {} })).code).toBe("policy_denied");
    expect(refusalIn(await client.callTool({ name: "echo" })).code).toBe("policy_denied");
    expect(pdp.settled).toHaveLength(1);
  });
});
