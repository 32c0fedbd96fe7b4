import { createWorld, type World } from "@ambit/conformance";
import type { Task } from "@ambit/core";
import { AIMessage, HumanMessage, type BaseMessage } from "@langchain/core/messages";
import type { ClientTool } from "@langchain/core/tools";
import { Command, MessagesAnnotation, Send, StateGraph } from "@langchain/langgraph";
import { createReactAgent, ToolNode } from "@langchain/langgraph/prebuilt";
import { createSupervisor } from "@langchain/langgraph-supervisor";
import { createHandoffTool, createSwarm } from "@langchain/langgraph-swarm";
import { createDeepAgent } from "deepagents";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { callingModel, toolMessages, type Call } from "./support/agents.ts";

const CRM: Call = { id: "call-1", name: "crm_read", args: { customer_id: "c1", limit: 5 } };
const CALLS: readonly Call[] = [CRM, { id: "call-2", name: "tickets_create", args: { title: "t" } }];
const go = { messages: [new HumanMessage("go")] };

/** Tools that the envelope of `reviewer` allows; the ceiling of `classifier` has the first alone. */
function toolsOf() {
  const ran: string[] = [];
  const read = tool(
    ({ customer_id }) => {
      ran.push("crm_read");
      return JSON.stringify({ records: [{ customer_id }] });
    },
    { name: "crm_read", description: "reads", schema: z.object({ customer_id: z.string(), limit: z.number() }) },
  );
  const create = tool(
    () => {
      ran.push("tickets_create");
      return "created";
    },
    { name: "tickets_create", description: "creates", schema: z.object({ title: z.string() }) },
  );
  return { ran, tools: [read, create] };
}

/** The agent that others run: it inherits, and so may do what both may. */
function workerOf(world: World, task: Task | undefined) {
  const { ran, tools } = toolsOf();
  const pep = world.pep.as("classifier");
  const model = callingModel(CALLS);
  return { ran, model, pep, ...protect(pep, { tools, envelope: pep.inherit(task) }) };
}

type Worker = ReturnType<typeof workerOf>;

const agentOf = ({ model, tools, middleware }: Worker, name = "worker") => createAgent({ model, name, tools, middleware });
const prebuilt = ({ model, tools }: Worker, name = "worker") => createReactAgent({ llm: model, tools, name });
const shownTo = ({ model }: Worker) =>
  toolMessages(model.calls.at(-1)?.messages as BaseMessage[]).filter(({ tool_call_id: id }) => CALLS.some((call) => call.id === id));
const handOffsIn = (world: World) =>
  world.records("hand_off").map(({ details }) => {
    const { decision, from, to } = details as Readonly<Record<string, string>>;
    return `${decision}: ${from} to ${to}`;
  });
const handingOver = (name: string, id = "over-1"): Call => ({ id, name, args: {} });

/** Ways in which one agent runs another, each with the very same worker. */
const WAYS: Readonly<Record<string, (worker: Worker) => Promise<unknown>>> = {
  createAgent: (worker) => agentOf(worker).invoke(go),
  "createReactAgent, which has no middleware": (worker) => prebuilt(worker).invoke(go),
  "a ToolNode": async ({ tools, model }) => {
    const asked = new AIMessage({ content: "", tool_calls: CALLS.map((call) => ({ ...call, type: "tool_call" as const })) });
    const { messages } = (await new ToolNode(tools as ClientTool[]).invoke({ messages: [asked] })) as { messages: BaseMessage[] };
    await model.invoke(messages);
  },
  "a subgraph": (worker) => new StateGraph(MessagesAnnotation).addNode("worker", prebuilt(worker)).addEdge("__start__", "worker").compile().invoke(go),
  "a `Send`": (worker) =>
    new StateGraph(MessagesAnnotation)
      .addNode("worker", agentOf(worker).graph)
      .addConditionalEdges("__start__", () => [new Send("worker", go)], ["worker"])
      .compile()
      .invoke(go),
  "a `Command` of a node": (worker) =>
    new StateGraph(MessagesAnnotation)
      .addNode("first", () => new Command({ goto: "worker" }), { ends: ["worker"] })
      .addNode("worker", prebuilt(worker))
      .addEdge("__start__", "first")
      .compile()
      .invoke(go),
  "a supervisor": (worker) =>
    createSupervisor({ agents: [prebuilt(worker)], llm: callingModel([handingOver("transfer_to_worker")]) as never, tools: [] })
      .compile()
      .invoke(go),
  "a swarm": (worker) => {
    const first = createReactAgent({
      llm: callingModel([handingOver("transfer_to_worker")]),
      tools: [createHandoffTool({ agentName: "worker" })],
      name: "first",
    });
    return createSwarm({ agents: [first, prebuilt(worker)], defaultActiveAgent: "first" })
      .compile()
      .invoke(go);
  },
  "a tool that is an agent": async (worker) => {
    const ask = tool(async () => (await agentOf(worker).invoke(go)).messages.at(-1)?.text ?? "", {
      name: "notes_ask",
      description: "asks",
      schema: z.object({}),
    });
    await createAgent({ model: callingModel([handingOver("notes_ask")]), tools: [ask] }).invoke(go);
  },
  deepagents: (worker) =>
    createDeepAgent({
      model: callingModel([{ id: "over-1", name: "task", args: { description: "go", subagent_type: "worker" } }]),
      subagents: [
        {
          name: "worker",
          description: "works",
          systemPrompt: "work",
          model: worker.model,
          tools: worker.tools as never,
          middleware: worker.middleware as never,
        },
      ],
    }).invoke(go as never),
};

