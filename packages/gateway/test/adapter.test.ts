import { createPep } from "@ambit/core";
import { protect } from "@ambit/mcp";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it } from "vitest";
import { createWorld, GATEWAY } from "./support/world.ts";

describe("an agent with the adapter for MCP", () => {
  it("works with the gateway as with any server that asks for envelopes", async () => {
    await using world = await createWorld();
    const transport = protect(world.pep, { transport: new StreamableHTTPClientTransport(world.url), server: "crm", envelope: world.task, carry: GATEWAY });
    const client = new Client({ name: "test", version: "1.0.0" });
    await client.connect(transport);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual(["contracts_read", "echo"]);
    const result = await client.callTool({ name: "contracts_read", arguments: { customer_id: "c1" } });
    expect(result.isError).toBeFalsy();
    expect(world.crm.reached).toEqual([["contracts_read", "c1"]]);
    await client.close();
  });

  it("reaches nothing with a stolen envelope and no key, and nothing without the gateway", async () => {
    await using world = await createWorld();
    // The thief has the chain, and a key of its own.
    const thief = createPep({ pdp: world.pdp, agent: "reviewer", keys: new Map([["reviewer", await world.anotherKey()]]), deadline: 5000 });
    const client = new Client({ name: "test", version: "1.0.0" });
    await client.connect(protect(thief, { transport: new StreamableHTTPClientTransport(world.url), server: "crm", envelope: world.task, carry: GATEWAY }));
    const result = await client.callTool({ name: "contracts_read", arguments: { customer_id: "c1" } });
    expect(JSON.stringify(result.content)).toContain("holder_mismatch");
    await client.close();
    const direct = new Client({ name: "test", version: "1.0.0" });
    await expect(direct.connect(new StreamableHTTPClientTransport(new URL(world.crm.url)))).rejects.toMatchObject({ code: 401 });
    expect(world.crm.reached).toEqual([]);
  });
});
