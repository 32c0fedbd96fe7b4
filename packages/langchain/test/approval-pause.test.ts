import { createWorld, type World } from "@ambit/conformance";
import type { Task } from "@ambit/core";
import { AIMessage, HumanMessage, type BaseMessage } from "@langchain/core/messages";
import { Command, interrupt, MemorySaver, type Interrupt } from "@langchain/langgraph";
import { createAgent, tool } from "langchain";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect, type ApprovalPause } from "../src/index.ts";
import { callingModel, refused, toolMessages, type Call } from "./support/agents.ts";

const go = { messages: [new HumanMessage("go")] };
const thread = { configurable: { thread_id: "thread-1" } };
const payment = (id: string, amount = 5): Call => ({ id, name: "payments_pay", args: { to: "c1", amount } });

interface Stage {
  readonly world: World;
  readonly task: Task;
  readonly ran: unknown[];
  /** The application as after a start: all that it has of before is the checkpoint. */
  start(calls?: readonly Call[], version?: "v1" | "v2"): ReturnType<typeof createAgent>;
  shown(): Promise<readonly unknown[]>;
}

type Paused = { readonly __interrupt__?: readonly Interrupt<ApprovalPause>[] };

/** `ask` is what the tool asks the graph's user on its own, once it runs. */
async function stage(ask?: string, begin: Parameters<World["begin"]>[0] = {}): Promise<Stage> {
  const world = await createWorld({ holding: "handles" });
  const task = await world.begin(begin);
  const ran: unknown[] = [];
  const checkpointer = new MemorySaver();
  const pay = tool(
    (input) => {
      const answer = ask === undefined ? "paid" : interrupt<string, string>(ask);
      ran.push(input);
      return answer;
    },
    { name: "payments_pay", description: "pays", schema: z.object({ to: z.string(), amount: z.number() }) },
  );
  const notes = tool(() => (ran.push("notes"), "notes"), { name: "quota_read", description: "reads", schema: z.object({}) });
  let agent: ReturnType<typeof createAgent>;
  return {
    world,
    task,
    ran,
    start: (calls = [], version = "v2") => {
      const model = calls.length === 0 ? callingModel() : callingModel(calls);
      return (agent = createAgent({ model, checkpointer, version, ...protect(world.pep, { tools: [pay, notes], envelope: task, interrupt }) }) as never);
    },
    shown: async () => toolMessages(((await agent.getState(thread)) as { values: { messages: BaseMessage[] } }).values.messages),
  };
}

const pausesOf = (state: unknown): readonly Interrupt<ApprovalPause>[] => (state as Paused).__interrupt__ ?? [];
const resumeAll = (state: unknown, value: (pause: ApprovalPause | undefined) => unknown = (pause) => pause) =>
  new Command({ resume: Object.fromEntries(pausesOf(state).map(({ id, value: pause }) => [id, value(pause)])) });
const succeeded = (id: string) => expect.objectContaining({ status: "success", tool_call_id: id, content: "paid" });

