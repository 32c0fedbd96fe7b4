// An application with a protected and an unprotected client, as `ambit doctor` examines it.
import { enforcement, scriptedPdp } from "@ambit/conformance";
import { coverage as mcp, protect } from "@ambit/mcp";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";

async function connect(isProtected) {
  const server = new McpServer({ name: "any", version: "1.0.0" });
  server.registerTool("contracts_read", {}, () => ({ content: [] }));
  const [transport, serverSide] = InMemoryTransport.createLinkedPair();
  await server.connect(serverSide);
  const { pep, task } = await enforcement(scriptedPdp());
  const client = new Client({ name: "app", version: "1.0.0" });
  await client.connect(isProtected ? protect(pep, { transport, server: "crm", envelope: task }) : transport);
  return client;
}

export const coverage = async () => mcp({ crm: await connect(true), files: await connect(false) });
