import { naming } from "@ambit/conformance";
import type { Pdp } from "@ambit/core";
import { Command, interrupt, MemorySaver } from "@langchain/langgraph";
import { createAgent, createMiddleware, fakeModel, HumanMessage, humanInTheLoopMiddleware, tool, toolRetryMiddleware, type AgentMiddleware } from "langchain";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { callingModel, contractsTool, refused, run, toolMessages, type Call } from "./support/agents.ts";
import { deny, enforcement, fakePdp, permit } from "./support/fake-pdp.ts";

const call: Call = { id: "call-1", name: "contracts_read", args: { customer_id: " cust_1 " } };
const go = { messages: [new HumanMessage("go")] };

describe("an agent's call", () => {
  test("runs once when permitted, with the arguments that were decided: validated, defaulted, transformed", async () => {
    const pdp = fakePdp();
    const { ran, read } = contractsTool();
    const { shown, model } = await run(pdp, { tools: [read] }, [call]);

    expect(ran).toEqual([{ customer_id: "cust_1", limit: 10 }]);
    expect(pdp.asked.map(({ action, context }) => [action.name, context.arguments])).toEqual([["contracts_read", { customer_id: "cust_1", limit: 10 }]]);
    expect(shown).toEqual([expect.objectContaining({ status: "success", tool_call_id: "call-1", name: "contracts_read" })]);
    expect(pdp.settled.map(({ status }) => status)).toEqual(["done"]);
    expect(model.callCount).toBe(2);
  });

  test("never runs when denied; the model is told why and the run goes on", async () => {
    const pdp = fakePdp({ decide: async () => deny() });
    const { ran, read } = contractsTool();
    const { shown, model } = await run(pdp, { tools: [read] }, [call], [{ ...call, id: "call-2" }]);

    expect(ran).toEqual([]);
    expect(shown).toEqual([refused("policy_denied"), refused("policy_denied", "call-2")]);
    expect(model.callCount).toBe(3);
    expect(pdp.settled).toEqual([]);
  });

  const hang = () => new Promise<never>(() => undefined);
  test.each<[string, string, Partial<Pdp>]>([
    [
      "throws",
      "pdp_unavailable",
      {
        decide: () => {
          throw new Error("broken");
        },
      },
    ],
    ["rejects", "pdp_unavailable", { decide: () => Promise.reject(new Error("down")) }],
    ["hangs", "pdp_timeout", { decide: hang }],
    ["answers text", "pdp_response_invalid", { decide: async () => "permit" as never }],
    ["permits with 1", "pdp_response_invalid", { decide: async () => ({ ...permit(), decision: 1 }) as never }],
    ["permits without a grant", "pdp_response_invalid", { decide: async () => ({ decision: true, context: { id: "d" } }) }],
    ["demands the unheard-of", "obligation_unsupported", { decide: async () => permit({ id: "o", type: "call_home", properties: {} } as never) }],
    ["hangs at the grant", "pdp_timeout", { redeem: hang }],
    ["answers nonsense about the grant", "pdp_response_invalid", { redeem: async () => ({ redeemed: "true" }) as never }],
  ])("never runs when the decision point %s", async (_, code, answers) => {
    const { ran, read } = contractsTool();
    const { shown, model } = await run(fakePdp(answers), { tools: [read] }, [call]);
    expect(ran).toEqual([]);
    expect(shown).toEqual([refused(code)]);
    expect(model.callCount).toBe(2);
  });

  test.each([
    ["is undefined", undefined],
    ["is a function that has none", () => undefined],
    [
      "is a function that throws",
      () => {
        throw new Error("no session");
      },
    ],
  ])("never runs when the envelope %s", async (_, envelope) => {
    const pdp = fakePdp();
    const { pep } = await enforcement(pdp);
    const { ran, read } = contractsTool();
    const model = callingModel([call]);
    await createAgent({ model, ...protect(pep, { tools: [read], envelope }) }).invoke(go);
    expect(ran).toEqual([]);
    expect(pdp.asked).toEqual([]);
    expect(toolMessages(model.calls[1]?.messages)).toEqual([refused("envelope_malformed")]);
  });

  test("is one of twenty parallel ones, each decided and run on its own", async () => {
    const pdp = fakePdp({ decide: async ({ context }) => (Number(context.arguments["limit"]) % 2 === 0 ? permit() : deny()) });
    const { ran, read } = contractsTool();
    const calls = Array.from({ length: 20 }, (_, at) => ({ ...call, id: `call-${at}`, args: { customer_id: "c", limit: at } }));
    const { shown } = await run(pdp, { tools: [read] }, calls);

    expect(ran).toHaveLength(10);
    expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(20);
    expect(shown.map((message) => message.tool_call_id)).toEqual(calls.map(({ id }) => id));
    const succeeded = expect.objectContaining({ status: "success" });
    expect(shown).toEqual(calls.map(({ id }, at) => (at % 2 === 0 ? succeeded : refused("policy_denied", id))));
  });

  test("is another call in the next turn, even if the model counts its call ids anew", async () => {
    const pdp = fakePdp();
    await run(pdp, { tools: [contractsTool().read] }, [call], [call]);
    expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(2);
  });

  test("shows the model no more records than the decision allows", async () => {
    const pdp = fakePdp({ decide: async () => permit({ id: "o", type: "limit_records", properties: { pointer: "/records", max: 2 } }) });
    const { shown } = await run(pdp, { tools: [contractsTool().read] }, [call]);
    expect(shown.map(({ content }) => content)).toEqual(['{"records":[{"id":"contract_1"},{"id":"contract_2"}]}']);
    expect(pdp.settled).toMatchObject([{ status: "done", records: 2 }]);
  });

  test("does not end the run at once when a tool that returns directly is refused", async () => {
    const { read } = contractsTool();
    read.returnDirect = true;
    expect((await run(fakePdp(), { tools: [read] }, [call])).model.callCount).toBe(1);
    expect((await run(fakePdp({ decide: async () => deny() }), { tools: [read] }, [call])).model.callCount).toBe(2);
  });
});

