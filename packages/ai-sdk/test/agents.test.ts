import { createWorld } from "@ambit/conformance";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { callingModelOf } from "./support/models.ts";
import { codes, runIn } from "./support/runs.ts";
import { named, sdk5, sdk6, sdk7, type Sdk } from "./support/sdks.ts";

const PAYMENT = { id: "inner-1", name: "payments_pay", input: { to: "c1", amount: 5 } };
const ASK = { id: "outer-1", name: "search_run", input: {} };

/** A tool `search_run` that has an agent pay. */
async function stage(sdk: Sdk) {
  const world = await createWorld({ holding: "handles" });
  const task = await world.begin();
  const paid: unknown[] = [];
  const payments_pay = sdk.tool({ inputSchema: z.object({ to: z.string(), amount: z.number() }), execute: async (input: unknown) => paid.push(input) });
  const { tools } = protect(world.pep, { tools: { payments_pay } as never, envelope: task });
  const agent = () => new sdk.Agent({ model: callingModelOf(sdk, [PAYMENT]), tools, stopWhen: sdk.stopAfter(3) });
  const ask = async (execute: () => unknown, id = ASK.id) => {
    const search_run = sdk.tool({ inputSchema: z.object({}), execute });
    return runIn(sdk, protect(world.pep, { tools: { search_run } as never, envelope: task }).tools, [{ ...ASK, id }]);
  };
  return { ...world, task, paid, tools, agent, ask };
}

describe.each<[string, Sdk]>([
  ["ai 6", sdk6],
  ["ai 7", sdk7],
])("an agent that a tool runs, in %s", (_, sdk) => {
  test("does not pass the empty answer of a pause for a result: the call of the tool waits, too", async () => {
    const { ask, agent, paid, answer, waiting, records } = await stage(sdk);
    const run = async (): Promise<string> => (await agent().generate({ prompt: "pay" })).text;
    const first = await ask(run);
    expect([codes(first), first.text, paid, (await waiting()).length]).toEqual([["approval_required"], "done", [], 1]);
    const asked = records("decision").find(({ details }) => details["code"] === "approval_required");
    expect(JSON.stringify(first.shown)).toContain(asked?.decision_id);

    await answer("approve");
    const second = await ask(run, "outer-2");
    expect([second.shown, paid]).toMatchObject([[{ output: { value: "done" } }], [PAYMENT.input]]);
  });

  test("and that is read as a stream waits all the same, also within a tool that reports", async () => {
    const { ask, agent, paid } = await stage(sdk);
    const read = async function* (): AsyncGenerator<string> {
      yield "begun";
      const { textStream } = await agent().stream({ prompt: "pay" });
      let text = "";
      for await (const part of textStream) yield (text += part);
      yield text;
    };
    expect([codes(await ask(read)), paid]).toEqual([["approval_required"], []]);
  });

  test("and whose approval the tool waits for itself has a result", async () => {
    const { ask, agent, paid, answer } = await stage(sdk);
    const run = async (): Promise<string> => {
      await agent().generate({ prompt: "pay" });
      await answer("approve");
      return (await agent().generate({ prompt: "pay" })).text;
    };
    expect([(await ask(run)).shown, paid]).toMatchObject([[{ output: { value: "done" } }], [PAYMENT.input]]);
  });

  test("waits, whatever another agent inside does under the same id", async () => {
    const { ask, agent, pep, task, paid } = await stage(sdk);
    const run = async (): Promise<string> => {
      await agent().generate({ prompt: "pay" });
      const crm_read = sdk.tool({ inputSchema: z.object({}).loose(), execute: async () => ({ records: [] }) });
      const { tools } = protect(pep, { tools: { crm_read } as never, envelope: task });
      const call = { ...PAYMENT, name: "crm_read", input: { customer_id: "c1", limit: 1 } };
      return (await runIn(sdk, tools, [call])).text;
    };
    expect([codes(await ask(run)), paid]).toEqual([["approval_required"], []]);
  });

  test("waits outwards through every tool and hand-off around it", async () => {
    const { pep, begin, answer, waiting } = await stage(sdk);
    const task = await begin({ approvals: ["crm.read"] });
    const read: unknown[] = [];
    const crm_read = sdk.tool({ inputSchema: z.object({}).loose(), execute: async (input: unknown) => (read.push(input), { records: [] }) });
    const call = { id: "inner-1", name: "crm_read", input: { customer_id: "c1", limit: 1 } };
    const inputSchema = z.object({});
    const classify = {
      description: "classifies",
      inputSchema,
      to: { agentId: "classifier", purpose: "classify", allowedTools: ["crm.read"] },
      run: async ({ pep: theirs, task: child }: { readonly pep: typeof pep; readonly task: typeof task }) =>
        (await runIn(sdk, protect(theirs, { tools: { crm_read } as never, envelope: child }).tools, [call])).text,
    };
    const middle = async (): Promise<string> =>
      (await runIn(sdk, protect(pep, { tools: {}, handOffs: { classify }, envelope: task }).tools, [{ ...ASK, name: "classify" }])).text;
    const search_run = sdk.tool({ inputSchema, execute: middle });
    const { tools } = protect(pep, { tools: { search_run } as never, envelope: task });

    expect([codes(await runIn(sdk, tools, [ASK])), read]).toEqual([["approval_required"], []]);
    expect((await waiting()).map(({ request }) => [request.agentId, request.above])).toEqual([["classifier", ["reviewer"]]]);
    await answer("approve");
    expect([codes(await runIn(sdk, tools, [{ ...ASK, id: "outer-2" }])), read]).toEqual([["ran"], [call.input]]);
  });
});

test("an agent of ai 5 that a tool runs is told that its call waits, and says so", async () => {
  const { ask, agent, paid } = await stage(sdk5);
  const run = await ask(async () => (await agent().generate({ prompt: "pay" })).text);
  expect([run.shown, paid]).toMatchObject([[{ output: { value: "done" } }], []]);
});

describe.each(named)("a class of agents, in %s", (_, sdk) => {
  test.each(["generate", "stream"] as const)("has every call decided by `%s`", async (method) => {
    const { agent, paid } = await stage(sdk);
    const result = await agent()[method]({ prompt: "pay" });
    await (result as { readonly text: unknown }).text;
    expect(paid).toEqual([]);
  });
});
