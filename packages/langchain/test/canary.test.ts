import { inspect } from "node:util";
import { createWorld } from "@ambit/conformance";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { HumanMessage } from "@langchain/core/messages";
import { BaseTracer } from "@langchain/core/tracers/base";
import { Command, interrupt, MemorySaver } from "@langchain/langgraph";
import { createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { tripwire } from "../src/callbacks.ts";
import { coverage, protect, type HandOff } from "../src/index.ts";
import { callingModel } from "./support/agents.ts";

const schema = z.object({ to: z.string(), amount: z.number() });
const EVENTS = ["Chain", "Tool", "LLM"].flatMap((what) => [`handle${what}Start`, `handle${what}End`, `handle${what}Error`]).concat("handleChatModelStart");

class Tracer extends BaseTracer {
  readonly name = "tracer";
  readonly traced: unknown[] = [];
  protected async persistRun(run: unknown): Promise<void> {
    this.traced.push(run);
  }
}

/** As text, however deep it is and whether or not it would be serialised. */
const textOf = (value: unknown): string => inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null });

test.each(["handles", "signed envelopes"] as const)("no secret (%s) is in traces, callbacks, checkpoints, streams, pauses or the coverage", async (holding) => {
  const world = await createWorld({ holding });
  const task = await world.begin();
  const worker = world.pep.as("classifier");
  const pay = tool(({ to }) => `${interrupt<string, string>("sure?")} ${to}`, { name: "payments_pay", description: "pays", schema });
  const read = tool(({ customer_id }) => JSON.stringify({ records: [{ customer_id }] }), {
    name: "crm_read",
    description: "reads",
    schema: z.object({ customer_id: z.string() }),
  });
  const classify: HandOff<unknown> = {
    description: "d",
    inputSchema: z.object({}),
    to: { agentId: "classifier", allowedTools: ["crm.read"] },
    run: async ({ pep, task: child }) => {
      const model = callingModel([{ id: "child-1", name: "crm_read", args: { customer_id: "c1" } }]);
      const { messages } = await createAgent({ model, ...protect(pep, { tools: [read], envelope: child }) }).invoke({ messages: [new HumanMessage("go")] });
      return messages.at(-1)?.text;
    },
  };
  const inherited = protect(worker, { tools: [read], envelope: worker.inherit(task) }).tools[0];
  const ask = tool(async (_, config) => (await inherited.invoke({ customer_id: "c1" }, config)) as string, {
    name: "quota_read",
    description: "asks",
    schema: z.object({}),
  });

  const seen: unknown[] = [];
  const tracer = new Tracer();
  const listening = Object.fromEntries(EVENTS.map((event) => [event, (...heard: unknown[]) => void seen.push(heard)]));
  const callbacks = [tracer, tripwire({ except: [] }), BaseCallbackHandler.fromMethods(listening)];
  const checkpointer = new MemorySaver();
  const models = [
    callingModel([
      { id: "call-1", name: "payments_pay", args: { to: "c1", amount: 5 } },
      { id: "call-2", name: "classify", args: {} },
      { id: "call-3", name: "contracts_delete", args: {} },
    ]),
    callingModel(),
  ];
  const config = {
    callbacks,
    configurable: { thread_id: "t" },
    metadata: { owner: "legal" },
    streamMode: ["values", "updates", "messages", "custom", "debug"] as never,
  };
  const covered = protect(world.pep, { tools: [pay, ask], handOffs: { classify }, envelope: task, interrupt });
  const runs = [{ messages: [new HumanMessage("go")] }, new Command({ resume: { type: "ambit_approval" } }), new Command({ resume: "yes" })];
  for (const [at, input] of runs.entries()) {
    const agent = createAgent({ model: models[at === 0 ? 0 : 1] as never, checkpointer, ...covered });
    for await (const chunk of await agent.stream(input as never, config)) seen.push(chunk);
    await world.answer("approve");
  }
  await covered.tools[1].invoke({}, { callbacks });

  expect(world.records("outcome").map(({ details }) => (details as { status: string }).status)).toEqual(expect.arrayContaining(["paused", "done"]));
  expect(world.secrets.length).toBeGreaterThan(6);
  expect(tracer.traced.length).toBeGreaterThan(0);
  const kept = JSON.stringify([checkpointer.storage, checkpointer.writes], (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
  expect(kept).toContain("ambit_approval");
  const text = textOf([seen, tracer.traced, coverage(covered)]) + kept;
  expect(text).toContain("yes c1");
  for (const secret of world.secrets) expect(text.includes(secret), `a secret of ${secret.length} characters`).toBe(false);
});
