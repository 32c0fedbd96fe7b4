import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { AIMessage, HumanMessage, type BaseMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import { DynamicStructuredTool, StructuredTool, type ClientTool } from "@langchain/core/tools";
import {
  Command,
  entrypoint,
  interrupt,
  MemorySaver,
  MessagesAnnotation,
  Send,
  StateGraph,
  task as graphTask,
  type LangGraphRunnableConfig,
} from "@langchain/langgraph";
import { createReactAgent, ToolNode } from "@langchain/langgraph/prebuilt";
import { createHandoffTool, createSwarm } from "@langchain/langgraph-swarm";
import { createDeepAgent } from "deepagents";
import { createAgent, createMiddleware, tool } from "langchain";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { installTripwire, tripwire } from "../src/callbacks.ts";
import { coverage, protect } from "../src/index.ts";
import { callingModel, refused, toolMessages, type Call } from "./support/agents.ts";
import { deny, enforcement, fakePdp, permit } from "./support/fake-pdp.ts";

const schema = z.object({ id: z.string() });
const args = { id: "k1" };
const call: Call = { id: "call-1", name: "read", args };
const toolCall = { ...call, type: "tool_call" as const };
const FIRST_ONLY = { id: "o", type: "limit_records", properties: { pointer: "/records", max: 1 } } as const;
const go = { messages: [new HumanMessage("go")] };
const asking = () => ({ messages: [new AIMessage({ content: "", tool_calls: [toolCall] })] });

type Open = DynamicStructuredTool & { _call(input: unknown, manager?: unknown, config?: unknown): Promise<unknown> };

function reader() {
  const ran: unknown[] = [];
  const read = tool((input) => (ran.push(input), "read"), { name: "read", description: "reads", schema });
  return { ran, read };
}

async function drain(start: () => unknown): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of (await start()) as AsyncIterable<unknown>) chunks.push(chunk);
  return chunks;
}

const graphOf = (node: ToolNode) => new StateGraph(MessagesAnnotation).addNode("tools", node).addEdge("__start__", "tools").compile();

