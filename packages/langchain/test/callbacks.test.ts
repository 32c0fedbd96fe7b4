import type { AmbitError } from "@ambit/core";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { AIMessage, HumanMessage } from "@langchain/core/messages";
import { RunnableLambda } from "@langchain/core/runnables";
import { StructuredTool, type ClientTool } from "@langchain/core/tools";
import { createReactAgent, ToolNode } from "@langchain/langgraph/prebuilt";
import { createAgent, tool } from "langchain";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { installTripwire, tripwire } from "../src/callbacks.ts";
import { protect } from "../src/index.ts";
import { callingModel, toolMessages, type Call } from "./support/agents.ts";
import { enforcement, fakePdp } from "./support/fake-pdp.ts";

const schema = z.object({ id: z.string() });
const call: Call = { id: "call-1", name: "read", args: { id: "k1" } };
const go = { messages: [new HumanMessage("go")] };
const asked = { messages: [new AIMessage({ content: "", tool_calls: [{ ...call, type: "tool_call" }] })] };
const refusal = expect.objectContaining({ code: "tool_not_allowed" }) as AmbitError;

function reader(name = "read") {
  const ran: unknown[] = [];
  const read = tool((input) => (ran.push(input), "read"), { name, description: "reads", schema });
  const runnable = RunnableLambda.from((input: z.infer<typeof schema>) => (ran.push(input), "read")).asTool({ name, description: "reads", schema });
  return { ran, read, runnable };
}

const callbacks = () => [tripwire()];

async function drain(start: () => Promise<AsyncIterable<unknown>>): Promise<void> {
  for await (const _ of await start());
}

// LangChain prints what a handler throws before it throws it on.
beforeEach(() => void vi.spyOn(console, "error").mockImplementation(() => undefined));
afterEach(() => void vi.restoreAllMocks());

describe("the tripwire refuses a tool that nothing decides on", () => {
  test("when it is invoked as it is, in each way that there is", async () => {
    const { ran, read } = reader();
    const input = { id: "k1" };
    await expect(read.invoke(input, { callbacks: callbacks() })).rejects.toEqual(refusal);
    await expect(read.invoke({ ...call, type: "tool_call" } as never, { callbacks: callbacks() })).rejects.toEqual(refusal);
    await expect(read.call(input, { callbacks: callbacks() })).rejects.toEqual(refusal);
    await expect(read.batch([input, input], { callbacks: callbacks() })).rejects.toEqual(refusal);
    await expect(drain(() => read.stream(input, { callbacks: callbacks() }))).rejects.toEqual(refusal);
    await expect(read.withConfig({ runName: "harmless" }).invoke(input, { callbacks: callbacks() })).rejects.toEqual(refusal);
    await expect(read.pipe(RunnableLambda.from(String)).invoke(input, { callbacks: callbacks() })).rejects.toEqual(refusal);
    expect(ran).toEqual([]);
  });

  test("when it is a class of its own, which has no name for callbacks", async () => {
    const ran: unknown[] = [];
    class Read extends StructuredTool {
      name = "read";
      description = "reads";
      schema = schema;
      protected async _call(input: unknown): Promise<string> {
        ran.push(input);
        return "read";
      }
    }
    await expect(new Read().invoke({ id: "k1" }, { callbacks: callbacks() })).rejects.toEqual(refusal);
    expect(ran).toEqual([]);
  });

  test("in an agent, a ToolNode and a prebuilt agent; the model is told and the run goes on", async () => {
    const { ran, read } = reader();
    const model = callingModel([call]);
    await createAgent({ model, tools: [read] }).invoke(go, { callbacks: callbacks() });
    expect(toolMessages(model.calls[1]?.messages)).toEqual([expect.objectContaining({ status: "error", tool_call_id: "call-1" })]);

    const { messages } = await new ToolNode([read]).invoke(asked, { callbacks: callbacks() });
    expect(messages).toEqual([expect.objectContaining({ status: "error", tool_call_id: "call-1" })]);

    const react = callingModel([call]);
    await createReactAgent({ llm: react, tools: [read] }).invoke(go, { callbacks: callbacks() });
    expect(toolMessages(react.calls[1]?.messages)).toEqual([expect.objectContaining({ status: "error", tool_call_id: "call-1" })]);
    expect(ran).toEqual([]);
  });

  test("when it is a runnable, which never starts as a tool", async () => {
    const { ran, runnable } = reader();
    await expect(runnable.invoke({ id: "k1" }, { callbacks: callbacks() })).rejects.toEqual(refusal);
    await expect(runnable.batch([{ id: "k1" }], { callbacks: callbacks() })).rejects.toEqual(refusal);
    await expect(drain(() => runnable.stream({ id: "k1" }, { callbacks: callbacks() }))).rejects.toEqual(refusal);
    const { messages } = await new ToolNode([runnable]).invoke(asked, { callbacks: callbacks() });
    expect(messages).toEqual([expect.objectContaining({ status: "error" })]);
    expect(ran).toEqual([]);
  });

  test("when a tool that was decided calls it", async () => {
    const { ran, read, runnable } = reader();
    const { pep, task } = await enforcement(fakePdp());
    for (const inner of [read, runnable]) {
      const outer = tool((input, config) => inner.invoke(input, config) as Promise<string>, { name: "outer", description: "calls another", schema });
      const [covered] = protect(pep, { tools: [outer], envelope: task }).tools;
      await expect(covered.invoke({ id: "k1" }, { callbacks: callbacks() })).rejects.toEqual(refusal);
    }
    expect(ran).toEqual([]);
  });

  test("when it inherits from one that was decided on, or stands for one a second time", async () => {
    const { ran, read, runnable } = reader();
    const { pep, task } = await enforcement(fakePdp());
    const [covered] = protect(pep, { tools: [read], envelope: task }).tools;
    const heir = Object.create(covered, { toJSON: { value: () => read.toJSON() }, _call: { value: () => "heir" } }) as typeof covered;
    await expect(heir.invoke({ id: "k1" }, { callbacks: callbacks() })).rejects.toEqual(refusal);
    const silent = Object.create(covered, { _call: { value: () => "heir" } }) as typeof covered;
    await expect(silent.invoke({ id: "k1" }, { callbacks: callbacks() })).rejects.toEqual(refusal);

    const twice = RunnableLambda.from(async (input: z.infer<typeof schema>, config) => {
      ran.push(input);
      return runnable.invoke(input, config);
    }).asTool({ name: "read", schema });
    const [once] = protect(pep, { tools: [twice], envelope: task }).tools;
    await expect(once.invoke({ id: "k1" }, { callbacks: callbacks() })).rejects.toEqual(refusal);
    expect(ran).toEqual([{ id: "k1" }]);
  });
});