describe.each(["handles", "signed envelopes"] as const)("an agent that inherits (%s) may do what both may", (holding) => {
  test.each(Object.keys(WAYS))("when it is run by %s", async (way) => {
    const world = await createWorld({ holding });
    const task = await world.begin();
    const worker = workerOf(world, task);
    await WAYS[way]?.(worker);

    expect(worker.ran).toEqual(["crm_read"]);
    expect(shownTo(worker)).toEqual([
      expect.objectContaining({ status: "success", tool_call_id: "call-1" }),
      expect.objectContaining({ status: "error", tool_call_id: "call-2", content: expect.stringContaining('"tool_not_allowed"') }),
    ]);
    expect(handOffsIn(world)).toEqual(["permit: reviewer to classifier"]);
    await task.end();
    expect(JSON.stringify(await callIn(worker))).toContain('\\"envelope_revoked\\"');
  });
});

const callIn = ({ tools }: Worker) => (tools[0] as ClientTool).invoke({ type: "tool_call", ...CRM, id: "call-9" } as never);

describe("an agent that inherits", () => {
  test("gets what the agent has that runs it within a call, not what that one began with", async () => {
    const world = await createWorld({ holding: "handles" });
    const task = await world.begin();
    const { ran, tools } = toolsOf();
    // The reviewer may create tickets; run by the classifier, which may not, it may not either.
    const inner = protect(world.pep, { tools, envelope: world.pep.inherit(task) });
    const worker = world.pep.as("classifier");
    const model = callingModel(CALLS);
    const ask = tool(
      async () => {
        await createAgent({ model, ...inner }).invoke(go);
        return JSON.stringify({ records: [] });
      },
      { name: "crm_read", description: "asks another agent", schema: z.object({ customer_id: z.string(), limit: z.number() }) },
    );
    const outer = protect(worker, { tools: [ask], envelope: worker.inherit(task) });
    await createAgent({ model: callingModel([{ ...CRM, id: "outer" }]), ...outer }).invoke(go);

    expect(ran).toEqual(["crm_read"]);
    expect(handOffsIn(world)).toEqual(["permit: reviewer to classifier", "permit: classifier to reviewer"]);
    await createAgent({ model: callingModel(CALLS), ...inner }).invoke(go);
    expect(ran).toEqual(["crm_read", "crm_read", "tickets_create"]);
  });

  test("is refused as the hand-off is, and without an envelope", async () => {
    const world = await createWorld({ holding: "handles" });
    const deep = workerOf(world, await world.begin({ maxDepth: 0 }));
    expect(JSON.stringify(await callIn(deep))).toContain('\\"depth_exceeded\\"');
    const bare = workerOf(world, undefined);
    expect(JSON.stringify(await callIn(bare))).toContain('\\"envelope_malformed\\"');
    expect([...deep.ran, ...bare.ran]).toEqual([]);
  });

  test("gets nothing where it does not say that it inherits", async () => {
    const world = await createWorld({ holding: "handles" });
    const { ran, tools } = toolsOf();
    const { tools: covered } = protect(world.pep.as("classifier"), { tools, envelope: await world.begin() });
    expect(JSON.stringify(await callIn({ tools: covered } as unknown as Worker))).toContain('\\"holder_mismatch\\"');
    expect(ran).toEqual([]);
  });

  test("shares the budget of who runs it, also with its siblings", async () => {
    const world = await createWorld({ holding: "handles" });
    const task = await world.begin({ budgets: { calls: 2 } });
    const workers = [workerOf(world, task), workerOf(world, task), workerOf(world, task)];
    const answers = await Promise.all(workers.map(callIn));
    expect(answers.filter((answer) => JSON.stringify(answer).includes("budget_exhausted"))).toHaveLength(1);
    expect(workers.flatMap(({ ran }) => ran)).toHaveLength(2);
  });
});
