import { createWorld, type World } from "@ambit/conformance";
import type { Task } from "@ambit/core";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { CallbackManager } from "@langchain/core/callbacks/manager";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import type { ClientTool } from "@langchain/core/tools";
import { RunnableLambda, type RunnableConfig } from "@langchain/core/runnables";
import { Command, interrupt, MemorySaver, MessagesAnnotation, StateGraph, type Interrupt } from "@langchain/langgraph";
import { createReactAgent, ToolNode } from "@langchain/langgraph/prebuilt";
import { createAgent, fakeModel, humanInTheLoopMiddleware, tool, type AgentMiddleware } from "langchain";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { holdFor, protect } from "../src/index.ts";
import { callingModel, type Call } from "./support/agents.ts";

const go = { messages: [new HumanMessage("go")] };
const threadOf = (id: string) => ({ configurable: { thread_id: id } });
const thread = threadOf("thread-1");
const search = (id: string): Call => ({ id, name: "search_run", args: { id } });
const pay = (id: string): Call => ({ id, name: "payments_pay", args: { to: "c1", amount: 5 } });

/** What of an agent or a graph is used here. */
interface App {
  invoke(input: unknown, config: object): Promise<unknown>;
  stream(input: unknown, config: object): Promise<ReadableStream & AsyncIterable<unknown>>;
  streamEvents(input: unknown, config: object): AsyncIterable<unknown>;
}

const asking = (calls: readonly Call[]) => ({
  messages: [new AIMessage({ content: "", tool_calls: calls.map((call) => ({ ...call, type: "tool_call" as const })) })],
});
const pausesOf = (state: unknown): readonly Interrupt[] => (state as { readonly __interrupt__?: readonly Interrupt[] }).__interrupt__ ?? [];
const resume = (value: unknown) => new Command({ resume: value });

/** Tools, one of which asks whoever runs the graph; the checkpointer; and what there is to know of a task. */
async function stage() {
  const world: World = await createWorld({ holding: "handles" });
  const ran: string[] = [];
  const gate = Promise.withResolvers<void>();
  const schema = z.object({ id: z.string() });
  const raw = [
    tool(({ id }) => (ran.push(id), "found"), { name: "search_run", description: "searches", schema }),
    tool(
      ({ id }) => {
        const answer = interrupt<string, string>("sure?");
        ran.push(`${id} ${answer}`);
        return answer;
      },
      { name: "search_run", description: "asks", schema },
    ),
    tool(async ({ id }) => (await gate.promise, ran.push(id), "found"), { name: "search_run", description: "waits", schema }),
    tool(() => (ran.push("paid"), "paid"), { name: "payments_pay", description: "pays", schema: z.object({ to: z.string(), amount: z.number() }) }),
  ] as const;
  const [plain, asks, slow, pays] = raw;
  const checkpointer = new MemorySaver();
  /** Begins, runs `run` and leaves the scope of the task. */
  const scoped = async <T>(run: (task: Task) => Promise<T>): Promise<{ readonly task: Task; readonly result: T }> => {
    await using task = await world.begin();
    return { task, result: await run(task) };
  };
  const isOver = async (task: Task): Promise<boolean> => {
    const admission = await world.pep.admit({ envelope: task, tool: "search_run", arguments: {} });
    if (admission.admitted) await admission.cancel();
    return !admission.admitted && admission.refused.refusal.code === "envelope_revoked";
  };
  /** An agent whose model makes these calls, turn by turn. */
  const agent = (task: Task, tools: readonly ClientTool[], ...turns: readonly (readonly Call[])[]): App =>
    createAgent({ model: callingModel(...turns), checkpointer, ...protect(world.pep, { tools, envelope: task, interrupt }) }) as unknown as App;
  return { world, ran, plain, asks, slow, goOn: () => gate.resolve(), pays, checkpointer, scoped, isOver, agent };
}

type Stage = Awaited<ReturnType<typeof stage>>;

