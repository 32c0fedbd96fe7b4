import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

/** What only the gateway has. */
export const CANARY = "canary-5f2c91d7a0b34e68";

/** The end service: an MCP server over HTTP that takes nothing without its credential, and writes down what took effect. */
export async function startCrm() {
  const reached: unknown[] = [];
  const refused: number[] = [];
  const make = (): McpServer => {
    const server = new McpServer({ name: "the crm's own name", version: "1.0.0" });
    server.registerTool(
      "contracts_read",
      { description: "Reads the contracts of a customer.", inputSchema: z.object({ customer_id: z.string() }) },
      ({ customer_id }) => {
        reached.push(["contracts_read", customer_id]);
        const records = [{ id: "contract_1" }, { id: "contract_2" }, { id: "contract_3" }];
        return { structuredContent: { records }, content: [{ type: "text", text: JSON.stringify({ records }) }] };
      },
    );
    server.registerTool("contracts_delete", { inputSchema: z.object({ customer_id: z.string() }) }, ({ customer_id }) => {
      reached.push(["contracts_delete", customer_id]);
      return { content: [{ type: "text", text: "deleted" }] };
    });
    server.registerTool("echo", { inputSchema: z.object({ text: z.string() }) }, ({ text }, { http }) => {
      reached.push(["echo", text]);
      return { content: [{ type: "text", text: `${text} ${http?.req?.headers.get("authorization")}` }] };
    });
    server.registerResource("public", "crm://public", {}, (uri) => {
      reached.push(["resources/read", uri.href]);
      return { contents: [{ uri: uri.href, text: "public" }] };
    });
    return server;
  };
  const handler = createMcpHandler(make);
  const http = createServer(
    getRequestListener(
      (request) => {
        if (request.headers.get("authorization") === `Bearer ${CANARY}`) return handler.fetch(request);
        refused.push(401);
        return new Response(null, { status: 401 });
      },
      { overrideGlobalObjects: false },
    ),
  );
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const close = async (): Promise<void> => {
    await handler.close();
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, reached, refused, close };
}
