import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, it, vi } from "vitest";
import { protect } from "../src/index.ts";
import { connectCrm, CONTRACTS_READ } from "./support/crm.ts";
import { AI_SDK, CLIENTS, INFO, namesOf, SDK_1, SDK_2, type Door } from "./support/doors.ts";
import { deny, enforcement, fakePdp } from "./support/fake-pdp.ts";
import { CALL, connectRaw, KEY, presentationOf } from "./support/protected-server.ts";

/** What may reach a server that nobody has permitted anything. */
const PASSED: ReadonlySet<unknown> = new Set([
  ...["initialize", "ping", "server/discover", "tools/list", "resources/list", "resources/templates/list", "prompts/list"],
  ...["notifications/initialized", "notifications/cancelled", "notifications/roots/list_changed"],
]);

/** A client behind a decision point that denies everything, before a server that would answer anything. */
async function connect(kind: keyof typeof CLIENTS) {
  const server = new Server(INFO, {
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      completions: {},
      logging: {},
      tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
      ...{ events: {} }, // that of `@ai-sdk/mcp`
    },
  });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [CONTRACTS_READ] }));
  server.fallbackRequestHandler = async () => ({ resources: [], resourceTemplates: [], prompts: [] });
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const reached: unknown[] = [];
  const send = clientSide.send.bind(clientSide);
  clientSide.send = async (message, options) => {
    reached.push((message as { readonly method?: unknown }).method ?? message);
    await send(message, options);
  };
  await server.connect(serverSide);
  const pdp = fakePdp({ decide: async () => deny() });
  const { pep, task } = await enforcement(pdp);
  const transport = protect(pep, { transport: clientSide, server: "crm", envelope: task });
  return { ...(await CLIENTS[kind](transport)), pdp, reached };
}

const KINDS = [
  ["SDK 1", SDK_1],
  ["SDK 2", SDK_2],
  ["@ai-sdk/mcp", AI_SDK],
] as const;

describe.each(KINDS)("a client of %s behind a decision point that denies everything", (kind, table) => {
  const doors = Object.entries(table as Readonly<Record<string, Door<unknown>>>);

  it("has no public method that nobody has looked at", async () => {
    const { client } = await connect(kind);
    const looked = new Set(Object.keys(table));
    expect(namesOf(client).filter((name) => !looked.has(name))).toEqual([]);
  });

  it.each(doors.flatMap(([name, door]) => (door !== "nothing" && "sends" in door ? [[name, door.sends] as const] : [])))(
    "reaches the server with nothing by `%s`, which is asked about",
    async (name, open) => {
      const { client, pdp, reached } = await connect(kind);
      await Promise.resolve(open(client)).catch(() => undefined);
      expect(reached.filter((method) => !PASSED.has(method))).toEqual([]);
      if (!name.endsWith("resumes")) expect(pdp.asked.length).toBeGreaterThan(0);
    },
  );

  it.each(doors.flatMap(([name, door]) => (door !== "nothing" && "passes" in door ? [[name, door.passes] as const] : [])))(
    "sends nothing that must be decided by `%s`",
    async (_, open) => {
      const { client, reached } = await connect(kind);
      await Promise.resolve(open(client)).catch(() => undefined);
      expect(reached.filter((method) => !PASSED.has(method))).toEqual([]);
    },
  );
});

describe("the protected transport", () => {
  it("is stepped around by a method of its class that is applied to it: this is a limit, as the transport is that went in", async () => {
    const { transport, crm } = await connectCrm(fakePdp({ decide: async () => deny() }));
    const { send } = Object.getPrototypeOf(transport) as InMemoryTransport;
    await send.call(transport, { jsonrpc: "2.0", id: "raw", method: "tools/call", params: CALL });
    await vi.waitFor(() => expect(crm.reached).toHaveLength(1));
  });

  it("cannot be given another `send` that the client uses", async () => {
    const { client, transport, crm } = await connectCrm(fakePdp({ decide: async () => deny() }));
    const sent: unknown[] = [];
    transport.send = async (message) => void sent.push(message);
    void client.callTool(CALL).catch(() => undefined);
    await vi.waitFor(() => expect(sent.length).toBeGreaterThan(0)); // and so it goes nowhere
    expect(crm.reached).toEqual([]);
  });

  it("lets nothing through as a batch, as an answer that nobody asked for, or as a notification", async () => {
    const { transport, crm } = await connectCrm(fakePdp());
    const call = { jsonrpc: "2.0", method: "tools/call", params: CALL } as const;
    for (const [message, code] of [
      [[{ ...call, id: 1 }], "option_invalid"],
      [[call], "option_invalid"],
      [{ jsonrpc: "2.0", id: 7, result: {} }, "option_invalid"],
      [call, "tool_unmapped"],
    ] as const)
      await expect(transport.send(message as never)).rejects.toMatchObject({ code });
    expect(crm.reached).toEqual([]);
  });
});

describe("a protected server in the process of its client", () => {
  it("runs what was decided, whatever the message says when it is read again", async () => {
    const { world, reached, pipe } = await connectRaw();
    const presentation = await presentationOf(world, CALL);
    let reads = 0;
    const params = {
      get name() {
        return reads++ === 0 ? CALL.name : "contracts_delete";
      },
      arguments: CALL.arguments,
      _meta: { [KEY]: presentation },
    };
    pipe.onmessage?.({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    await vi.waitFor(() => expect(reached).toHaveLength(1));
    expect(reached).toEqual([{ jsonrpc: "2.0", id: 1, method: "tools/call", params: CALL }]);
  });
});
