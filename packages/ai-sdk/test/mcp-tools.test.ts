import { createMCPClient } from "@ai-sdk/mcp";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { generateText, isStepCount } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { deny, enforcement, fakePdp, permit } from "./support/fake-pdp.ts";
import { callingModel, shownToModel } from "./support/models.ts";

test("tools of an MCP client are decided like any other, and obligations reach into their results", async () => {
  const ran: unknown[] = [];
  const server = new McpServer({ name: "crm", version: "1.0.0" });
  server.registerTool("contracts_read", { description: "reads", inputSchema: { id: z.string() } }, async (input) => {
    ran.push(input);
    return { content: [{ type: "text", text: JSON.stringify({ records: [{ id: "a" }, { id: "b" }] }) }] };
  });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await server.connect(far);
  const client = await createMCPClient({ transport: near as never });

  const limit = { id: "o1", type: "limit_records", properties: { pointer: "/records", max: 1 } } as const;
  const pdp = fakePdp({ decide: async ({ context }) => (context.arguments["id"] === "c1" ? permit(limit) : deny()) });
  const { pep, task } = await enforcement(pdp);
  const model = callingModel([
    { id: "call-1", name: "contracts_read", input: { id: "c1" } },
    { id: "call-2", name: "contracts_read", input: { id: "c2" } },
  ]);
  await generateText({ model, prompt: "go", stopWhen: isStepCount(2), ...protect(pep, { tools: await client.tools(), envelope: task }) });
  await client.close();

  expect(ran).toEqual([{ id: "c1" }]);
  const definition: unknown = expect.stringMatching(/^sha-256:/);
  const action = { name: "contracts_read", properties: { definition } };
  expect(pdp.asked.map((request) => request.action)).toEqual([action, action]);
  expect(shownToModel(model.doGenerateCalls)).toEqual([
    { id: "call-1", output: { type: "content", value: [{ type: "text", text: '{"records":[{"id":"a"}]}' }] } },
    { id: "call-2", output: { type: "error-text", value: expect.stringMatching(/^\{"error":\{"code":"policy_denied"/) as unknown } },
  ]);
});
