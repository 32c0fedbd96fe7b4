import { createWorld, enforcement, scriptedPdp, deny } from "@ambit/conformance";
import { installTripwire, tripwire } from "@ambit/langchain/callbacks";
import { coverage, holdFor, protect } from "@ambit/langchain/tools";
import { AIMessage, ToolMessage, type BaseMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import { tool, type StructuredTool } from "@langchain/core/tools";
import { Command, interrupt, MemorySaver, MessagesAnnotation, StateGraph } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { createRequire } from "node:module";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";

const schema = z.object({ id: z.string().transform((id) => id.trim()), limit: z.number().default(10) });
const toolCall = { type: "tool_call" as const, id: "call-1", name: "read", args: { id: " k1 " } };
const asking = (call: object = toolCall) => ({ messages: [new AIMessage({ content: "", tool_calls: [call as typeof toolCall] })] });

function reader() {
  const ran: unknown[] = [];
  const read = tool(async (input: unknown) => (ran.push(input), JSON.stringify({ records: [1, 2, 3] })), { name: "read", description: "reads", schema });
  return { ran, read };
}

/** The adapter's types are those of the newest version. */
async function protectOne(pdp: ReturnType<typeof scriptedPdp>, one: unknown): Promise<StructuredTool> {
  const { pep, task } = await enforcement(pdp);
  return protect(pep, { tools: [one as never], envelope: task }).tools[0] as unknown as StructuredTool;
}

const graphOf = (tools: readonly unknown[], checkpointer?: MemorySaver) =>
  new StateGraph(MessagesAnnotation)
    .addNode("tools", new ToolNode(tools as never))
    .addEdge("__start__", "tools")
    .compile(checkpointer === undefined ? {} : { checkpointer });

const shownIn = ({ messages }: { readonly messages: readonly BaseMessage[] }) => messages.filter((message) => message.getType() === "tool") as ToolMessage[];

describe("with @langchain/core 0.3", () => {
  test("which this is", () => {
    const { version } = createRequire(import.meta.url)("@langchain/core/package.json") as { version: string };
    expect(version).toMatch(/^0\.3\./u);
  });

  test("a tool runs once when permitted, with the arguments that were decided", async () => {
    const pdp = scriptedPdp();
    const { ran, read } = reader();
    const [message] = shownIn(await graphOf([await protectOne(pdp, read)]).invoke(asking()));
    expect(ran).toEqual([{ id: "k1", limit: 10 }]);
    expect(pdp.asked.map(({ context }) => context.arguments)).toEqual([{ id: "k1", limit: 10 }]);
    expect(message).toMatchObject({ tool_call_id: "call-1", content: '{"records":[1,2,3]}' });
    expect(pdp.settled.map(({ status }) => status)).toEqual(["done"]);
  });

  test.each(["content", "content_and_artifact"])("a tool never runs when denied (%s), and the model is told", async (responseFormat) => {
    const { ran, read } = reader();
    const covered = await protectOne(scriptedPdp({ decide: async () => deny() }), Object.assign(read, { responseFormat }));
    const [message] = shownIn(await graphOf([covered]).invoke(asking()));
    expect(message).toMatchObject({ status: "error", tool_call_id: "call-1", content: expect.stringContaining('"policy_denied"') });
    await covered.invoke({ id: "k1" }, { callbacks: [] });
    await covered.call({ id: "k1" });
    await covered.batch([{ id: "k1" }]);
    expect(ran).toEqual([]);
  });

  test.each([
    ["text", "text"],
    ["data", { a: 1 }],
    ["nothing", undefined],
    ["a message", new ToolMessage({ content: "text", tool_call_id: "call-1" })],
  ])("a result that is %s stays what it is", async (_, result) => {
    const given = tool(async () => result as string, { name: "read", description: "reads", schema });
    const covered = await protectOne(scriptedPdp(), given);
    expect(await covered.invoke({ id: "k1" })).toEqual(await given.invoke({ id: "k1" }));
  });

  test("a runnable as a tool is decided on, too", async () => {
    const ran: unknown[] = [];
    const runnable = RunnableLambda.from((input: unknown) => (ran.push(input), "ran")).asTool({ name: "read", schema: z.object({ id: z.string() }) });
    const pdp = scriptedPdp({ decide: async () => deny() });
    await (await protectOne(pdp, runnable)).invoke({ id: "k1" });
    expect([ran, pdp.asked.length]).toEqual([[], 1]);
    expect(await (await protectOne(scriptedPdp(), runnable)).invoke({ id: "k1" }, { callbacks: [tripwire() as never] })).toBe("ran");
  });

  test("a call that needs an approval pauses the graph, and runs once it has one", async () => {
    const world = await createWorld({ holding: "handles" });
    const ran: unknown[] = [];
    const pay = tool(async (input: unknown) => (ran.push(input), "paid"), { name: "payments_pay", schema: z.object({ to: z.string(), amount: z.number() }) });
    const { tools } = protect(world.pep, { tools: [pay as never], envelope: await world.begin(), interrupt });
    const graph = graphOf(tools, new MemorySaver());
    const thread = { configurable: { thread_id: "t" } };
    await graph.invoke(asking({ ...toolCall, name: "payments_pay", args: { to: "c1", amount: 5 } }), thread);
    const { tasks } = await graph.getState(thread);
    expect(tasks[0]?.interrupts).toMatchObject([{ value: { type: "ambit_approval", tool: "payments_pay" } }]);
    expect(ran).toEqual([]);
    await world.answer("approve");
    const [message] = shownIn(await graph.invoke(new Command({ resume: tasks[0]?.interrupts[0]?.value }), thread));
    expect([ran.length, message?.content]).toEqual([1, "paid"]);
  });

  test("a run that is held keeps its task alive while it pauses and until it has ended, but not at a stop before a node, of which LangGraph tells nobody", async () => {
    const world = await createWorld({ holding: "handles" });
    const thread = { configurable: { thread_id: "t" } };
    const asks = tool(async () => interrupt("sure?") as string, { name: "search_run", schema: z.object({}) });
    const call = asking({ ...toolCall, name: "search_run", args: {} });
    const run = async (stop: readonly "tools"[]) => {
      const task = await world.begin();
      const graph = new StateGraph(MessagesAnnotation)
        .addNode("tools", new ToolNode(protect(world.pep, { tools: [asks as never], envelope: task }).tools as never))
        .addEdge("__start__", "tools")
        .compile({ checkpointer: new MemorySaver(), interruptBefore: [...stop] });
      await graph.invoke(call, holdFor(task, thread) as never);
      await task[Symbol.asyncDispose]();
      return shownIn(await graph.invoke(new Command({ resume: "yes" }), holdFor(task, thread) as never));
    };
    expect(await run([])).toMatchObject([{ content: "yes" }]);
    expect(await run(["tools"])).toMatchObject([{ content: expect.stringContaining("envelope_revoked") }]);
    expect(world.records("end")).toHaveLength(2);
  });

  test("the coverage names what is open", async () => {
    const { read } = reader();
    const raw = Object.assign(reader().read, { name: "raw" });
    expect(coverage(graphOf([await protectOne(scriptedPdp(), read), raw])).items.map(({ name, coveredBy }) => [name, coveredBy])).toEqual([
      ["read", "langchain tool"],
      ["raw", undefined],
    ]);
  });
});

describe("the tripwire, with @langchain/core 0.3,", () => {
  beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
  afterEach(() => void vi.restoreAllMocks());

  test("refuses a tool that nothing decides on, and lets one of `protect` through", async () => {
    const { ran, read } = reader();
    const callbacks = [tripwire() as never];
    await expect(read.invoke({ id: "k1" }, { callbacks })).rejects.toMatchObject({ code: "tool_not_allowed" });
    const runnable = RunnableLambda.from((input: unknown) => (ran.push(input), "ran")).asTool({ name: "read", schema: z.object({ id: z.string() }) });
    await expect(runnable.invoke({ id: "k1" }, { callbacks })).rejects.toMatchObject({ code: "tool_not_allowed" });
    expect(shownIn(await graphOf([read]).invoke(asking(), { callbacks }))).toMatchObject([{ status: "error" }]);
    expect(ran).toEqual([]);
    await (await protectOne(scriptedPdp(), read)).invoke({ id: "k1" }, { callbacks });
    expect(ran).toHaveLength(1);
  });

  test("is in every run once it is installed", async () => {
    const { ran, read } = reader();
    const run = Promise.resolve().then(async () => {
      installTripwire();
      return read.invoke({ id: "k1" }, { callbacks: [] });
    });
    await expect(run).rejects.toMatchObject({ code: "tool_not_allowed" });
    expect(ran).toEqual([]);
  });
});
