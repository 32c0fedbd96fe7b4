// A server of SDK 1 on stdio that is protected, and answers with what reached it. Its one argument says whom it trusts.
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { createPdp } from "@ambit/pdp";
import { protectServer } from "@ambit/mcp";

const { config, audience } = JSON.parse(process.argv[2] ?? "");
const pdp = await createPdp(config, { audience: [audience] });
const server = new Server({ name: "echo", version: "1.0.0" }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [{ name: "echo", inputSchema: { type: "object" } }] }));
server.setRequestHandler(CallToolRequestSchema, ({ params }) => ({ content: [{ type: "text", text: JSON.stringify(params) }] }));
await protectServer(server, { pdp, server: "crm", audience }).connect(new StdioServerTransport());
