// A client of MCP that may read one contract, and asks for two. The server is a process of its own, and knows nothing of Ambit.
import assert from "node:assert/strict";
import { createPep } from "@ambit/core";
import { protect } from "@ambit/mcp";
import { createPdp } from "@ambit/pdp";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const SERVER = `
  import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
  import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
  import { z } from "zod";
  const server = new McpServer({ name: "crm", version: "1.0.0" });
  const read = ({ contract_id }) => ({ content: [{ type: "text", text: contract_id + " renews on 2026-07-01" }] });
  server.registerTool("contracts_read", { description: "Reads a contract", inputSchema: { contract_id: z.string() } }, read);
  server.registerTool("contracts_delete", { description: "Deletes a contract", inputSchema: { contract_id: z.string() } }, read);
  await server.connect(new StdioServerTransport());`;

const pdp = await createPdp(new URL("../config/ambit.config.json", import.meta.url));
const pep = createPep({ pdp, agent: "renewal-reviewer" });
const task = await pep.begin({
  delegatorId: "user_7f3a91",
  tenantId: "tenant_acme",
  purpose: "review_customer_contract_for_renewal_risk",
  allowedTools: ["contracts.read"],
  resourceConstraints: { contract_ids: ["contract_7781"] },
  expiresIn: "10m",
});

const transport = new StdioClientTransport({ command: process.execPath, args: ["--input-type=module", "--eval", SERVER], cwd: import.meta.dirname });
const client = new Client({ name: "example", version: "1.0.0" });
await client.connect(protect(pep, { transport, server: "crm", envelope: task }));

const { tools } = await client.listTools();
const granted = await client.callTool({ name: "contracts_read", arguments: { contract_id: "contract_7781" } });
const refused = await client.callTool({ name: "contracts_read", arguments: { contract_id: "contract_9" } });

// Of the two tools, the one that the envelope allows.
assert.deepEqual(
  tools.map(({ name }) => name),
  ["contracts_read"],
);
assert.deepEqual(granted.content, [{ type: "text", text: "contract_7781 renews on 2026-07-01" }]);
assert.equal(refused.isError, true);
assert.match(JSON.stringify(refused.content), /argument_not_allowed/);
await client.close();
await task.end();
await pdp.close();
console.log("one contract was read, the other was refused");