/** Ways in which a run pauses; each makes `search-1` run once it is resumed. */
const PAUSES: Readonly<Record<string, (stage: Stage, task: Task) => App>> = {
  "a tool that interrupts": ({ agent, asks }, task) => agent(task, [asks], [search("search-1")]),
  "the middleware by which people approve": ({ world, plain, checkpointer }, task) => {
    const approving = humanInTheLoopMiddleware({ interruptOn: { search_run: true } } as never) as AgentMiddleware;
    const model = callingModel([search("search-1")]);
    return createAgent({ model, checkpointer, ...protect(world.pep, { tools: [plain], middleware: [approving], envelope: task }) }) as unknown as App;
  },
  "a stop before a node": ({ world, plain, checkpointer }, task) =>
    new StateGraph(MessagesAnnotation)
      .addNode("model", () => asking([search("search-1")]))
      .addNode("tools", new ToolNode([...protect(world.pep, { tools: [plain], envelope: task }).tools]))
      .addEdge("__start__", "model")
      .addEdge("model", "tools")
      .compile({ checkpointer, interruptBefore: ["tools"] }) as unknown as App,
  "a graph two graphs down": ({ world, asks, checkpointer }, task) => {
    const { tools } = protect(world.pep, { tools: [asks], envelope: task });
    const inner = createReactAgent({ llm: callingModel([search("search-1")]), tools: [...tools] });
    const middle = new StateGraph(MessagesAnnotation).addNode("inner", inner).addEdge("__start__", "inner").compile();
    return new StateGraph(MessagesAnnotation).addNode("middle", middle).addEdge("__start__", "middle").compile({ checkpointer }) as unknown as App;
  },
  "an agent within a tool": ({ agent, world, asks }, task) => {
    const inner = createAgent({ model: callingModel([search("search-1")]), ...protect(world.pep, { tools: [asks], envelope: task }) });
    const outer = tool(async () => (await inner.invoke(go)).messages.at(-1)?.text ?? "", {
      name: "tickets_create",
      description: "asks another agent",
      schema: z.object({ title: z.string() }),
    });
    return agent(task, [outer], [{ id: "outer", name: "tickets_create", args: { title: "t" } }]);
  },
};
const ANSWERS: Readonly<Record<string, unknown>> = { "the middleware by which people approve": { decisions: [{ type: "approve" }] } };

describe("a run that pauses", () => {
  test("without being held ends with the scope of its task, and does not go on", async () => {
    const s = await stage();
    const { task } = await s.scoped((given) => s.agent(given, [s.asks], [search("search-1")]).invoke(go, thread));
    expect(await s.isOver(task)).toBe(true);
    await s.agent(task, [s.asks]).invoke(resume("yes"), thread);
    expect(s.ran).toEqual([]);
  });

  test.each(Object.keys(PAUSES))("by %s keeps its task alive until the resumed run has ended, and no longer", async (way) => {
    const s = await stage();
    const { task, result: app } = await s.scoped(async (given) => {
      const made = PAUSES[way]?.(s, given) as App;
      await made.invoke(go, holdFor(given, thread));
      return made;
    });
    expect([s.ran, await s.isOver(task)]).toEqual([[], false]);
    await app.invoke(way.startsWith("a stop") ? null : resume(ANSWERS[way] ?? "yes"), holdFor(task, thread));
    expect(s.ran).toEqual([expect.stringMatching(/^search-1/)]);
    expect(await s.isOver(task)).toBe(true);
  });

  test("for an approval keeps its task alive, and what the model asks for after it runs, too", async () => {
    const s = await stage();
    const { task } = await s.scoped((given) => s.agent(given, [s.pays, s.plain], [pay("pay-1")]).invoke(go, holdFor(given, thread)));
    await s.world.answer("approve");
    await s.agent(task, [s.pays, s.plain], [search("search-1")]).invoke(resume({ type: "ambit_approval" }), holdFor(task, thread));
    expect([s.ran, await s.isOver(task)]).toEqual([["paid", "search-1"], true]);
  });

  test("at several places is over when the last of them was resumed", async () => {
    const s = await stage();
    const { task, result } = await s.scoped((given) =>
      s.agent(given, [s.asks], [search("search-1"), search("search-2"), search("search-3")]).invoke(go, holdFor(given, thread)),
    );
    const pauses = pausesOf(result);
    expect(pauses).toHaveLength(3);
    const left: boolean[] = [];
    for (const { id = "" } of pauses) {
      await s.agent(task, [s.asks]).invoke(resume({ [id]: "yes" }), holdFor(task, thread));
      left.push(await s.isOver(task));
    }
    expect(left).toEqual([false, false, true]);
    expect(s.ran.toSorted()).toEqual(["search-1 yes", "search-2 yes", "search-3 yes"]);
  });

  test("is not ended by the run of another thread under the same task", async () => {
    const s = await stage();
    const { task } = await s.scoped(async (given) => {
      await s.agent(given, [s.asks], [search("search-1")]).invoke(go, holdFor(given, thread));
      await s.agent(given, [s.plain], [search("search-2")]).invoke(go, holdFor(given, threadOf("thread-2")));
    });
    expect(await s.isOver(task)).toBe(false);
    await s.agent(task, [s.asks]).invoke(resume("yes"), holdFor(task, thread));
    expect([s.ran, await s.isOver(task)]).toEqual([["search-2", "search-1 yes"], true]);
  });

  test("that nobody resumes ends with the envelope, and by hand at once", async () => {
    const s = await stage();
    const begin = () => s.scoped((given) => s.agent(given, [s.asks], [search("search-1")]).invoke(go, holdFor(given, thread)));
    const { task: left } = await begin();
    const { task: ended } = await begin();
    await ended.end();
    expect([await s.isOver(left), await s.isOver(ended)]).toEqual([false, true]);
    s.world.advance(600_000);
    await s.agent(left, [s.asks]).invoke(resume("yes"), holdFor(left, thread));
    expect(s.ran).toEqual([]);
    expect(s.world.records("decision").at(-1)?.details).toMatchObject({ code: "envelope_expired" });
  });

  test("and fails when it is resumed is over", async () => {
    const s = await stage();
    const { task } = await s.scoped((given) => s.agent(given, [s.asks], [search("search-1")]).invoke(go, holdFor(given, thread)));
    const { tools, middleware } = protect(s.world.pep, { tools: [s.asks], envelope: task });
    const failing = createAgent({ model: fakeModel().respond(new Error("down")), checkpointer: s.checkpointer, tools, middleware }) as unknown as App;
    await expect(failing.invoke(resume("yes"), holdFor(task, thread))).rejects.toThrow("down");
    expect([s.ran, await s.isOver(task)]).toEqual([["search-1 yes"], true]);
  });
});