describe("the tripwire lets through", () => {
  test("tools and hand-offs of `protect`, with the application's own callbacks beside it", async () => {
    const { ran, read } = reader();
    const { ran: ranToo, runnable } = reader("run");
    const { pep, task } = await enforcement(fakePdp());
    const starts: unknown[] = [];
    const listening = BaseCallbackHandler.fromMethods({ handleToolStart: (_tool, _input, _run, _parent, _tags, _metadata, name) => void starts.push(name) });
    const handOffs = { classify: { description: "d", inputSchema: schema, to: { agentId: "classifier" }, run: async () => "classified" } };
    const { tools } = protect(pep, { tools: [read, runnable], handOffs, envelope: task });
    for (const each of tools as ClientTool[]) await each.invoke({ id: "k1" }, { callbacks: [tripwire(), listening] });
    expect([ran, ranToo]).toEqual([[{ id: "k1" }], [{ id: "k1" }]]);
    expect(starts).toEqual(["read", "run", "classify"]);
  });

  test("what it was told to, by its name", async () => {
    const { ran, read, runnable } = reader();
    const { ran: others, read: other } = reader("other");
    const wire = [tripwire({ except: ["read"] })];
    await read.invoke({ id: "k1" }, { callbacks: wire });
    await runnable.invoke({ id: "k1" }, { callbacks: wire });
    await expect(other.invoke({ id: "k1" }, { callbacks: wire })).rejects.toEqual(refusal);
    expect([ran.length, others.length]).toEqual([2, 0]);
  });
});

describe("an installed tripwire", () => {
  // What is set in a continuation is known to what follows from it, and to nobody else.
  const isolated = (run: () => Promise<void>): Promise<void> => Promise.resolve().then(run);

  test("is in every run from then on, whatever callbacks the run is given", async () => {
    const { ran, read, runnable } = reader();
    const nested = tool((input) => read.invoke(input, { callbacks: [] }), { name: "outer", description: "calls another", schema });
    const named = BaseCallbackHandler.fromMethods({});
    await isolated(async () => {
      installTripwire();
      for (const config of [undefined, {}, { callbacks: [] }, { callbacks: [named] }]) await expect(read.invoke({ id: "k1" }, config)).rejects.toEqual(refusal);
      await expect(runnable.invoke({ id: "k1" })).rejects.toEqual(refusal);
      const { pep, task } = await enforcement(fakePdp());
      const [covered, outer] = protect(pep, { tools: [read, nested], envelope: task }).tools;
      expect(await covered.invoke({ id: "k2" })).toBe("read");
      await expect(outer.invoke({ id: "k1" })).rejects.toEqual(refusal);
    });
    expect(ran).toEqual([{ id: "k2" }]);
  });

  test("does not reach what is called from elsewhere, as a server that was listening before", async () => {
    const { ran, read } = reader();
    await isolated(async () => installTripwire());
    await read.invoke({ id: "k1" });
    expect(ran).toHaveLength(1);
  });
});
