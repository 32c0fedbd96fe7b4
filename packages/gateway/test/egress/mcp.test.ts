import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { describe, expect, it } from "vitest";
import { connectorHeaders, createEgress } from "../../src/egress/index.ts";
import { serve } from "../support/servers.ts";

describe("the transport of MCP", () => {
  it("speaks through it, with the connector's credential and in a session", async () => {
    const server = new McpServer({ name: "crm", version: "1.0.0" });
    let seen: unknown;
    server.registerTool("whoami", {}, ({ requestInfo }) => {
      seen = requestInfo?.headers["authorization"];
      return { content: [{ type: "text", text: "you" }] };
    });
    const serverTransport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => "session-1" });
    await server.connect(serverTransport as Parameters<typeof server.connect>[0]);
    await using http = await serve((request, response) => void serverTransport.handleRequest(request, response));

    const { fetch, close } = createEgress({ origins: [http.origin], allowPrivate: ["127.0.0.1"] });
    const requestInit = { headers: connectorHeaders({ Authorization: "Bearer leased-credential" }) };
    const client = new Client({ name: "gateway", version: "1.0.0" });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${http.origin}/mcp`), { fetch, requestInit }) as Parameters<typeof client.connect>[0]);
    expect(await client.callTool({ name: "whoami" })).toMatchObject({ content: [{ text: "you" }] });
    expect(seen).toBe("Bearer leased-credential");
    await client.close();
    await server.close();
    await close();
  });
});
