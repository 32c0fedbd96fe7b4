import type { Redemption } from "@ambit/core";
import { experimental_toolCaller, generateText, streamText, tool, ToolLoopAgent, type ModelMessage, type ToolSet } from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { deny, enforcement, fakePdp, permit } from "./support/fake-pdp.ts";
import { callingModel, shownToModel } from "./support/models.ts";
import { call, notesTool, refusedWith, stopWhen } from "./support/notes.ts";

describe("every door of the SDK", () => {
  test("streamText asks, shows the refusal as an error and goes on", async () => {
    const { pep, task } = await enforcement(fakePdp({ decide: async ({ context }) => (context.arguments["topic"] === "renewal" ? permit() : deny()) }));
    const { ran, tools } = notesTool();
    const model = callingModel([call, { ...call, id: "call-2", input: { topic: "salaries" } }]);
    const result = streamText({ model, prompt: "go", stopWhen, ...protect(pep, { tools, envelope: task }) });

    expect(await result.text).toBe("done");
    expect(ran).toEqual([{ topic: "renewal", limit: 10 }]);
    expect(shownToModel(model.doStreamCalls)).toMatchObject([
      { id: "call-1", output: { type: "json" } },
      { id: "call-2", output: refusedWith("policy_denied") },
    ]);
  });

  test("ToolLoopAgent asks at every turn, and every turn is another one", async () => {
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const { ran, tools } = notesTool();
    // A model that counts its calls anew in every turn.
    const agent = new ToolLoopAgent({ model: callingModel([call], [call]), stopWhen, ...protect(pep, { tools, envelope: task }) });
    await agent.generate({ prompt: "go" });
    expect(ran).toHaveLength(2);
    expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(2);
  });

  test("a tool caller of the SDK reaches only what is decided", async () => {
    const pdp = fakePdp({ decide: async () => deny() });
    const { pep, task } = await enforcement(pdp);
    const { ran, tools } = notesTool();
    const script = (bound: ToolSet) =>
      tool({
        inputSchema: z.object({}),
        execute: async (_, options): Promise<string> =>
          String(await Promise.resolve(bound["notes_read"]?.execute?.({ topic: "x", limit: 1 }, options)).catch(String)),
      });
    const code = experimental_toolCaller(script({}), { type: "local", bind: script });
    const model = callingModel([{ id: "call-1", name: "code", input: {} }]);
    await generateText({
      model,
      prompt: "go",
      stopWhen,
      tools: { ...protect(pep, { tools, envelope: task }).tools, code },
      experimental_toolCallers: { notes_read: ["code"] },
    });

    expect(ran).toEqual([]);
    expect(shownToModel(model.doGenerateCalls)).toEqual([
      { id: "call-1", output: { type: "text", value: expect.stringMatching(/^\{"error":\{"code":"policy_denied"/) } },
    ]);
  });

  test("a history that is sent twice is one call, whose grant is spent the second time", async () => {
    const redeemed = new Set<string>();
    const pdp = fakePdp({
      redeem: async ({ callId }: Redemption) => {
        if (redeemed.has(callId)) return { redeemed: false, refusal: { code: "grant_replayed", message: "this call has run", retryable: false } };
        redeemed.add(callId);
        return { redeemed: true, receipt: "receipt_1" };
      },
    });
    const { pep, task } = await enforcement(pdp);
    const { ran, tools } = notesTool();
    const covered = protect(pep, { tools: { notes_read: Object.assign({}, tools.notes_read, { needsApproval: true }) }, envelope: task });
    const paused = await generateText({ model: callingModel([call]), prompt: "go", stopWhen, ...covered });
    const request = paused.content.find((part) => part.type === "tool-approval-request");
    expect(ran).toEqual([]);

    const messages: ModelMessage[] = [
      { role: "user", content: "go" },
      ...paused.responseMessages,
      { role: "tool", content: [{ type: "tool-approval-response", approvalId: request?.approvalId ?? "", approved: true }] },
    ];
    for (const _ of ["once", "again"]) await generateText({ model: callingModel(), messages, ...covered });
    expect(ran).toHaveLength(1);
    expect(new Set(pdp.asked.map(({ context }) => context.call_id)).size).toBe(1);
  });
});
