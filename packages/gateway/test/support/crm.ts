import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";

/** What only the gateway has. */
export const CANARY = "canary-5f2c91d7a0b34e68";

export type CrmTool = { readonly name: string } & Readonly<Record<string, unknown>>;
/** Whether the credential of a request is good; asked for everything that reaches it. */
export type IsAdmitted = (request: Request) => boolean | Promise<boolean>;
type CrmTools = (tools: readonly CrmTool[]) => readonly CrmTool[];

const text = { type: "string" };
const tool = (name: string, properties: object): CrmTool => ({ name, description: `${name} of the crm`, inputSchema: { type: "object", properties } });

export const CRM_TOOLS: readonly CrmTool[] = [
  tool("contracts_read", { customer_id: text }),
  tool("contracts_delete", { customer_id: text }),
  tool("crm.read_contact", { limit: { type: "integer" } }),
  tool("echo", { text }),
];

/** The end service: an MCP server over HTTP that takes nothing without its credential, and writes down what took effect. */
export async function startCrm(cache: object = {}, isAdmitted: IsAdmitted = (request) => request.headers.get("authorization") === `Bearer ${CANARY}`) {
  const crm = {
    /** `[name, first argument]` of every call, and what else was read. */
    reached: [] as unknown[],
    /** What came along with a call beside its arguments. */
    answers: [] as unknown[],
    refused: [] as number[],
    tools: ((tools) => tools) as CrmTools,
  };
  const make = (): Server => {
    const server = new Server({ name: "the crm's own name", version: "1.0.0" }, { capabilities: { tools: {}, resources: {} } });
    server.setRequestHandler("tools/list", () => ({ tools: crm.tools(CRM_TOOLS), ...cache }) as never);
    server.setRequestHandler("tools/call", ({ params }, { http, mcpReq }) => {
      const [first] = Object.values(params.arguments ?? {});
      crm.reached.push([params.name, first]);
      crm.answers.push(mcpReq.inputResponses);
      const records = [{ id: "contract_1" }, { id: "contract_2" }, { id: "contract_3" }];
      if (params.name === "contracts_read") return { structuredContent: { records }, content: [{ type: "text", text: JSON.stringify({ records }) }] };
      return {
        content: [
          {
            type: "text",
            text: `${String(first)} ${http?.req?.headers.get("authorization")} ${http?.req?.url} ${JSON.stringify([...(http?.req?.headers ?? [])])}`,
          },
        ],
      };
    });
    server.setRequestHandler("resources/list", () => ({ resources: [{ uri: "crm://public", name: "public" }] }));
    server.setRequestHandler("resources/read", ({ params }) => {
      crm.reached.push(["resources/read", params.uri]);
      return { contents: [{ uri: params.uri, text: "public" }] };
    });
    return server;
  };
  const handler = createMcpHandler(make);
  const http = createServer(
    getRequestListener(
      async (request) => {
        if (await isAdmitted(request)) return handler.fetch(request);
        crm.refused.push(401);
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
  return Object.assign(crm, { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, close });
}