/** Every way that we know of to run a tool that one has, by what one is called. */
const DOORS: Readonly<Record<string, (covered: Open) => unknown>> = {
  invoke: (covered) => covered.invoke(args),
  "invoke with a call": (covered) => covered.invoke(toolCall),
  call: (covered) => covered.call(args),
  _call: (covered) => covered._call(args),
  func: (covered) => covered.func(args as never),
  "func of what it was made of": (covered) => (covered.lc_kwargs as unknown as Open).func(args as never),
  "invoke of the class": (covered) => StructuredTool.prototype.invoke.call(covered as never, args),
  "_call of the class": (covered) => (DynamicStructuredTool.prototype as unknown as Open)._call.call(covered, args),
  batch: (covered) => covered.batch([args]),
  stream: (covered) => drain(() => covered.stream(args)),
  streamEvents: (covered) => drain(() => covered.streamEvents(args, { version: "v2" })),
  streamLog: (covered) => drain(() => covered.streamLog(args)),
  withConfig: (covered) => covered.withConfig({ runName: "harmless" }).invoke(args),
  withRetry: (covered) => covered.withRetry({ stopAfterAttempt: 1 }).invoke(args),
  withFallbacks: (covered) => covered.withFallbacks([covered]).invoke(args),
  pipe: (covered) => covered.pipe(RunnableLambda.from((output: unknown) => output as string)).invoke(args),
  asTool: (covered) => covered.asTool({ name: "harmless", schema } as never).invoke(args as never),
  "a lambda": (covered) => RunnableLambda.from((input: typeof args) => covered.invoke(input)).invoke(args),
  "another tool": (covered) => tool((input) => covered.invoke(input) as Promise<string>, { name: "outer", schema }).invoke(args),
  ToolNode: (covered) => new ToolNode([covered]).invoke(asking()),
  "ToolNode with messages": (covered) => new ToolNode([covered]).invoke(asking().messages),
  "ToolNode in a graph": (covered) => graphOf(new ToolNode([covered])).invoke(asking()),
  "ToolNode by a `Send`": (covered) =>
    new StateGraph(MessagesAnnotation)
      .addNode("tools", new ToolNode([covered]))
      .addConditionalEdges("__start__", (state) => [new Send("tools", { ...state, lg_tool_call: toolCall })], ["tools"])
      .compile()
      .invoke(go),
  "ToolNode by a `Command`": (covered) =>
    new StateGraph(MessagesAnnotation)
      .addNode("first", () => new Command({ goto: "tools", update: asking() }), { ends: ["tools"] })
      .addNode("tools", new ToolNode([covered]))
      .addEdge("__start__", "first")
      .compile()
      .invoke(go),
  "updateState past the model": async (covered) => {
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("model", () => ({}))
      .addNode("tools", new ToolNode([covered]))
      .addEdge("__start__", "model")
      .addEdge("model", "tools")
      .compile({ checkpointer: new MemorySaver(), interruptAfter: ["model"] });
    const thread = { configurable: { thread_id: "t" } };
    await graph.invoke(go, thread);
    await graph.updateState(thread, asking(), "model");
    return graph.invoke(null, thread);
  },
  createReactAgent: (covered) => createReactAgent({ llm: callingModel([call]), tools: [covered] }).invoke(go),
  "createReactAgent v1": (covered) => createReactAgent({ llm: callingModel([call]), tools: [covered], version: "v1" }).invoke(go),
  createAgent: (covered) => createAgent({ model: callingModel([call]), tools: [covered] }).invoke(go),
  "createAgent v1": (covered) => createAgent({ model: callingModel([call]), tools: [covered], version: "v1" }).invoke(go),
  "a graph of an agent": (covered) => createAgent({ model: callingModel([call]), tools: [covered] }).graph.invoke(go as never),
  "a tool that a middleware brings": (covered) =>
    createAgent({ model: callingModel([call]), tools: [], middleware: [createMiddleware({ name: "bringing", tools: [covered] })] }).invoke(go),
  "a middleware that calls it": (covered) =>
    createAgent({
      model: callingModel([call]),
      tools: [covered],
      middleware: [createMiddleware({ name: "calling", wrapToolCall: ({ toolCall: { id } }) => covered.invoke({ ...toolCall, id: id ?? "" }) as never })],
    }).invoke(go),
  "a functional graph": (covered) => {
    const step = graphTask("read", async () => covered.invoke(args) as Promise<unknown>);
    return entrypoint("flow", async () => step()).invoke({});
  },
  deepagents: (covered) => createDeepAgent({ model: callingModel([call]), tools: [covered] }).invoke(go as never),
  "a sub-agent of deepagents": (covered) =>
    createDeepAgent({
      model: callingModel([{ id: "over", name: "task", args: { description: "go", subagent_type: "worker" } }]),
      subagents: [{ name: "worker", description: "d", systemPrompt: "s", tools: [covered], model: callingModel([call]) }],
    }).invoke(go as never),
  "the general sub-agent of deepagents": (covered) =>
    createDeepAgent({
      model: callingModel([{ id: "over", name: "task", args: { description: "go", subagent_type: "general-purpose" } }], [call], []),
      tools: [covered],
    }).invoke(go as never),
};

describe("a tool of `protect` asks, and does not run when denied, by", () => {
  test.each(Object.keys(DOORS))("%s", async (door) => {
    const pdp = fakePdp({ decide: async () => deny() });
    const { pep, task } = await enforcement(pdp);
    const { ran, read } = reader();
    const [covered] = protect(pep, { tools: [read], envelope: task }).tools;
    await DOORS[door]?.(covered as unknown as Open);
    expect(pdp.asked.map(({ action, context }) => [action.name, context.arguments])).toEqual([["read", args]]);
    expect(ran).toEqual([]);
  });
});

/** What these doors open leads to the function of a tool that nobody protected without LangChain hearing of a tool or a runnable. */
const UNHEARD: readonly string[] = ["_call", "func", "func of what it was made of", "_call of the class"];