const MODES = ["values", "updates", "messages", "custom", "debug"];
/** Ways to read a run while it goes on. */
const STREAMS: Readonly<Record<string, (app: App, config: object) => Promise<AsyncIterable<unknown>>>> = {
  "a stream": (app, config) => app.stream(go, config),
  "a stream of messages": (app, config) => app.stream(go, { ...config, streamMode: "messages" }),
  "a stream of everything": (app, config) => app.stream(go, { ...config, streamMode: MODES, subgraphs: true }),
  "a stream of events": async (app, config) => app.streamEvents(go, { ...config, version: "v2" }),
};

describe("a run that is returned as", () => {
  test.each(Object.keys(STREAMS))("%s has its tools refused, unless it is held; then it keeps its task alive until it has ended", async (way) => {
    for (const isHeld of [false, true]) {
      const s = await stage();
      const { task, result: stream } = await s.scoped(async (given) =>
        (STREAMS[way] as NonNullable<(typeof STREAMS)[string]>)(
          s.agent(given, [s.slow], [search("search-1")], [search("search-2")]),
          isHeld ? holdFor(given, thread) : thread,
        ),
      );
      expect(await s.isOver(task)).toBe(!isHeld);
      s.goOn();
      for await (const chunk of stream) void chunk;
      expect([s.ran.includes("search-2"), await s.isOver(task)]).toEqual([isHeld, true]);
    }
  });

  test("a promise may be held before it has begun", async () => {
    const s = await stage();
    const { task, result } = await s.scoped(async (given) => ({ run: s.agent(given, [s.plain], [search("search-1")]).invoke(go, holdFor(given, thread)) }));
    await result.run;
    expect([s.ran, await s.isOver(task)]).toEqual([["search-1"], true]);
  });

  test("a stream ends its task when its model fails, and when it is aborted", async () => {
    const s = await stage();
    const { task, result } = await s.scoped(async (given) => {
      const { tools, middleware } = protect(s.world.pep, { tools: [s.plain], envelope: given });
      const model = fakeModel().respond(new Error("down"));
      const app = createAgent({ model, tools, middleware }) as unknown as App;
      return { stream: app.stream(go, holdFor(given, { streamMode: "updates" })) };
    });
    await expect(result.stream.then(drain)).rejects.toThrow("down");
    expect(await s.isOver(task)).toBe(true);

    const controller = new AbortController();
    const { task: second, result: stream } = await s.scoped((given) =>
      s.agent(given, [s.slow], [search("search-1")]).stream(go, holdFor(given, { ...thread, signal: controller.signal })),
    );
    expect(await s.isOver(second)).toBe(false);
    controller.abort();
    await expect(drain(stream)).rejects.toThrow(/abort/iu);
    s.goOn();
    expect(await s.isOver(second)).toBe(true);
  });

  test.each<[string, (stream: Awaited<ReturnType<App["stream"]>>) => Promise<unknown>]>([
    ["cancels", (stream) => stream.cancel()],
    [
      "leaves",
      async (stream) => {
        for await (const chunk of stream) return chunk;
        return undefined;
      },
    ],
  ])("a stream that its reader %s ends its task then, and its tools run no more", async (_, leave) => {
    const s = await stage();
    const { task, result: stream } = await s.scoped((given) =>
      s.agent(given, [s.slow], [search("search-1")], [search("search-2")]).stream(go, holdFor(given, thread)),
    );
    expect(await s.isOver(task)).toBe(false);
    const left = leave(stream);
    await vi.waitFor(async () => expect(await s.isOver(task)).toBe(true));
    s.goOn();
    await left;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(s.ran).not.toContain("search-2");
  });
});

