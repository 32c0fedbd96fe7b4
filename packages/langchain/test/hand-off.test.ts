import type { HandOffOptions } from "@ambit/core";
import { Command, interrupt, MemorySaver, ParentCommand } from "@langchain/langgraph";
import { createAgent, HumanMessage } from "langchain";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { protect, type HandOff } from "../src/index.ts";
import { callingModel, contractsTool, refused, run, toolMessages, type Call } from "./support/agents.ts";
import { deny, enforcement, fakePdp, permit } from "./support/fake-pdp.ts";

const call: Call = { id: "call-1", name: "classify", args: { contract_id: "contract_7 " } };
const inputSchema = z.object({ contract_id: z.string().transform((id) => id.trim()) });
const to: HandOffOptions = { agentId: "classifier", allowedTools: ["contracts.read"] };
const refusal = { code: "not_narrower", message: "the child would be wider than its parent", retryable: false } as const;

describe("a hand-off", () => {
  test("runs the other agent under its own, smaller envelope, which ends with it", async () => {
    const pdp = fakePdp({ decide: async ({ context }) => (context.agent === "classifier" && context.arguments["customer_id"] === "c1" ? permit() : deny()) });
    const { ran, read } = contractsTool();
    const childModel = callingModel([
      { id: "child-1", name: "contracts_read", args: { customer_id: "c1" } },
      { id: "child-2", name: "contracts_read", args: { customer_id: "c2" } },
    ]);
    const { pep, task } = await enforcement(pdp);
    const options = protect(pep, {
      tools: [],
      handOffs: {
        classify: {
          description: "Classifies a clause.",
          inputSchema,
          to: ({ contract_id }) => ({ ...to, resourceConstraints: { contract_ids: [contract_id] } }),
          run: async ({ task: child, pep: childPep, input }) => {
            const agent = createAgent({ model: childModel, ...protect(childPep, { tools: [read], envelope: child }) });
            await agent.invoke({ messages: [new HumanMessage(input.contract_id)] });
            return `classified ${input.contract_id}`;
          },
        },
      },
      envelope: task,
    });
    const model = callingModel([call]);
    await createAgent({ model, ...options }).invoke({ messages: [new HumanMessage("go")] });

    expect(toolMessages(model.calls[1]?.messages)).toEqual([
      expect.objectContaining({ status: "success", content: "classified contract_7", tool_call_id: "call-1", name: "classify" }),
    ]);
    expect(toolMessages(childModel.calls[1]?.messages)).toEqual([expect.objectContaining({ status: "success" }), refused("policy_denied", "child-2")]);
    expect(ran).toEqual([{ customer_id: "c1", limit: 10 }]);
    expect(pdp.handedOff.map(({ narrowing }) => narrowing)).toEqual([{ ...to, resourceConstraints: { contract_ids: ["contract_7"] } }]);
    expect(pdp.ended).toEqual(["env_2"]);
  });

  test("that only pauses keeps its envelope, and one that a command leaves does not", async () => {
    for (const [leave, ended] of [
      [() => interrupt<string, string>("sure?"), []],
      [() => Promise.reject(new ParentCommand(new Command({ graph: Command.PARENT, goto: "__end__" }))), ["env_2"]],
    ] as const) {
      const pdp = fakePdp();
      const { pep, task } = await enforcement(pdp);
      const options = protect(pep, { tools: [], handOffs: { classify: { description: "d", inputSchema, to, run: async () => leave() } }, envelope: task });
      const agent = createAgent({ model: callingModel([call]), checkpointer: new MemorySaver(), ...options });
      await agent.invoke({ messages: [new HumanMessage("go")] }, { configurable: { thread_id: "t" } }).catch(() => undefined);
      expect(pdp.handedOff).toHaveLength(1);
      expect(pdp.ended).toEqual(ended);
    }
  });

  test("that is refused never runs the other agent, looks to the model like a refused call, and the run goes on", async () => {
    const other = vi.fn<HandOff<unknown>["run"]>();
    const pdp = fakePdp({ handOff: async () => ({ decision: false, id: "dec_1", refusal }) });
    const { shown, model } = await run(pdp, { tools: [], handOffs: { classify: { description: "d", inputSchema, to, run: other } } }, [call]);
    expect(other).not.toHaveBeenCalled();
    expect(shown).toEqual([refused("not_narrower")]);
    expect(model.callCount).toBe(2);
  });

  test("is refused without an envelope, and when the decision point cannot be reached", async () => {
    const other = vi.fn<HandOff<unknown>["run"]>();
    const handOffs = { classify: { description: "d", inputSchema, to, run: other } };
    const { pep } = await enforcement(fakePdp());
    const [classify] = protect(pep, { tools: [], handOffs, envelope: undefined }).tools;
    expect(await classify?.invoke({ ...call, type: "tool_call" })).toEqual(refused("envelope_malformed"));
    const { shown } = await run(fakePdp({ handOff: () => Promise.reject(new Error("down")) }), { tools: [], handOffs }, [call]);
    expect(shown).toEqual([refused("pdp_unavailable")]);
    expect(other).not.toHaveBeenCalled();
  });

  test("whose agent fails tells the model so, and its envelope ends all the same", async () => {
    const pdp = fakePdp();
    const { shown } = await run(
      pdp,
      { tools: [], handOffs: { classify: { description: "d", inputSchema, to, run: () => Promise.reject(new Error("lost")) } } },
      [call],
    );
    expect(shown).toEqual([expect.objectContaining({ status: "error", content: expect.stringContaining("lost") })]);
    expect(pdp.ended).toEqual(["env_2"]);
  });

  test("takes a JSON schema as well, and is not asked about when its input does not pass it", async () => {
    const pdp = fakePdp();
    const schema = { type: "object", properties: { contract_id: { type: "string" } }, required: ["contract_id"] } as const;
    const handOffs = { classify: { description: "d", inputSchema: schema, to, run: async ({ input }: { input: unknown }) => JSON.stringify(input) } };
    const { shown } = await run(pdp, { tools: [], handOffs }, [call, { ...call, id: "call-2", args: {} }]);
    expect(shown).toEqual([
      expect.objectContaining({ content: '{"contract_id":"contract_7 "}' }),
      expect.objectContaining({ status: "error", tool_call_id: "call-2" }),
    ]);
    expect(pdp.handedOff).toHaveLength(1);
  });

  test("cannot have the name of a tool", async () => {
    const { pep, task } = await enforcement(fakePdp());
    const handOffs = { contracts_read: { description: "d", inputSchema, to, run: async () => "" } };
    expect(() => protect(pep, { tools: [contractsTool().read], handOffs, envelope: task })).toThrow(expect.objectContaining({ code: "option_invalid" }));
  });
});
