import { experimental_codeModeTool, experimental_createCodeModeTool } from "@ai-sdk/code-mode";
import { coverage, protect } from "@ambit/ai-sdk";
import { createWorld } from "@ambit/conformance";
import { generateText, isStepCount, tool, type ToolSet } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { z } from "zod";

type CodeModeOptions = NonNullable<Parameters<typeof experimental_createCodeModeTool>[1]>;

/** A model that writes one program and then says that it is done. */
function programming(js: string): MockLanguageModelV4 {
  const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } };
  const answers = [
    { content: [{ type: "tool-call", toolCallId: "code-1", toolName: "code", input: JSON.stringify({ js }) }], finishReason: { unified: "tool-calls" } },
    { content: [{ type: "text", text: "done" }], finishReason: { unified: "stop" } },
  ];
  return new MockLanguageModelV4({ doGenerate: async () => ({ ...answers.shift(), usage, warnings: [] }) as never });
}

async function stage() {
  const world = await createWorld({ holding: "handles" });
  const ran: unknown[] = [];
  const raw = {
    search_run: tool({
      description: "searches",
      inputSchema: z.object({ id: z.string().trim(), limit: z.number().default(1) }),
      execute: async (input) => (ran.push(input), { found: input.id }),
    }),
    payments_pay: tool({
      description: "pays",
      inputSchema: z.object({ to: z.string(), amount: z.number() }),
      execute: async (input) => (ran.push(input), "paid"),
    }),
    notes_read: tool({ description: "outside of the envelope", inputSchema: z.object({}), execute: async () => ran.push("notes") }),
  };
  const task = await world.begin();
  const { tools } = protect(world.pep, { tools: raw as never, envelope: task }) as { readonly tools: ToolSet }; // of another copy of the SDK
  /** What the program returned or threw, as the model is shown it. */
  const run = async (js: string, options: CodeModeOptions = {}, given: ToolSet = tools): Promise<string> => {
    const code = experimental_createCodeModeTool(given as never, options);
    const model = programming(js);
    await generateText({ model, prompt: "go", stopWhen: isStepCount(3), tools: { code } });
    return JSON.stringify(model.doGenerateCalls[1]?.prompt.at(-1));
  };
  const decisions = () => world.records("decision").map(({ details }) => details["code"] ?? details["decision"]);
  return { world, task, ran, raw, tools, run, decisions };
}

const FAILED = "Host tool failed.";
const PAY = `return await tools.payments_pay({ to: "c1", amount: 5 });`;

describe("with the code mode of the AI SDK", () => {
  test("which asks for a version of its own", () => {
    expect((createRequire(import.meta.url)("ai/package.json") as { version: string }).version).toBe("7.0.85");
  });

  test("a program's calls of protected tools are decided, each once, and run with what was decided", async () => {
    const { run, ran, decisions, world } = await stage();
    const shown = await run(`
      const both = await Promise.all([tools.search_run({ id: " a " }), tools.search_run({ id: "b" })]);
      return both.map(({ found }) => found);`);
    expect(shown).toContain('["a","b"]');
    expect(ran).toEqual([
      { id: "a", limit: 1 },
      { id: "b", limit: 1 },
    ]);
    expect([decisions(), world.records("outcome").map(({ details }) => details["status"])]).toEqual([
      ["permit", "permit"],
      ["done", "done"],
    ]);
  });

  test("a refused call never runs, and the program is told no more than that it failed, which is what code mode says of any error", async () => {
    const { run, ran } = await stage();
    const shown = await run(`
      try {
        return await tools.notes_read({});
      } catch (error) {
        return "refused: " + error.message;
      }`);
    expect(ran).toEqual([]);
    expect(shown).toContain(`"refused: ${FAILED}"`);
  });

  test("a call that needs an approval does not run because the application says yes; with an approval at the decision point it runs once", async () => {
    const { run, ran, world } = await stage();
    const itself = await run(PAY, { approval: { onApprovalRequired: () => "approved" } });
    expect([itself.includes(FAILED), ran]).toEqual([true, []]);
    const asked = await run(PAY, { approval: { onApprovalRequired: async () => (await world.answer("approve"), "approved" as const) } });
    expect([asked.includes("paid"), ran]).toEqual([true, [{ to: "c1", amount: 5 }]]);
    expect((await run(PAY, { approval: { onApprovalRequired: () => "approved" } })).includes(FAILED)).toBe(true);
  });

  test("and without anybody to ask, such a call fails in the program", async () => {
    const { run, ran } = await stage();
    expect(await run(PAY)).toMatch(/approval/iu);
    expect(ran).toEqual([]);
  });

  test("the tool that runs programs may be protected itself; one that the SDK gives its tools to may not", async () => {
    const { world, task, tools, ran } = await stage();
    const code = experimental_createCodeModeTool(tools as never);
    const covered = protect(world.pep, { tools: { code: code as never }, envelope: task }).tools;
    const model = programming(`return await tools.search_run({ id: "a" });`);
    await generateText({ model, prompt: "go", stopWhen: isStepCount(3), tools: covered as ToolSet });
    expect(JSON.stringify(model.doGenerateCalls[1]?.prompt.at(-1))).toContain("tool_unmapped");
    expect(ran).toEqual([]);
    const given = () => protect(world.pep, { tools: { code: experimental_codeModeTool() as never }, envelope: task });
    expect(given).toThrow(expect.objectContaining({ code: "option_invalid" }));
  });

  test("LIMIT: a program runs tools that nobody protected, and `coverage` names the tool that runs programs, not what is behind it", async () => {
    const { run, raw, ran, decisions } = await stage();
    await run(`return await tools.search_run({ id: "a" });`, {}, raw);
    expect([ran, decisions()]).toEqual([[{ id: "a", limit: 1 }], []]);
    expect(coverage({ code: experimental_createCodeModeTool(raw as never) }).items).toEqual([
      { kind: "tool", name: "code", note: expect.stringContaining("not protected") },
    ]);
  });
});
