import type { Obligation, Pdp, RefusalCode } from "@ambit/core";
import { generateText, streamText, tool } from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect, ToolRefusedError } from "../src/index.ts";
import { deny, enforcement, fakePdp, permit } from "./support/fake-pdp.ts";
import { callingModel, shownToModel } from "./support/models.ts";
import { call, notesTool, refusedWith, run, statuses, stopWhen } from "./support/notes.ts";
import { runIn } from "./support/runs.ts";
import { sdk7 } from "./support/sdks.ts";

describe("a permitted call", () => {
  test("runs once, with the arguments that were decided: validated, defaulted, transformed", async () => {
    const pdp = fakePdp();
    const { ran, tools } = notesTool();
    const { result, shown } = await run(pdp, tools);

    expect(ran).toEqual([{ topic: "renewal", limit: 10 }]);
    expect(pdp.asked.map(({ action, context }) => [action.name, context.arguments])).toEqual([["notes_read", { topic: "renewal", limit: 10 }]]);
    expect(shown).toEqual([{ id: "call-1", output: { type: "json", value: { notes: [{ text: "one" }, { text: "two" }] } } }]);
    expect(statuses(pdp)).toEqual(["done"]);
    expect(result.text).toBe("done");
  });

  test("runs with a copy, so what the framework holds cannot change it after the decision", async () => {
    const input = { topic: "renewal", limit: 10 };
    const pdp = fakePdp({
      redeem: async () => {
        input.topic = "everything";
        return { redeemed: true, receipt: "receipt_1" };
      },
    });
    const { ran, tools } = notesTool();
    const { pep, task } = await enforcement(pdp);
    await protect(pep, { tools, envelope: task }).tools.notes_read.execute(input, { toolCallId: "call-1", messages: [], context: {} });
    expect(ran).toEqual([{ topic: "renewal", limit: 10 }]);
  });

  test("is one of twenty parallel ones, each decided and run on its own", async () => {
    const pdp = fakePdp({ decide: async ({ context }) => (Number(context.arguments["limit"]) % 2 === 0 ? permit() : deny()) });
    const { ran, tools } = notesTool();
    const calls = Array.from({ length: 20 }, (_, at) => ({ id: `call-${at}`, name: "notes_read", input: { topic: "x", limit: at } }));
    const { shown } = await run(pdp, tools, calls);

    expect(ran).toHaveLength(10);
    expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(20);
    expect(shown.map(({ id }) => id)).toEqual(calls.map(({ id }) => id));
    for (const [at, { output }] of shown.entries()) expect(output).toMatchObject(at % 2 === 0 ? { type: "json" } : refusedWith("policy_denied"));
  });

  test("shows the model no more records than the decision allows, in its own model output too", async () => {
    const limit: Obligation = { id: "o1", type: "limit_records", properties: { pointer: "/notes", max: 1 } };
    const pdp = fakePdp({ decide: async () => permit(limit) });
    const { notes_read } = notesTool().tools;
    const toModelOutput = ({ output }: { output: unknown }) => ({ type: "text" as const, value: JSON.stringify(output) });
    const told = Object.assign({}, notes_read, { toModelOutput });
    const { shown, result } = await run(pdp, { notes_read, told }, [call, { ...call, id: "call-2", name: "told" }]);

    expect(shown.map(({ output }) => output)).toEqual([
      { type: "json", value: { notes: [{ text: "one" }] } },
      { type: "text", value: '{"notes":[{"text":"one"}]}' },
    ]);
    expect(JSON.stringify(result.steps)).not.toContain("two");
    expect(pdp.settled.map(({ records }) => records)).toEqual([1, 1]);
  });

  test.each<[string, Partial<Pdp>]>([
    [
      "its answer lacks what must be checked in it",
      { decide: async () => permit({ id: "o1", type: "limit_records", properties: { pointer: "/rows", max: 1 } }) },
    ],
    ["its outcome cannot be recorded", { settle: () => Promise.reject(new Error("disk full")) }],
  ])("is withheld when %s", async (_, answers) => {
    const { ran, tools } = notesTool();
    const { shown } = await run(fakePdp(answers), tools);
    expect(ran).toHaveLength(1);
    expect(shown).toEqual([{ id: "call-1", output: { type: "error-text", value: expect.stringContaining('"error":{"code":') } }]);
    expect(JSON.stringify(shown)).not.toContain("one");
  });

  test("keeps the tool's own error, which is settled as failed", async () => {
    const pdp = fakePdp();
    const failure = new RangeError("no such topic");
    const failing = tool({ inputSchema: z.object({}), execute: (): Promise<string> => Promise.reject(failure) });
    const { result, shown } = await run(pdp, { failing }, [{ id: "call-1", name: "failing", input: {} }]);

    expect(result.steps[0]?.content.find(({ type }) => type === "tool-error")).toMatchObject({ error: failure });
    expect(shown).toEqual([{ id: "call-1", output: { type: "error-text", value: "RangeError: no such topic" } }]);
    expect(statuses(pdp)).toEqual(["failed"]);
  });
});