describe("a held run", () => {
  test("keeps the callbacks of its configuration, and everything else in it", async () => {
    const s = await stage();
    const heard: string[] = [];
    const mine = BaseCallbackHandler.fromMethods({
      handleToolStart: (_tool, _input, _id, _parent, _tags, metadata) => void heard.push(String(metadata?.["owner"])),
    });
    const config = { ...thread, callbacks: [mine], metadata: { owner: "legal" } };
    await s.scoped((given) => s.agent(given, [s.plain], [search("search-1")]).invoke(go, holdFor(given, config)));
    expect([heard, config.callbacks]).toEqual([["legal"], [mine]]);
  });

  test("may be a part of another run, whose configuration it is given", async () => {
    const s = await stage();
    const within = (app: App, given: Task) => {
      const node = async (input: unknown, config: RunnableConfig) => (await app.invoke(input, holdFor(given, config)), "after");
      const lambda = RunnableLambda.from(node);
      return (input: unknown, config: object) => lambda.invoke(input, config);
    };
    const config = { ...thread, callbacks: CallbackManager.fromHandlers({ handleToolStart: () => undefined }) };
    const { task, result } = await s.scoped((given) => within(s.agent(given, [s.asks], [search("search-1")]), given)(go, config));
    expect([result, await s.isOver(task)]).toEqual(["after", false]);
    await within(s.agent(task, [s.asks]), task)(resume("yes"), config);
    expect([s.ran, await s.isOver(task)]).toEqual([["search-1 yes"], true]);
  });

  test("may be a chain with a graph in it, which pauses", async () => {
    const s = await stage();
    const chainOf = (app: App) =>
      RunnableLambda.from(async (input: unknown) => input).pipe(RunnableLambda.from((input: unknown, config) => app.invoke(input, config)));
    const { task } = await s.scoped((given) => chainOf(s.agent(given, [s.asks], [search("search-1")])).invoke(go, holdFor(given, thread)));
    expect(await s.isOver(task)).toBe(false);
    await chainOf(s.agent(task, [s.asks])).invoke(resume("yes"), holdFor(task, thread));
    expect([s.ran, await s.isOver(task)]).toEqual([["search-1 yes"], true]);
  });

  test("may be held with one configuration for the pause and for what comes after it", async () => {
    const s = await stage();
    const { task, result: config } = await s.scoped(async (given) => {
      const held = holdFor(given, thread);
      await s.agent(given, [s.asks], [search("search-1")]).invoke(go, held);
      return held;
    });
    await s.agent(task, [s.asks]).invoke(resume("yes"), config);
    expect([s.ran, await s.isOver(task)]).toEqual([["search-1 yes"], true]);
  });

  test("comes to its end when the task cannot be ended any more", async () => {
    const s = await stage();
    const pep = s.world.pepBefore(() => ({ end: () => Promise.reject(new Error("away")) }));
    const task = await pep.begin({
      delegatorId: "user_1",
      tenantId: "tenant_1",
      purpose: "review",
      allowedTools: ["search.run"],
      resourceConstraints: {},
      expiresIn: "1m",
    });
    const run = s.agent(task, [s.plain], [search("search-1")]).invoke(go, holdFor(task, thread));
    await task[Symbol.asyncDispose]();
    await run;
    expect(s.ran).toEqual(["search-1"]);
  });
});

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const chunk of stream) void chunk;
}