describe("a tool that fails", () => {
  const failure = new RangeError("no such customer");
  const failing = tool(
    (): string => {
      throw failure;
    },
    { name: "contracts_read", description: "fails", schema: z.object({ customer_id: z.string() }) },
  );

  test("tells the model what it would tell it without us, and is settled as failed", async () => {
    const pdp = fakePdp();
    const { shown } = await run(pdp, { tools: [failing] }, [call]);
    const unprotected = callingModel([call]);
    await createAgent({ model: unprotected, tools: [failing] }).invoke(go);

    expect(shown).toEqual([
      expect.objectContaining({ status: "error", tool_call_id: "call-1", content: "RangeError: no such customer\n Please fix your mistakes." }),
    ]);
    expect(shown[0]?.content).toEqual(toolMessages(unprotected.calls[1]?.messages)[0]?.content);
    expect(pdp.settled.map(({ status }) => status)).toEqual(["failed"]);
  });

  test("throws its own error to the application's middleware", async () => {
    const caught: unknown[] = [];
    const watching = createMiddleware({
      name: "watching",
      wrapToolCall: async (request, handler) => {
        try {
          return await handler(request);
        } catch (error) {
          caught.push(error);
          throw error;
        }
      },
    });
    await expect(run(fakePdp(), { tools: [failing], middleware: [watching] }, [call])).rejects.toThrow(failure.message);
    expect(caught).toEqual([failure]);
  });

  test("is never asked about when its arguments do not pass validation", async () => {
    const pdp = fakePdp();
    const { shown } = await run(pdp, { tools: [failing] }, [{ ...call, args: { customer_id: 7 } }]);
    expect(shown).toEqual([expect.objectContaining({ status: "error", content: expect.stringContaining("did not match expected schema") })]);
    expect(pdp.asked).toEqual([]);
  });

  test("may have taken effect when it was aborted", async () => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const stop = new AbortController();
    const slow = tool(
      () => {
        stop.abort(new Error("enough"));
        return new Promise<string>(() => undefined);
      },
      { name: "contracts_read", description: "slow", schema: z.object({}) },
    );
    const agent = createAgent({ model: callingModel([call]), ...protect(pep, { tools: [slow], envelope: task }) });
    await expect(agent.invoke(go, { signal: stop.signal })).rejects.toThrow("enough");
    expect(pdp.settled.map(({ status }) => status)).toEqual(["unknown"]);
  });
});

describe("a tool that pauses the run", () => {
  test.each(["v1", "v2"] as const)("has not ended, and is asked about as the same call when resumed (%s)", async (version) => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const ask = tool(() => `the answer is ${interrupt<string, string>("sure?")}`, { name: "ask", description: "asks a person", schema: z.object({}) });
    const model = callingModel([{ id: "call-1", name: "ask", args: {} }]);
    const agent = createAgent({ model, version, checkpointer: new MemorySaver(), ...protect(pep, { tools: [ask], envelope: task }) });
    const thread = { configurable: { thread_id: "thread-1" } };

    const paused = await agent.invoke(go, thread);
    expect(paused).toMatchObject({ __interrupt__: [{ value: "sure?" }] });
    expect(pdp.settled.map(({ status }) => status)).toEqual(["paused"]);

    await agent.invoke(new Command({ resume: "yes" }), thread);
    expect(toolMessages(model.calls[1]?.messages).map(({ content }) => content)).toEqual(["the answer is yes"]);
    expect(pdp.asked).toHaveLength(2);
    expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(1);
  });
});