describe("a tool that nobody protected does not run past the tripwire, by", () => {
  beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
  afterEach(() => void vi.restoreAllMocks());

  test.each(Object.keys(DOORS).filter((door) => !UNHEARD.includes(door)))("%s", async (door) => {
    const { ran, read } = reader();
    // What is installed in a continuation is known to what follows from it, and to nobody else.
    const run = Promise.resolve().then(() => {
      installTripwire({ except: ["outer", "task"] });
      return DOORS[door]?.(read as unknown as Open);
    });
    await run.catch(() => undefined);
    expect(ran).toEqual([]);
    expect(vi.mocked(console.error).mock.calls.flat().join()).toContain("was started without a decision");
  });

  test.each(UNHEARD)("which is a limit: %s is not heard of", async (door) => {
    const { ran, read } = reader();
    await RunnableLambda.from(async () => void (await DOORS[door]?.(read as unknown as Open))).invoke({}, { callbacks: [tripwire()] });
    expect(ran).toEqual([args]);
  });

  test("which is a limit: the tool that went in is behind the one that came out", async () => {
    const { pep, task } = await enforcement(fakePdp({ decide: async () => deny() }));
    const { ran, read } = reader();
    const [covered] = protect(pep, { tools: [read], envelope: task }).tools;
    await (Object.getPrototypeOf(covered) as ClientTool).invoke(args);
    expect(ran).toEqual([args]);
  });
});

describe("what a hostile model says", () => {
  test("does not answer for another call: arguments that are a call themselves are refused, on the record", async () => {
    const pdp = fakePdp({ decide: async ({ context }) => (context.arguments["id"] === "no" ? deny() : permit()) });
    const { pep, task } = await enforcement(pdp);
    const { ran, read } = reader();
    const { tools } = protect(pep, { tools: [read], envelope: task });
    const within = { ...toolCall, id: "call-2" };
    const calls = [
      { ...toolCall, args: within },
      { ...within, args: { id: "no" } },
    ];
    const { messages } = await new ToolNode(tools).invoke({ messages: [new AIMessage({ content: "", tool_calls: calls })] });
    expect(messages).toEqual([refused("argument_not_allowed"), refused("policy_denied", "call-2")]);
    expect(pdp.asked.map(({ context }) => context.refusal?.code)).toEqual(["argument_not_allowed", undefined]);
    expect(ran).toEqual([]);
  });

  test.each([["call-1"], [undefined]])("within a tool, to have it run once more, is decided each time (id %s)", async (id) => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const ran: unknown[] = [];
    const again = { ...call, id } as Call;
    const research = tool(
      async (input): Promise<string> => {
        if (ran.push(input) < 4) await createAgent({ model: callingModel([again]), tools }).invoke(go);
        return "read";
      },
      { name: "read", description: "runs an agent", schema },
    );
    const covered = protect(pep, { tools: [research], envelope: task });
    const tools: ClientTool[] = covered.tools;
    await createAgent({ model: callingModel([again]), ...covered }).invoke(go);
    expect([ran.length, pdp.asked.length, pdp.redeemed.length]).toEqual([4, 4, 4]);
  });

  test("comes to a tool once that was protected twice", async () => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const { ran, read } = reader();
    const { tools } = protect(pep, { tools: [read], envelope: task });
    await createAgent({ model: callingModel([call]), ...protect(pep, { tools: tools as never, envelope: task }) }).invoke(go);
    expect([ran, pdp.asked.length]).toEqual([[args], 1]);
  });
});

/** A cache of LangGraph's, whose own are in a package of their own. */
function memoryCache() {
  const kept = new Map<string, unknown>();
  return {
    get: async (keys: readonly unknown[]) => keys.flatMap((key) => (kept.has(JSON.stringify(key)) ? [{ key, value: kept.get(JSON.stringify(key)) }] : [])),
    set: async (pairs: readonly { readonly key: unknown; readonly value: unknown }[]) => {
      for (const { key, value } of pairs) kept.set(JSON.stringify(key), value);
    },
  };
}

