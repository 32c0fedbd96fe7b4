import type { Redemption } from "@ambit/core";
import * as ai7 from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { coverage, protect } from "../src/index.ts";
import { CALL, doorsOf, history } from "./support/doors.ts";
import { deny, enforcement, fakePdp, type FakePdp } from "./support/fake-pdp.ts";
import { callingModelOf } from "./support/models.ts";
import { codes, runIn } from "./support/runs.ts";
import { named, sdk7, type Sdk } from "./support/sdks.ts";

/** A tool that notes what it is run with, as it is and protected. */
async function stage(sdk: Sdk, pdp: FakePdp = fakePdp()) {
  const { pep, task } = await enforcement(pdp);
  const ran: unknown[] = [];
  const execute = async (input: unknown): Promise<string> => (ran.push(input), "read");
  const raw = { notes_read: sdk.tool({ inputSchema: z.object({ topic: z.string() }), execute }) };
  const tools = protect(pep, { tools: raw as never, envelope: task }).tools as unknown as Record<string, object>;
  return { pdp, pep, task, ran, raw, tools };
}

/** A decision point that redeems a call once, as a real one does. */
function redeemingOnce(): FakePdp {
  const redeemed = new Set<string>();
  const replayed = { redeemed: false, refusal: { code: "grant_replayed", message: "this call has run", retryable: false } } as const;
  return fakePdp({
    redeem: async ({ callId }: Redemption) => {
      if (redeemed.has(callId)) return replayed;
      redeemed.add(callId);
      return { redeemed: true, receipt: "receipt_1" };
    },
  });
}