describe("a model that fails", () => {
  test("throws what every middleware makes of it, with its own error as the cause", async () => {
    const failure = new Error("overloaded");
    const { pep, task } = await enforcement(fakePdp());
    const agent = createAgent({ model: fakeModel().alwaysThrow(failure), ...protect(pep, { tools: [], envelope: task }) });
    await expect(agent.invoke(go)).rejects.toMatchObject({ message: "overloaded", cause: failure });
  });
});

describe("a tool that is not ours", () => {
  const raw = () => {
    const ran: unknown[] = [];
    const named = tool(
      (input: unknown) => {
        ran.push(input);
        return "ran";
      },
      { name: "contracts_read", description: "raw", schema: z.object({}) },
    );
    return { ran, named };
  };

  test("does not run when another middleware puts it in the place of ours, under the same name", async () => {
    const { ran, named } = raw();
    const pdp = fakePdp();
    const swapping = createMiddleware({ name: "swapping", wrapToolCall: (request, handler) => handler({ ...request, tool: named }) });
    const { shown } = await run(pdp, { tools: [contractsTool().read], middleware: [swapping] }, [call]);
    expect(ran).toEqual([]);
    expect(shown).toEqual([refused("tool_not_allowed")]);
    expect(pdp.asked).toEqual([]);
  });

  test("does not run when another middleware puts its name into a call of ours", async () => {
    const { ran, named } = raw();
    const { pep, task } = await enforcement(fakePdp());
    const ours = tool(() => "ran", { name: "ours", description: "ours", schema: z.object({}) });
    const renaming = createMiddleware({
      name: "renaming",
      wrapToolCall: (request, handler) => handler({ ...request, toolCall: { ...request.toolCall, name: named.name } }),
    });
    const { tools, middleware } = protect(pep, { tools: [ours], middleware: [renaming], envelope: task });
    const model = callingModel([{ ...call, name: "ours" }]);
    await createAgent({ model, tools: [tools[0], named], middleware }).invoke(go);
    expect(ran).toEqual([]);
    expect(toolMessages(model.calls[1]?.messages)).toEqual([refused("tool_not_allowed")]);
  });

  test("does not run when it was added next to ours", async () => {
    const { ran, named } = raw();
    const { pep, task } = await enforcement(fakePdp());
    const { middleware } = protect(pep, { tools: [], envelope: task });
    const model = callingModel([call]);
    await createAgent({ model, tools: [named], middleware }).invoke(go);
    expect(ran).toEqual([]);
    expect(toolMessages(model.calls[1]?.messages)).toEqual([refused("tool_not_allowed")]);
  });

  test.each(["constructor", "__proto__", "toString", "contracts_read ", "Contracts_Read", "no_such_tool", ""])(
    "is refused when the model names `%s`",
    async (name) => {
      const { ran, read } = contractsTool();
      const pdp = fakePdp();
      const { shown } = await run(pdp, { tools: [read] }, [{ ...call, name }]);
      expect(ran).toEqual([]);
      expect(shown).toEqual([refused("tool_not_allowed")]);
      expect(pdp.asked).toEqual([]);
    },
  );

  test("is not offered to the model, not even when the provider would execute it", async () => {
    const offering = createMiddleware({
      name: "offering",
      wrapModelCall: (request, handler) => handler({ ...request, tools: [...request.tools, { type: "web_search_20250305", name: "web_search" }] }),
    });
    const { pep, task } = await enforcement(fakePdp());
    const model = callingModel();
    const bindTools = vi.spyOn(model, "bindTools");
    const { tools, middleware } = protect(pep, { tools: [contractsTool().read], middleware: [offering], envelope: task });
    await createAgent({ model, tools, middleware }).invoke(go);
    expect(bindTools.mock.calls.map(([offered]) => offered)).toEqual([tools]);
  });

  test("is not offered to the model when the envelope could never use it, unlike a hand-off, and is asked about when the model names it all the same", async () => {
    const terms = naming((name) => name === "contracts_read");
    const pdp = fakePdp({ terms: async () => terms, decide: async () => deny("tool_not_allowed") });
    const { pep, task } = await enforcement(pdp);
    const hidden = tool(() => "ran", { name: "hidden", description: "raw", schema: z.object({}) });
    const classify = { description: "d", inputSchema: z.object({}), to: { agentId: "classifier" }, run: async () => "" };
    const model = callingModel([{ id: "call-1", name: "hidden", args: {} }]);
    const bindTools = vi.spyOn(model, "bindTools");
    await createAgent({ model, ...protect(pep, { tools: [contractsTool().read, hidden], handOffs: { classify }, envelope: task }) }).invoke(go);
    expect(bindTools.mock.calls[0]?.[0].map((each) => (each as { name: string }).name)).toEqual(["contracts_read", "classify"]);
    expect(toolMessages(model.calls[1]?.messages)).toEqual([refused("tool_not_allowed")]);
    expect(pdp.asked).toHaveLength(1);
  });

  test("becomes ours when the application's middleware brings it along", async () => {
    const { ran, named } = raw();
    const pdp = fakePdp({ decide: async ({ action }) => (action.name === "contracts_read" ? deny() : permit()) });
    const bringing = createMiddleware({ name: "bringing", tools: [named] });
    const { shown } = await run(pdp, { tools: [], middleware: [bringing] }, [call]);
    expect(ran).toEqual([]);
    expect(shown).toEqual([refused("policy_denied")]);
    expect(bringing.tools).toEqual([named]);
  });
});

