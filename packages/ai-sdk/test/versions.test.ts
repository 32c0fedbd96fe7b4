import { createMCPClient } from "@ai-sdk/mcp";
import { createWorld } from "@ambit/conformance";
import type { Obligation } from "@ambit/core";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect, ToolRefusedError } from "../src/index.ts";
import { deny, enforcement, fakePdp, permit, type FakePdp } from "./support/fake-pdp.ts";
import { callingModelOf } from "./support/models.ts";
import { codes, runIn } from "./support/runs.ts";
import { named, type Part, type Sdk } from "./support/sdks.ts";

const inputSchema = z.object({ topic: z.string().default("all") });
const CALL = { id: "call-1", name: "search", input: {} };

async function covering(tools: object, pdp: FakePdp = fakePdp(), more: object = {}): Promise<object> {
  const { pep, task } = await enforcement(pdp);
  return protect(pep, { tools: tools as never, envelope: task, ...more }).tools;
}

/** The results of a run that is read as a stream: which of them are preliminary, and what they are. */
async function results(sdk: Sdk, tools: object): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  const { fullStream } = sdk.streamText({ model: callingModelOf(sdk, [CALL]), prompt: "go", stopWhen: sdk.stopAfter(2), tools });
  for await (const part of fullStream) if (part.type === "tool-result") found.push([part.preliminary === true, part.output]);
  return found;
}