describe("what comes to be seen without a decision, which is a limit:", () => {
  test("the answer of a node that is cached; `coverage` names it", async () => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const { ran, read } = reader();
    let envelope: typeof task | undefined = task;
    const { tools } = protect(pep, { tools: [read], envelope: () => envelope });
    const graph = new StateGraph(MessagesAnnotation)
      .addNode("tools", new ToolNode(tools), { cachePolicy: { ttl: 60_000 } })
      .addEdge("__start__", "tools")
      .compile({ cache: memoryCache() as never });
    const input = () => ({ messages: [new AIMessage({ id: "m", content: "", tool_calls: [toolCall] })] });
    await graph.invoke(input());
    envelope = undefined;
    expect((await graph.invoke(input())).messages.at(-1)?.content).toBe("read");
    expect([ran.length, pdp.asked.length]).toEqual([1, 1]);
    expect(coverage(graph).items).toEqual([{ kind: "tool", name: "read", note: expect.stringContaining("cachePolicy") as string }]);
  });

  test("what a tool writes itself, and the runs within it, while its result is held", async () => {
    const { pep, task } = await enforcement(fakePdp({ decide: async () => permit(FIRST_ONLY) }));
    const data = { records: [{ id: "k1" }, { id: "k2" }] };
    const heard: string[] = [];
    const listening = BaseCallbackHandler.fromMethods({ handleChainEnd: (output) => void heard.push(JSON.stringify(output)) });
    const runnable = RunnableLambda.from(() => JSON.stringify(data)).asTool({ name: "read", schema });
    const writing = tool((_input, { writer }: LangGraphRunnableConfig) => (writer?.(data), JSON.stringify(data)), { name: "read", description: "d", schema });
    const [first] = protect(pep, { tools: [runnable], envelope: task }).tools;
    expect(await first.invoke(args as never, { callbacks: [listening] })).toBe(JSON.stringify({ records: [{ id: "k1" }] }));
    expect(heard.join()).toContain("k2");
    const agent = createAgent({ model: callingModel([call]), ...protect(pep, { tools: [writing], envelope: task }) });
    expect(await drain(() => agent.stream(go, { streamMode: ["custom"] }))).toEqual([["custom", data]]);
  });

  test("what a tool interrupts with, while its result is held", async () => {
    const { pep, task } = await enforcement(fakePdp({ decide: async () => permit(FIRST_ONLY) }));
    const asks = tool(() => interrupt("k2") as string, { name: "read", description: "d", schema });
    const agent = createAgent({ model: callingModel([call]), checkpointer: new MemorySaver(), ...protect(pep, { tools: [asks], envelope: task }) });
    expect(await agent.invoke(go, { configurable: { thread_id: "t" } })).toMatchObject({ __interrupt__: [{ value: "k2" }] });
  });

  test("settings of a model for tools of its provider, but for the `tools` in them", async () => {
    const { pep, task } = await enforcement(fakePdp());
    const { read } = reader();
    const model = callingModel([]);
    const bind = vi.spyOn(model, "bindTools");
    const modelSettings = { tools: [{ type: "web_search" }], mcp_servers: [{ url: "https://mcp.example" }] };
    const setting = createMiddleware({ name: "setting", wrapModelCall: (request, handler) => handler({ ...request, modelSettings }) });
    await createAgent({ model, ...protect(pep, { tools: [read], middleware: [setting], envelope: task }) }).invoke(go);
    const [[tools, settings] = []] = bind.mock.calls as unknown as [readonly { readonly name: string }[], object][];
    expect(tools?.map(({ name }) => name)).toEqual(["read"]);
    expect(settings).toEqual({ mcp_servers: modelSettings.mcp_servers });
  });
});

