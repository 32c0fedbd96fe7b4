import { protect } from "@ambit/mcp";
import { Client } from "@modelcontextprotocol/client";
import { InMemoryTransport, McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import type { CreateFramework } from "../framework.ts";
import { ARGS, NOTHING, SERVER } from "../world.ts";

/** `callTool` of a client over a transport in memory: the message there and back, without a process or a network in between. */
export const mcp: CreateFramework = async (pep, envelope) => {
  const servers: McpServer[] = [];
  const connect = async (guard: (transport: InMemoryTransport) => InMemoryTransport): Promise<Client> => {
    const server = new McpServer({ name: "crm", version: "1.0.0" });
    const inputSchema = z.object({ contract_id: z.string(), limit: z.number().int().min(1).optional() });
    server.registerTool("contracts_read", { description: "Reads a contract", inputSchema }, () => ({
      content: [{ type: "text", text: JSON.stringify(NOTHING) }],
    }));
    servers.push(server);
    const [near, far] = InMemoryTransport.createLinkedPair();
    await server.connect(far);
    const client = new Client({ name: "bench", version: "1.0.0" });
    await client.connect(guard(near));
    await client.listTools();
    return client;
  };
  const bare = await connect((transport) => transport);
  const guarded = await connect((transport) => protect(pep, { transport, server: SERVER, envelope }));
  const call = { name: "contracts_read", arguments: ARGS };
  return {
    name: "mcp",
    bare: () => bare.callTool(call),
    guarded: async () => {
      const { isError } = await guarded.callTool(call);
      if (isError === true) throw new Error("the call was refused");
    },
    close: async () => {
      for (const each of [bare, guarded, ...servers]) await each.close();
    },
  };
};
