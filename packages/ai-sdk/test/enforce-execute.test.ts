import type { Obligation } from "@ambit/core";
import { isStepCount, streamText, tool, type ToolSet } from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { deny, enforcement, fakePdp, permit, type FakePdp } from "./support/fake-pdp.ts";
import { callingModel, shownToModel } from "./support/models.ts";
import { statuses } from "./support/notes.ts";

const inputSchema = z.object({ topic: z.string().default("all") });
const limit: Obligation = { id: "o1", type: "limit_records", properties: { pointer: "/rows", max: 1 } };
const label: Obligation = { id: "o2", type: "label_output", properties: { integrity: "untrusted", data_classes: [] } };

/** A tool that reports twice how far it is, then its result; `events` is what happened in it. */
function searchTool(failure?: Error) {
  const events: unknown[] = [];
  const search = tool({
    inputSchema,
    async *execute(input) {
      try {
        events.push(input);
        yield { rows: [], state: "searching" };
        if (failure !== undefined) throw failure;
        yield { rows: ["one", "two"], state: "done" };
      } finally {
        events.push("closed");
      }
    },
  });
  return { events, search };
}

async function stream(tools: ToolSet): Promise<{ readonly outputs: readonly unknown[]; readonly shown: unknown }> {
  const model = callingModel([{ id: "call-1", name: "search", input: {} }]);
  const outputs: unknown[] = [];
  for await (const part of streamText({ model, prompt: "go", stopWhen: isStepCount(2), tools }).stream) {
    if (part.type === "tool-result") outputs.push([part.preliminary === true ? "preliminary" : "final", part.output]);
    if (part.type === "tool-error") outputs.push(["error", part.error]);
  }
  return { outputs, shown: shownToModel(model.doStreamCalls)[0]?.output };
}

async function streamProtected(pdp: FakePdp, tools: ToolSet): ReturnType<typeof stream> {
  const { pep, task } = await enforcement(pdp);
  return stream(protect(pep, { tools, envelope: task }).tools);
}

/** The outputs of a covered generator, read by hand. */
async function open({ search, events }: ReturnType<typeof searchTool>, pdp: FakePdp = fakePdp(), input = { topic: "x" }) {
  const { pep, task } = await enforcement(pdp);
  const abort = new AbortController();
  const options = { toolCallId: "call-1", messages: [], abortSignal: abort.signal, context: {} };
  const outputs = protect(pep, { tools: { search }, envelope: task }).tools.search.execute(input, options) as AsyncIterable<unknown>;
  return { pdp, events, outputs, abort };
}

describe("a generator", () => {
  test.each([
    ["nothing is demanded", []],
    ["only a label is demanded", [label]],
  ])("streams exactly what it streams unprotected when %s", async (_, obligations) => {
    const pdp = fakePdp({ decide: async () => permit(...obligations) });
    const { search, events } = searchTool();
    expect(await streamProtected(pdp, { search })).toEqual(await stream({ search: searchTool().search }));
    expect(events).toEqual([{ topic: "all" }, "closed"]);
    expect(statuses(pdp)).toEqual(["done"]);
  });

  test("shows nothing before its result was checked", async () => {
    const pdp = fakePdp({ decide: async () => permit(limit) });
    const { outputs, shown } = await streamProtected(pdp, { search: searchTool().search });
    const checked = { rows: ["one"], state: "done" };
    expect(outputs).toEqual([
      ["preliminary", checked],
      ["final", checked],
    ]);
    expect(shown).toEqual({ type: "json", value: checked });
  });

  test("is not even begun when the call is denied", async () => {
    const pdp = fakePdp({ decide: async () => deny() });
    const { search, events } = searchTool();
    const { outputs } = await streamProtected(pdp, { search });
    expect(events).toEqual([]);
    expect(outputs).toMatchObject([["error", { refusal: { error: { code: "policy_denied" } } }]]);
    expect(pdp.settled).toEqual([]);
  });

  test("has its result withheld when the outcome cannot be recorded", async () => {
    const pdp = fakePdp({ decide: async () => permit(limit), settle: () => Promise.reject(new Error("disk full")) });
    const { outputs } = await streamProtected(pdp, { search: searchTool().search });
    expect(outputs).toMatchObject([["error", { refusal: { error: { code: "pdp_unavailable" } } }]]);
  });

  test("keeps its own error, which is settled as failed", async () => {
    const pdp = fakePdp();
    const failure = new Error("index is gone");
    const { outputs } = await streamProtected(pdp, { search: searchTool(failure).search });
    expect(outputs).toEqual([
      ["preliminary", { rows: [], state: "searching" }],
      ["error", failure],
    ]);
    expect(statuses(pdp)).toEqual(["failed"]);
  });

  test("runs with a copy of what was decided", async () => {
    const input = { topic: "x" };
    const redeem = async () => {
      input.topic = "everything";
      return { redeemed: true, receipt: "receipt_1" } as const;
    };
    const { events, outputs } = await open(searchTool(), fakePdp({ redeem }), input);
    for await (const _output of outputs) continue;
    expect(events).toEqual([{ topic: "x" }, "closed"]);
  });

  test("has an unknown outcome when its reader leaves", async () => {
    const { pdp, events, outputs } = await open(searchTool());
    for await (const _output of outputs) break;
    expect(events).toEqual([{ topic: "x" }, "closed"]);
    expect(statuses(pdp)).toEqual(["unknown"]);
  });

  test("has an unknown outcome when it is aborted", async () => {
    const { pdp, events, outputs, abort } = await open(searchTool(new Error("aborted")));
    const reading = (async () => {
      for await (const _output of outputs) abort.abort();
    })();
    await expect(reading).rejects.toThrow("aborted");
    expect(events).toEqual([{ topic: "x" }, "closed"]);
    expect(statuses(pdp)).toEqual(["unknown"]);
  });

  test("may yield nothing", async () => {
    const nothing = tool({ inputSchema, async *execute(): AsyncGenerator<string> {} }); // prettier-ignore
    expect(await streamProtected(fakePdp(), { search: nothing })).toEqual(await stream({ search: nothing }));
  });
});

describe("an `execute` that is no generator function", () => {
  async function* rows(): AsyncGenerator<unknown> {
    yield { rows: ["none"] };
    yield { rows: ["one", "two"] };
  }

  test.each<[string, () => unknown]>([
    ["returns an async iterable", () => rows()],
    ["promises an async iterable", async () => rows()],
    ["promises a result", async () => ({ rows: ["one", "two"] })],
    ["returns a result", () => ({ rows: ["one", "two"] })],
  ])("%s: the result is the last output, checked", async (_, execute) => {
    const pdp = fakePdp({ decide: async () => permit(limit) });
    const { outputs } = await streamProtected(pdp, { search: tool({ inputSchema, execute }) });
    expect(outputs).toEqual([["final", { rows: ["one"] }]]);
    expect(pdp.settled.map(({ status, records }) => [status, records])).toEqual([["done", 1]]);
  });
});