describe("an agent is started", () => {
  test("by a hand-off of ours only when that is permitted, and by a tool of a swarm only when the call is", async () => {
    const started: string[] = [];
    const pdp = fakePdp({
      decide: async () => deny(),
      handOff: async () => ({ decision: false, id: "dec_1", refusal: { code: "hand_off_denied", message: "no", retryable: false } }),
    });
    const { pep, task } = await enforcement(pdp);
    const handOffs = { classify: { description: "d", inputSchema: schema, to: { agentId: "classifier" }, run: async () => started.push("classifier") } };
    const model = callingModel([{ ...call, name: "classify" }]);
    await createAgent({ model, ...protect(pep, { tools: [], handOffs, envelope: task }) }).invoke(go);
    expect(toolMessages(model.calls[1]?.messages)).toEqual([refused("hand_off_denied")]);

    const other = callingModel();
    const first = callingModel([{ id: "call-1", name: "transfer_to_other", args: {} }]);
    const { tools } = protect(pep, { tools: [createHandoffTool({ agentName: "other" })], envelope: task });
    const agents = [createReactAgent({ llm: first, tools: [...tools], name: "first" }), createReactAgent({ llm: other, tools: [], name: "other" })];
    await createSwarm({ agents, defaultActiveAgent: "first" }).compile().invoke(go);
    expect(toolMessages(first.calls[1]?.messages as BaseMessage[])).toEqual([refused("policy_denied")]);
    expect([started, other.callCount]).toEqual([[], 0]);
  });

  test("by a tool of a swarm when that is permitted", async () => {
    const { pep, task } = await enforcement(fakePdp());
    const other = callingModel();
    const { tools } = protect(pep, { tools: [createHandoffTool({ agentName: "other" })], envelope: task });
    const first = createReactAgent({ llm: callingModel([{ id: "call-1", name: "transfer_to_other", args: {} }]), tools: [...tools], name: "first" });
    await createSwarm({ agents: [first, createReactAgent({ llm: other, tools: [], name: "other" })], defaultActiveAgent: "first" })
      .compile()
      .invoke(go);
    expect(other.callCount).toBe(1);
  });
});

describe("what runs, when permitted, runs", () => {
  test("once for each of a batch, and as events and chunks", async () => {
    const pdp = fakePdp({ decide: async ({ context }) => (context.arguments["id"] === "no" ? deny() : permit()) });
    const { pep, task } = await enforcement(pdp);
    const { ran, read } = reader();
    const [covered] = protect(pep, { tools: [read], envelope: task }).tools;
    const answers = await covered.batch([{ id: "a" }, { id: "no" }, { id: "b" }]);
    expect(answers).toEqual(["read", refused("policy_denied", ""), "read"]);
    expect(await drain(() => covered.stream({ id: "c" }))).toEqual(["read"]);
    const events = (await drain(() => covered.streamEvents({ id: "d" }, { version: "v2" }))) as { event: string; data: { output?: unknown } }[];
    expect(events.map(({ event, data }) => [event, data.output])).toEqual([
      ["on_tool_start", undefined],
      ["on_tool_end", "read"],
    ]);
    expect(ran).toEqual(["a", "b", "c", "d"].map((id) => ({ id })));
  });

  test("at the client, for a tool without a function, with the arguments that were decided", async () => {
    const pdp = fakePdp({ decide: async ({ context }) => (context.arguments["id"] === "no" ? deny() : permit()) });
    const { pep, task } = await enforcement(pdp);
    const locate = tool({ name: "locate", description: "asks the client", schema: z.object({ id: z.string().trim() }) });
    const calls = ["no", " yes "].map((id) => ({ id: `call-${id.trim()}`, name: "locate", args: { id } }));
    const model = callingModel(calls);
    const agent = createAgent({ model, checkpointer: new MemorySaver(), ...protect(pep, { tools: [locate], envelope: task }) });
    const thread = { configurable: { thread_id: "t" } };
    const paused = (await agent.invoke(go, thread)) as unknown as { __interrupt__: readonly { value: unknown }[] };
    expect(paused.__interrupt__).toMatchObject([{ value: { type: "tool", toolCall: { id: "call-yes", args: { id: "yes" } } } }]);
    await agent.invoke(new Command({ resume: { place: "here" } }), thread);
    expect(toolMessages(model.calls[1]?.messages)).toEqual([
      refused("policy_denied", "call-no"),
      expect.objectContaining({ tool_call_id: "call-yes", content: expect.stringContaining("here") }),
    ]);
  });
});