describe("a call that waits for an approval", () => {
  test("pauses the graph, and runs once it is approved and the graph resumed, in another process as well", async () => {
    const { world, ran, start, shown } = await stage();
    const paused = await start([payment("call-1")]).invoke(go, thread);
    const [{ id: approval = "" } = {}] = await world.waiting();
    expect(pausesOf(paused).map(({ value }) => value)).toEqual([
      {
        type: "ambit_approval",
        decisionId: expect.any(String),
        tool: "payments_pay",
        callId: "call-1",
        approval: { id: approval, expiresAt: expect.any(Number) },
      },
    ]);
    expect(ran).toEqual([]);

    await world.answer("approve");
    await start().invoke(resumeAll(paused), thread);
    expect(ran).toEqual([{ to: "c1", amount: 5 }]);
    expect(await shown()).toEqual([succeeded("call-1")]);
  });

  test.each([[true], ["approved"], [{ decisions: [{ type: "approve" }] }], [{ type: "ambit_approval", approved: true }]])(
    "is not approved by what the graph is resumed with (%j)",
    async (value) => {
      const { ran, start, shown } = await stage();
      const paused = await start([payment("call-1")]).invoke(go, thread);
      await start().invoke(
        resumeAll(paused, () => value),
        thread,
      );
      expect(ran).toEqual([]);
      expect(await shown()).toEqual([expect.objectContaining({ status: "error", content: expect.stringContaining('"approval_required"') })]);
    },
  );

  test("is refused when who was asked refuses", async () => {
    const { world, ran, start, shown } = await stage();
    const paused = await start([payment("call-1")]).invoke(go, thread);
    await world.answer("deny");
    await start().invoke(resumeAll(paused), thread);
    expect(ran).toEqual([]);
    expect(await shown()).toEqual([refused("approval_denied")]);
  });

  test("is another request when its arguments were edited meanwhile", async () => {
    const { world, ran, start, shown } = await stage();
    const agent = start([payment("call-1")]);
    const paused = await agent.invoke(go, thread);
    await world.answer("approve");
    const { values } = (await agent.getState(thread)) as { values: { messages: BaseMessage[] } };
    const edited = new AIMessage({ id: values.messages.at(-1)?.id ?? "", content: "", tool_calls: [{ ...payment("call-1", 77_777), type: "tool_call" }] });
    await (agent.graph as unknown as { updateState(config: object, update: object, node: string): Promise<unknown> }).updateState(
      thread,
      { messages: [edited] },
      "model_request",
    );
    const again = await start().invoke(null as never, thread);
    expect(pausesOf(again)).toHaveLength(1);
    expect((await world.waiting()).map(({ request }) => request.arguments)).toEqual([{ to: "c1", amount: 77_777 }]);
    await start().invoke(resumeAll(paused), thread);
    await start().invoke(resumeAll(again), thread);
    expect(ran).toEqual([]);
    expect(JSON.stringify(await shown())).not.toContain("paid");
  });

  test("is told from the others of its step, in whatever order they are resumed", async () => {
    const { world, ran, start, shown } = await stage();
    const calls = [payment("call-1", 1), { id: "call-2", name: "quota_read", args: {} }, payment("call-3", 3)];
    const paused = await start(calls).invoke(go, thread);
    const [first, second] = await world.waiting();
    const answers = { 1: "approve", 3: "deny" } as const;
    for (const one of [second, first]) {
      const decision = answers[one?.request.arguments["amount"] as 1 | 3];
      await world.pdp.approvals.answer({ tenantId: "tenant_1", id: one?.id ?? "", approver: "user_1", decision, assertedBy: "test" });
    }
    // Each is resumed with what the other one paused with.
    const [a, b] = pausesOf(paused);
    await start().invoke(new Command({ resume: { [a?.id ?? ""]: b?.value, [b?.id ?? ""]: a?.value } }), thread);
    expect(ran).toEqual([{ to: "c1", amount: 1 }]);
    expect(await shown()).toEqual([succeeded("call-1"), refused("budget_exhausted", "call-2"), refused("approval_denied", "call-3")]);
  });

  test("does not run twice where the whole step is played again, nor when an old checkpoint is resumed once more", async () => {
    const { world, ran, start } = await stage();
    const agent = start([payment("call-1")], "v1");
    const paused = await agent.invoke(go, thread);
    const { config } = (await agent.getState(thread)) as { config: object };
    await world.answer("approve");
    await start([], "v1").invoke(resumeAll(paused), thread);
    await start([], "v1").invoke(resumeAll(paused), config as never);
    expect(ran).toEqual([{ to: "c1", amount: 5 }]);
  });

  test("is played again with all the others where these are one task: what ran does not run twice, and what still waits does not run", async () => {
    const { world, ran, start, shown } = await stage(undefined, { budgets: {} });
    const calls = [{ id: "call-0", name: "quota_read", args: {} }, payment("call-1", 1), payment("call-2", 2)];
    const paused = await start(calls, "v1").invoke(go, thread);
    expect(ran).toEqual(["notes"]);
    const [first] = (await world.waiting()).filter(({ request }) => request.arguments["amount"] === 1);
    await world.pdp.approvals.answer({ tenantId: "tenant_1", id: first?.id ?? "", approver: "user_1", decision: "approve", assertedBy: "test" });
    // Which of the two takes what the graph is resumed with is theirs to settle: the other one waits, or is refused.
    const again = await start([], "v1").invoke(resumeAll(paused), thread);
    expect(ran).toEqual(["notes", { to: "c1", amount: 1 }]);
    await world.answer("approve");
    if (pausesOf(again).length > 0) await start([], "v1").invoke(resumeAll(again), thread);
    expect(ran.filter((input) => input === "notes" || (input as { amount: number }).amount === 1)).toHaveLength(2);
    expect((await shown())[0]).toEqual(refused("grant_replayed", "call-0"));
  });

  test("never runs without a checkpointer, nor without the envelope", async () => {
    const { world, ran, task } = await stage();
    const pay = tool(() => (ran.push("paid"), "paid"), { name: "payments_pay", description: "pays", schema: z.object({ to: z.string(), amount: z.number() }) });
    const model = callingModel([payment("call-1")]);
    await createAgent({ model, ...protect(world.pep, { tools: [pay], envelope: task, interrupt }) }).invoke(go);
    expect(toolMessages(model.calls[1]?.messages)).toEqual([expect.objectContaining({ status: "error" })]);

    // The task is not part of the checkpoint: who resumes without it has nothing.
    const checkpointer = new MemorySaver();
    const before = createAgent({ model: callingModel([payment("call-1")]), checkpointer, ...protect(world.pep, { tools: [pay], envelope: task, interrupt }) });
    const paused = await before.invoke(go, thread);
    await world.answer("approve");
    const after = callingModel();
    await createAgent({ model: after, checkpointer, ...protect(world.pep, { tools: [pay], envelope: undefined, interrupt }) }).invoke(
      resumeAll(paused),
      thread,
    );
    expect(toolMessages(after.calls[0]?.messages)).toEqual([refused("envelope_malformed")]);
    expect(ran).toEqual([]);
  });

  test("is a refusal that the model sees where the application did not ask for pauses", async () => {
    const { world, task } = await stage();
    const pay = tool(() => "paid", { name: "payments_pay", description: "pays", schema: z.object({ to: z.string(), amount: z.number() }) });
    const model = callingModel([payment("call-1")]);
    const agent = createAgent({ model, checkpointer: new MemorySaver(), ...protect(world.pep, { tools: [pay], envelope: task }) });
    expect(pausesOf(await agent.invoke(go, thread))).toEqual([]);
    expect(JSON.stringify(toolMessages(model.calls[1]?.messages))).toContain("approval_required");
  });
});