describe("a denied call", () => {
  test("never runs; the model is told the constant shape and nothing else, and the run goes on", async () => {
    const pdp = fakePdp({ decide: async () => deny() });
    const { ran, tools } = notesTool();
    const { result, shown } = await run(pdp, tools);

    expect(ran).toEqual([]);
    const value = '{"error":{"code":"policy_denied","message":"not within this task","decisionId":"dec_deny","retryable":false}}';
    expect(shown).toEqual([{ id: "call-1", output: { type: "error-text", value } }]);
    expect(result.text).toBe("done");
    expect(pdp.settled).toEqual([]);
  });

  test("reaches the app as a tool error that says why", async () => {
    const { result } = await run(fakePdp({ decide: async () => deny() }), notesTool().tools);
    const error: unknown = result.steps[0]?.content.flatMap((part) => (part.type === "tool-error" ? [part.error] : []))[0];
    expect(ToolRefusedError.isInstance(error) && error.refusal.error.code).toBe("policy_denied");
  });

  test.each<[string, RefusalCode, Partial<Pdp>]>([
    [
      "throws",
      "pdp_unavailable",
      {
        decide: () => {
          throw new Error("secret");
        },
      },
    ],
    ["rejects", "pdp_unavailable", { decide: () => Promise.reject(new Error("secret")) }],
    ["hangs", "pdp_timeout", { decide: () => new Promise(() => {}) }],
    ["answers nothing", "pdp_response_invalid", { decide: async () => undefined as never }],
    ["answers text", "pdp_response_invalid", { decide: async () => ({ ...permit(), decision: "true" }) as never }],
    ["permits without a grant", "pdp_response_invalid", { decide: async () => ({ decision: true, context: { id: "dec" } }) }],
    ["permits with an expired grant", "grant_invalid", { decide: async () => ({ decision: true, context: { id: "dec", grant: { id: "g", expiresAt: 1 } } }) }],
    ["demands the unknown", "obligation_unsupported", { decide: async () => permit({ id: "o1", type: "sing", properties: {} } as never) }],
    ["does not redeem", "pdp_response_invalid", { redeem: async () => undefined as never }],
    ["hangs on redeeming", "pdp_timeout", { redeem: () => new Promise(() => {}) }],
  ])("is one whose decision point %s (%s)", async (_, code, answers) => {
    const { ran, tools } = notesTool();
    const { shown, result } = await run(fakePdp(answers), tools);
    expect(ran).toEqual([]);
    expect(shown).toEqual([{ id: "call-1", output: refusedWith(code) }]);
    expect(JSON.stringify(shown)).not.toContain("secret");
    expect(result.text).toBe("done");
  });

  test.each([
    ["undefined", undefined],
    ["a function without one", () => undefined],
    [
      "a function that throws",
      () => {
        throw new Error("no session");
      },
    ],
    ["not a task", {} as never],
  ])("is one whose envelope is %s", async (_, envelope) => {
    const pdp = fakePdp();
    const { pep } = await enforcement(pdp);
    const { ran, tools } = notesTool();
    const model = callingModel([call]);
    await generateText({ model, prompt: "go", stopWhen, ...protect(pep, { tools, envelope }) });
    expect(ran).toEqual([]);
    expect(shownToModel(model.doGenerateCalls)).toEqual([{ id: "call-1", output: refusedWith("envelope_malformed") }]);
    expect(pdp.asked).toEqual([]);
  });

  test.each<[string, z.ZodType]>([
    ["a date in them", z.object({ topic: z.string().transform((topic) => new Date(topic)) })],
    ["them no object", z.object({ topic: z.string() }).transform(({ topic }) => topic)],
  ])("is one whose schema makes %s of its arguments", async (_, inputSchema) => {
    const ran: unknown[] = [];
    const notes_read = tool({ inputSchema, execute: async (input) => ran.push(input) });
    const { shown } = await run(fakePdp(), { notes_read });
    expect(ran).toEqual([]);
    expect(shown).toEqual([{ id: "call-1", output: refusedWith("argument_not_allowed") }]);
  });

  test("is not noticed by the tool's input callbacks, which the SDK calls before any decision", async () => {
    const called: string[] = [];
    const early = (name: string) => (): void => void called.push(name);
    const { notes_read } = notesTool().tools;
    const tools = {
      notes_read: Object.assign({}, notes_read, { onInputStart: early("start"), onInputDelta: early("delta"), onInputAvailable: early("available") }),
    };
    await run(fakePdp({ decide: async () => deny() }), tools);
    const { pep, task } = await enforcement(fakePdp({ decide: async () => deny() }));
    await streamText({ model: callingModel([call]), prompt: "go", stopWhen, ...protect(pep, { tools, envelope: task }) }).text;
    expect(called).toEqual([]);

    await streamText({ model: callingModel([call]), prompt: "go", stopWhen, tools }).text;
    expect(called).toEqual(["start", "delta", "available"]); // without protection they are called
  });
});