describe("the application's own middleware", () => {
  test("keeps its place, its state and its hooks", async () => {
    const seen: unknown[] = [];
    const counting = createMiddleware({
      name: "counting",
      stateSchema: z.object({ count: z.number().default(0) }),
      beforeModel: ({ count }) => ({ count: count + 1 }),
      wrapToolCall: async (request, handler) => {
        const edited = { ...request, toolCall: { ...request.toolCall, args: { customer_id: "cust_2" } } };
        const message = await handler(edited);
        seen.push(request.state.count);
        return message;
      },
    });
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const { read, ran } = contractsTool();
    const protectedOptions = protect(pep, { tools: [read], middleware: [counting], envelope: task });
    const { count } = await createAgent({ model: callingModel([call]), ...protectedOptions }).invoke({ ...go, count: 5 });
    expect(count).toBe(7);
    expect(seen).toEqual([6]);
    // What it makes of the arguments is what is decided.
    expect(pdp.asked.map(({ context }) => context.arguments)).toEqual([{ customer_id: "cust_2", limit: 10 }]);
    expect(ran).toEqual([{ customer_id: "cust_2", limit: 10 }]);
    expect(protectedOptions.middleware.map(({ name }) => name)).toEqual(["counting", "ambit"]);
  });

  test("cannot run a permitted call a second time with the grant of the first", async () => {
    let isSpent = false;
    const pdp = fakePdp({
      redeem: async () => {
        if (isSpent) return { redeemed: false, refusal: { code: "grant_replayed", message: "the grant is spent", retryable: false } };
        isSpent = true;
        return { redeemed: true, receipt: "receipt_1" };
      },
    });
    const twice = createMiddleware({
      name: "twice",
      wrapToolCall: async (request, handler) => {
        await handler(request);
        return handler(request);
      },
    });
    const { ran, read } = contractsTool();
    const { shown } = await run(pdp, { tools: [read], middleware: [twice] }, [call]);
    expect(ran).toHaveLength(1);
    expect(shown).toEqual([refused("grant_replayed")]);
    expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(1);
  });

  test("lets a person approve or edit before anything is asked; what the person made of the call is what is decided", async () => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const { ran, read } = contractsTool();
    const approving = humanInTheLoopMiddleware({ interruptOn: { contracts_read: { allowedDecisions: ["edit"] } } } as never) as AgentMiddleware;
    const agent = createAgent({
      model: callingModel([call]),
      checkpointer: new MemorySaver(),
      ...protect(pep, { tools: [read], middleware: [approving], envelope: task }),
    });
    const thread = { configurable: { thread_id: "thread-1" } };
    await agent.invoke(go, thread);
    expect(pdp.asked).toEqual([]);
    const edited = { name: "contracts_read", args: { customer_id: "cust_9" } };
    await agent.invoke(new Command({ resume: { decisions: [{ type: "edit", editedAction: edited }] } }), thread);
    expect(pdp.asked.map(({ context }) => context.arguments)).toEqual([{ customer_id: "cust_9", limit: 10 }]);
    expect(ran).toEqual([{ customer_id: "cust_9", limit: 10 }]);
  });

  test("that retries asks about every attempt, as the same call", async () => {
    const pdp = fakePdp();
    let attempts = 0;
    const flaky = tool(
      () => {
        if (++attempts < 3) throw new Error("busy");
        return "ok";
      },
      { name: "contracts_read", description: "flaky", schema: z.object({}) },
    );
    // Its type does not fit LangChain's own option under `exactOptionalPropertyTypes`.
    const retrying = toolRetryMiddleware({ maxRetries: 3, initialDelayMs: 0, jitter: false }) as AgentMiddleware;
    const { shown } = await run(pdp, { tools: [flaky], middleware: [retrying] }, [call]);
    expect(shown.map(({ content }) => content)).toEqual(["ok"]);
    expect(pdp.settled.map(({ status }) => status)).toEqual(["failed", "failed", "done"]);
    // Whether a call that failed may run again is the decision point's to say.
    expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(1);
  });
});
