import { createMCPClient } from "@ai-sdk/mcp";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { toolSearch } from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { coverage, protect } from "../src/index.ts";
import { enforcement, fakePdp } from "./support/fake-pdp.ts";
import { callingModelOf } from "./support/models.ts";
import { named } from "./support/sdks.ts";

const inputSchema = z.object({});
const execute = async (): Promise<string> => "ran";
const open = (app: unknown) => coverage(app).items.map(({ kind, name, coveredBy }) => [kind, name, coveredBy ?? "nothing"]);

describe.each(named)("what is covered of an application of %s", (_, sdk) => {
  const stage = async () => {
    const { pep, task } = await enforcement(fakePdp());
    const read = sdk.tool({ inputSchema, execute });
    const classify = { description: "classifies", inputSchema, to: { agentId: "classifier" }, run: execute };
    const covered = protect(pep, { tools: { read } as never, handOffs: { classify }, envelope: task }).tools as unknown as Record<string, object>;
    const agent = (settings: object): object => new sdk.Agent({ model: callingModelOf(sdk), ...settings });
    return { pep, task, read, covered, agent };
  };

  test("names every tool and hand-off, and the point that each comes by", async () => {
    const { covered, read } = await stage();
    expect(coverage(covered).adapter).toBe("@ambit/ai-sdk");
    expect(open({ ...covered, raw: read, dynamic: sdk.dynamicTool({ inputSchema, execute }) })).toEqual([
      ["tool", "read", "ai-sdk tool"],
      ["agent", "classify", "ai-sdk hand-off"],
      ["tool", "raw", "nothing"],
      ["tool", "dynamic", "nothing"],
    ]);
  });

  test("names what runs elsewhere, whether it was let through or not", async () => {
    const { pep, task } = await stage();
    const ask_user = sdk.tool({ inputSchema, outputSchema: z.string() });
    const web = { type: sdk.major === 5 ? "provider-defined" : "provider", isProviderExecuted: true, id: "acme.web", args: {}, inputSchema };
    const { tools } = protect(pep, { tools: { web, ask_user } as never, envelope: task, undecided: ["web", "ask_user"] as never });
    for (const app of [tools, { web, ask_user }])
      expect(open(app)).toEqual([
        ["provider_tool", "web", "nothing"],
        ["tool", "ask_user", "nothing"],
      ]);
  });

  test("finds the tools of agents, however deep, and says when an agent can act undecided", async () => {
    const { covered, read, agent } = await stage();
    const app = {
      good: agent({ tools: covered }),
      bad: agent({ tools: { ...covered, read } }),
      changing: agent({ tools: { read: covered["read"] }, prepareCall: (options: object) => options }),
      rest: [{ more: { read } }],
    };
    expect(open(app)).toEqual([
      ["agent", "good", "ai-sdk tool"],
      ["tool", "good/read", "ai-sdk tool"],
      ["agent", "good/classify", "ai-sdk hand-off"],
      ["agent", "bad", "nothing"],
      ["tool", "bad/read", "nothing"],
      ["agent", "bad/classify", "ai-sdk hand-off"],
      ["agent", "changing", "nothing"],
      ["tool", "changing/read", "ai-sdk tool"],
      ["tool", "rest/0/more/read", "nothing"],
    ]);
    expect(open(agent({ tools: covered }))[0]?.slice(0, 2)).toEqual(["agent", "agent"]);
  });

  test("sees that a copy has another `execute`, or callbacks that run too early", async () => {
    const { covered } = await stage();
    const { items } = coverage({
      same: { ...covered["read"] },
      swapped: { ...covered["read"], execute },
      early: { ...covered["read"], onInputAvailable: () => {} },
    });
    expect(items.map(({ coveredBy, note }) => [coveredBy, note === undefined])).toEqual([
      ["ai-sdk tool", true],
      [undefined, false],
      ["ai-sdk tool", false],
    ]);
  });
});

describe("what is covered", () => {
  test("of an MCP client is what it makes tools of and somebody protects, not the client", async () => {
    const server = new McpServer({ name: "crm", version: "1.0.0" });
    server.registerTool("contracts_read", { inputSchema: {} }, async () => ({ content: [] }));
    const [near, far] = InMemoryTransport.createLinkedPair();
    await server.connect(far);
    const client = await createMCPClient({ transport: near as never });
    const { pep, task } = await enforcement(fakePdp());
    const tools = await client.tools();
    expect(open({ crm: client, tools, covered: protect(pep, { tools, envelope: task }) })).toEqual([
      ["server", "crm", "nothing"],
      ["tool", "tools/contracts_read", "nothing"],
      ["tool", "covered/tools/contracts_read", "ai-sdk tool"],
    ]);
    await client.close();
  });

  test("of a tool search is not its `execute`", () => {
    expect(coverage({ find: toolSearch() }).items).toMatchObject([{ kind: "tool", name: "find", note: expect.stringContaining("the SDK runs") as unknown }]);
  });

  test.each([undefined, null, 7, "tools", {}, [], () => ({})])("of %s is nothing", (app) => {
    expect(coverage(app).items).toEqual([]);
  });

  test("of what refers to itself is found once", () => {
    const app: Record<string, unknown> = { raw: { inputSchema, execute } };
    app["self"] = app;
    expect(open(app)).toEqual([["tool", "raw", "nothing"]]);
  });
});