describe("an aborted call", () => {
  test("of which the result must be checked shows nothing that the tool says, although the run goes on after a timeout of the tool alone", async () => {
    const pdp = fakePdp({ decide: async () => permit({ id: "o1", type: "limit_records", properties: { pointer: "/rows", max: 1 } }) });
    const { pep, task } = await enforcement(pdp);
    const execute = (_: unknown, { abortSignal }: { readonly abortSignal?: AbortSignal | undefined }): Promise<string> =>
      new Promise((_resolve, reject) => abortSignal?.addEventListener("abort", () => reject(new Error("all of the rows"))));
    const { tools } = protect(pep, { tools: { slow: tool({ inputSchema: z.object({}), execute }) }, envelope: task });
    const { shown, text } = await runIn(sdk7, tools, [{ id: "call-1", name: "slow", input: {} }], { timeout: { toolMs: 20 } });
    expect(text).toBe("done");
    expect(JSON.stringify(shown)).toContain("withheld");
    expect(JSON.stringify(shown)).not.toContain("all of the rows");
    expect(pdp.settled.map(({ status }) => status)).toEqual(["unknown"]);
  });

  test("is not run when the abort comes before the decision", async () => {
    const abort = new AbortController();
    const { ran, tools } = notesTool();
    const pdp = fakePdp({
      decide: () => {
        abort.abort();
        return new Promise(() => {});
      },
    });
    const { pep, task } = await enforcement(pdp);
    const { notes_read } = protect(pep, { tools, envelope: task }).tools;
    const running = Promise.resolve(
      notes_read.execute({ topic: "x", limit: 1 }, { toolCallId: "call-1", messages: [], abortSignal: abort.signal, context: {} }),
    );
    await expect(running).rejects.toMatchObject({ refusal: { error: { code: "call_aborted" } } });
    expect(ran).toEqual([]);
  });

  test("has an unknown outcome when the tool was running", async () => {
    const abort = new AbortController();
    const pdp = fakePdp();
    const slow = tool({
      inputSchema: z.object({}),
      execute: (_, { abortSignal }) =>
        new Promise<string>((_resolve, reject) => {
          abortSignal?.addEventListener("abort", () => reject(abortSignal.reason as Error));
          abort.abort(new Error("stop"));
        }),
    });
    const running = run(pdp, { slow }, [{ id: "call-1", name: "slow", input: {} }], abort.signal);
    await expect(running).rejects.toThrow("stop");
    expect(statuses(pdp)).toEqual(["unknown"]);
  });
});