describe.each(named)("a protected tool of %s", (_, sdk) => {
  const search = sdk.tool({
    inputSchema,
    async *execute({ topic }: { readonly topic: string }) {
      yield { state: "searching", rows: [] };
      yield { state: topic, rows: ["one", "two"] };
    },
  });

  test("that reports on its way reports as it does unprotected, unless its result has to be checked", async () => {
    expect(await results(sdk, await covering({ search }))).toEqual(await results(sdk, { search }));
    const limit: Obligation = { id: "o1", type: "limit_records", properties: { pointer: "/rows", max: 1 } };
    const checked = { state: "all", rows: ["one"] };
    expect(await results(sdk, await covering({ search }, fakePdp({ decide: async () => permit(limit) })))).toEqual([
      [true, checked],
      [false, checked],
    ]);
  });

  test("may be frozen before, and gets the context that the application gives it", async () => {
    const seen: unknown[] = [];
    const execute = async (_input: unknown, { context, experimental_context: earlier }: Readonly<Record<string, unknown>>) => seen.push(context ?? earlier);
    const frozen = Object.freeze(sdk.tool({ inputSchema, execute }));
    const given = { user: "u1" };
    await runIn(sdk, await covering({ search: frozen }), [CALL], sdk.major === 7 ? { toolsContext: { search: given } } : { experimental_context: given });
    expect(seen).toEqual([given]);
  });

  test("whose call goes by another enforcement point on its way is decided and charged once", async () => {
    const { pep, begin, records } = await createWorld({ holding: "handles" });
    const envelope = await begin();
    const ran: unknown[] = [];
    /** A transport that asks, too. */
    const send = (args: unknown): Promise<unknown> => pep.enforce({ envelope, tool: "search_run", arguments: args }, (decided) => ran.push(decided));
    const execute = async (input: unknown): Promise<string> => (await send(input), "found");
    const report = async function* (input: unknown): AsyncGenerator<string> {
      yield "searching";
      await send(input);
      yield "found";
    };
    for (const [at, body] of [execute, report].entries()) {
      const search_run = sdk.tool({ inputSchema: z.object({}), execute: body });
      const { tools } = protect(pep, { tools: { search_run } as never, envelope });
      await runIn(sdk, tools, [{ id: `call-${at}`, name: "search_run", input: {} }]);
    }
    expect([ran, records("decision").length, records("outcome").length]).toEqual([[{}, {}], 2, 2]);
  });

  test("may be dynamic, and stays so", async () => {
    const ran: unknown[] = [];
    const dynamic = sdk.dynamicTool({ inputSchema, execute: async (input: unknown) => ran.push(input) });
    const permitted = await runIn(sdk, await covering({ search: dynamic }), [CALL]);
    const refused = await runIn(sdk, await covering({ search: dynamic }, fakePdp({ decide: async () => deny() })), [CALL]);
    expect([codes(permitted), codes(refused), ran]).toEqual([["ran"], ["policy_denied"], [{ topic: "all" }]]);
  });

  // The tools of this client cannot be called by ai 5, protected or not.
  test.skipIf(sdk.major === 5)("may be one of an MCP server", async () => {
    const ran: unknown[] = [];
    const server = new McpServer({ name: "crm", version: "1.0.0" });
    server.registerTool("search", { inputSchema: { topic: z.string() } }, async (input) => {
      ran.push(input);
      return { content: [{ type: "text", text: "found" }] };
    });
    const [near, far] = InMemoryTransport.createLinkedPair();
    await server.connect(far);
    const client = await createMCPClient({ transport: near as never });
    const pdp = fakePdp({ decide: async ({ context }) => (context.arguments["topic"] === "renewal" ? permit() : deny()) });
    const calls = ["renewal", "salaries"].map((topic) => ({ id: topic, name: "search", input: { topic } }));
    const run = await runIn(sdk, await covering(await client.tools(), pdp), calls);
    await client.close();
    expect([ran, codes(run)]).toEqual([[{ topic: "renewal" }], ["ran", "policy_denied"]]);
  });

  test("that is not active is not run, whatever the model says", async () => {
    const pdp = fakePdp();
    const run = await runIn(sdk, await covering({ search }, pdp), [CALL], { activeTools: [] });
    expect([pdp.asked, codes(run).includes("ran") && run.shown.every(({ output }) => (output as { readonly type: string }).type.startsWith("error"))]).toEqual([
      [],
      true,
    ]);
  });

  test("has the refusal as its error, which an application can tell from the tool's own", async () => {
    const run = await runIn(sdk, await covering({ search }, fakePdp({ decide: async () => deny() })), [CALL], { stopWhen: sdk.stopAfter(1) });
    const errors = run.content.flatMap(({ type, error }: Part) => (type === "tool-error" && ToolRefusedError.isInstance(error) ? [error.refusal.error] : []));
    expect(errors).toEqual([{ code: "policy_denied", message: "not within this task", decisionId: "dec_deny", retryable: false }]);
  });

  test("shows its refusal in a UI stream as the application says, and never more than the model sees", async () => {
    const whole = JSON.stringify({ error: { code: "policy_denied", message: "not within this task", decisionId: "dec_deny", retryable: false } });
    for (const [options, shown] of [
      [{}, sdk.major === 7 ? whole : "An error occurred."],
      [{ onError: (error: unknown) => (ToolRefusedError.isInstance(error) ? error.refusal.error.message : "failed") }, "not within this task"],
    ] as const) {
      const tools = await covering({ search }, fakePdp({ decide: async () => deny() }));
      const result = sdk.streamText({ model: callingModelOf(sdk, [CALL]), prompt: "go", stopWhen: sdk.stopAfter(2), tools });
      const texts: unknown[] = [];
      for await (const part of (result.toUIMessageStream as (options: object) => ReadableStream<{ readonly errorText?: string }>)(options)) {
        if (part.errorText !== undefined) texts.push(part.errorText);
      }
      expect(texts).toEqual([shown]);
    }
  });

  test("that the client answers may be left undecided by name, and then waits for the client", async () => {
    const pdp = fakePdp();
    const ask_user = sdk.tool({ inputSchema, outputSchema: z.string() });
    const run = await runIn(sdk, await covering({ ask_user, search }, pdp, { undecided: ["ask_user"] }), [{ ...CALL, name: "ask_user" }]);
    expect([pdp.asked, run.shown, run.content.map(({ type }) => type)]).toEqual([[], [], ["tool-call"]]);
  });

  test("may not be left undecided when it runs here, or is not there, or is replaced by the SDK", async () => {
    for (const [tools, name] of [
      [{ search }, "search"],
      [{ search }, "find"],
      [{ search, find: Object.defineProperty({ inputSchema }, "experimental_toolCaller", { value: {} }) }, "find"],
    ] as const)
      await expect(covering(tools, fakePdp(), { undecided: [name] })).rejects.toMatchObject({ code: "option_invalid" });
  });
});