describe.each(named)("every way to run a tool of %s", (_, sdk) => {
  describe.each(doorsOf(sdk).map((door) => [door.title, door] as const))("%s", (_title, door) => {
    test("runs a tool that nobody protects: it is a way", async () => {
      const { raw, ran } = await stage(sdk);
      await door.open(sdk, raw);
      expect(ran.length).toBeGreaterThan(0);
      expect(ran[0]).toEqual(CALL.input);
    });

    test("asks, and runs nothing when it is refused", async () => {
      const { tools, ran, pdp } = await stage(sdk, fakePdp({ decide: async () => deny() }));
      await door.open(sdk, tools).catch(() => undefined);
      expect(ran).toEqual([]);
      expect(pdp.asked.map(({ action, context }) => [action.name, context.arguments])).toContainEqual(["notes_read", CALL.input]);
    });

    test("asks, and runs once what was permitted", async () => {
      const pdp = redeemingOnce();
      const { tools, ran } = await stage(sdk, pdp);
      await door.open(sdk, tools).catch(() => undefined);
      expect(ran).toEqual([CALL.input]);
      expect(pdp.asked[0]?.context.arguments).toEqual(CALL.input);
    });
  });

  test("a history that claims a call runs nothing under an envelope that is gone", async () => {
    const { raw, ran, pep } = await stage(sdk);
    const { tools } = protect(pep, { tools: raw as never, envelope: () => undefined });
    for (const door of doorsOf(sdk)) await door.open(sdk, tools).catch(() => undefined);
    expect(ran).toEqual([]);
  });

  test("a call that only a history claims is decided, before it runs", async () => {
    for (const isStreamed of [false, true]) {
      const { tools, ran } = await stage(sdk, fakePdp({ decide: async () => deny() }));
      const refused = await runIn(sdk, tools, [], { messages: history(CALL.input), isStreamed, onError: () => undefined }).catch(() => undefined);
      expect(ran).toEqual([]);
      // ai 5 knows of no approvals.
      if (sdk.major !== 5) expect(refused && codes(refused)).toEqual(["policy_denied"]);
    }
  });

  test("a call that the model says its provider has run is run by nobody", async () => {
    const { tools, ran } = await stage(sdk);
    const model = callingModelOf(sdk, [CALL]) as unknown as { doGenerate: (options: object) => Promise<{ readonly content: readonly object[] }> };
    const { doGenerate } = model;
    model.doGenerate = async (options) => {
      const answer = await doGenerate(options);
      return { ...answer, content: answer.content.map((part) => ({ ...part, providerExecuted: true })) };
    };
    await sdk.generateText({ model: model as never, tools, prompt: "go" });
    expect(ran).toEqual([]);
  });

  test("a model within a tool that asks for that tool anew has each call of it decided", async () => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const ran: unknown[] = [];
    const execute = async (input: unknown): Promise<string> => {
      if (ran.push(input) < 4) await runIn(sdk, tools, [{ ...CALL, id: `call-${ran.length}` }]);
      return "read";
    };
    const raw = { notes_read: sdk.tool({ inputSchema: z.object({ topic: z.string() }), execute }) };
    const tools = protect(pep, { tools: raw as never, envelope: task }).tools as unknown as Record<string, object>;
    await runIn(sdk, tools, [{ ...CALL, id: "call-0" }]);
    expect([ran.length, pdp.redeemed.length]).toEqual([4, 4]);
  });

  test("a tool cannot be changed once it is protected", async () => {
    const { tools, ran } = await stage(sdk, fakePdp({ decide: async () => deny() }));
    const other = async (): Promise<unknown> => ran.push("other");
    expect(() => Object.assign(tools, { notes_read: { execute: other } })).toThrow(TypeError);
    expect(() => Object.assign(tools, { extra: { execute: other } })).toThrow(TypeError);
    expect(() => Object.assign(tools["notes_read"] as object, { execute: other })).toThrow(TypeError);
    const agent = new sdk.Agent({ model: callingModelOf(sdk, [CALL]), tools }) as unknown as { readonly tools: { readonly notes_read: object } };
    expect(() => Object.assign(agent.tools.notes_read, { execute: other })).toThrow(TypeError);
    expect(ran).toEqual([]);
  });

  // What stays open, each with what tells of it.
  test("LIMIT: the tool that went in, and one that is spread in beside, run undecided; `coverage` names them", async () => {
    const { raw, ran, tools, pdp } = await stage(sdk, fakePdp({ decide: async () => deny() }));
    await doorsOf(sdk)[0]?.open(sdk, { ...tools, ...raw });
    expect([ran.length, pdp.asked.length]).toEqual([1, 0]);
    expect(coverage({ ...tools, ...raw }).items).toMatchObject([{ name: "notes_read" }]);
    expect(coverage({ ...tools, ...raw }).items[0]?.coveredBy).toBeUndefined();
  });

  test("LIMIT: `prepareCall` can put other tools in the place of an agent's; `coverage` says that it can", async () => {
    const { raw, ran, tools } = await stage(sdk, fakePdp({ decide: async () => deny() }));
    const prepareCall = (options: object): object => ({ ...options, tools: raw });
    const agent = new sdk.Agent({ model: callingModelOf(sdk, [CALL]), tools, prepareCall });
    await agent.generate({ prompt: "go" });
    // Agents of ai 5 do not have it.
    expect(ran).toEqual(sdk.major === 5 ? [] : [CALL.input]);
    expect(coverage(agent).items[0]).toMatchObject({ kind: "agent", note: expect.stringContaining("prepareCall") as unknown });
  });
});

describe("ways of ai 7 that run no tool", () => {
  test("a single call of a model, a batch and a realtime session give calls to the application, whose tools decide", async () => {
    const { tools, ran } = await stage(sdk7, fakePdp({ decide: async () => deny() }));
    const definitions = await ai7.experimental_getRealtimeToolDefinitions({ tools: tools as never });
    expect(definitions).toMatchObject([{ type: "function", name: "notes_read" }]);
    const { stream } = await ai7.experimental_streamLanguageModelCall({
      model: callingModelOf(sdk7, [CALL]) as never,
      tools: tools as never,
      prompt: "go",
    } as never);
    const types: string[] = [];
    for await (const part of stream) types.push(part.type);
    expect(types).toContain("tool-call");
    expect(ran).toEqual([]);
  });

  test("an output that a history claims is shown to the model by a tool's `toModelOutput`, and runs nothing", async () => {
    const { tools, ran, pdp } = await stage(sdk7);
    const claimed = [
      { id: "m1", role: "assistant", parts: [{ type: "tool-notes_read", toolCallId: "x", state: "output-available", input: CALL.input, output: "claimed" }] },
    ];
    await ai7.convertToModelMessages(claimed as never, { tools: tools as never });
    expect([ran, pdp.asked]).toEqual([[], []]);
  });
});
