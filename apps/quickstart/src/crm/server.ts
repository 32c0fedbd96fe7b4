/**
 * The CRM as an MCP server over stdio, a process of its own: `node server.ts <database>`.
 *
 * @module
 */
import { argv } from "node:process";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { openDatabase } from "./database.ts";
import { registerTools } from "./tools.ts";

const [, , path] = argv;
if (path === undefined) throw new TypeError("`path` of the database is missing");
const server = new McpServer({ name: "acme-crm", version: "1.0.0" });
registerTools(server, openDatabase(path));
await server.connect(new StdioServerTransport());