describe("a tool that pauses by itself", () => {
  test("goes on once it is resumed, and is charged once", async () => {
    const { world, ran, start, shown } = await stage("which account?", { budgets: { calls: 1 }, approvals: [] });
    const paused = await start([payment("call-1")]).invoke(go, thread);
    expect(pausesOf(paused)).toMatchObject([{ value: "which account?" }]);
    expect(ran).toEqual([]);
    await start().invoke(
      resumeAll(paused, () => "this one"),
      thread,
    );
    expect(ran).toEqual([{ to: "c1", amount: 5 }]);
    expect(await shown()).toEqual([expect.objectContaining({ status: "success", content: "this one" })]);
    expect(world.records("outcome").map(({ details }) => (details as { status: string }).status)).toEqual(["paused", "done"]);
  });

  test("gets its own answer, not that of the approval before it", async () => {
    const { world, ran, start, shown } = await stage("which account?");
    const waits = await start([payment("call-1")]).invoke(go, thread);
    await world.answer("approve");
    const asks = await start().invoke(resumeAll(waits), thread);
    expect(pausesOf(asks)).toMatchObject([{ value: "which account?" }]);
    expect(ran).toEqual([]);
    await start().invoke(
      resumeAll(asks, () => "this one"),
      thread,
    );
    expect(ran).toEqual([{ to: "c1", amount: 5 }]);
    expect(await shown()).toEqual([expect.objectContaining({ content: "this one" })]);
  });

  test("does not go on once its envelope was revoked", async () => {
    const { ran, start, shown, task } = await stage("which account?", { approvals: [] });
    const paused = await start([payment("call-1")]).invoke(go, thread);
    await task.end();
    await start().invoke(
      resumeAll(paused, () => "this one"),
      thread,
    );
    expect(ran).toEqual([]);
    expect(await shown()).toEqual([refused("envelope_revoked")]);
  });
});
