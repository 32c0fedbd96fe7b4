import { AmbitError } from "@ambit/core";
import { experimental_toolCaller, generateText, jsonSchema, tool, toolSearch, type ToolSet } from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { deny, enforcement, fakePdp, permit } from "./support/fake-pdp.ts";
import { callingModel } from "./support/models.ts";
import { call, notesTool, refusedWith, run } from "./support/notes.ts";

describe("the tools that come back", () => {
  test("keep everything that the SDK and the model see of them", async () => {
    const { notes_read } = notesTool().tools;
    const metadata = {
      title: "Notes",
      strict: true,
      inputExamples: [{ input: { topic: "renewal", limit: 1 } }],
      providerOptions: { acme: { cached: true } },
      metadata: { source: "test" },
      toModelOutput: () => ({ type: "text" as const, value: "as text" }),
    };
    const given = Object.assign({}, notes_read, metadata);
    const { pep, task } = await enforcement(fakePdp());
    const { tools } = protect(pep, { tools: { notes_read: given }, envelope: task });
    expect({ ...tools.notes_read, execute: undefined, needsApproval: undefined }).toEqual({ ...given, execute: undefined });

    const [raw, covered] = [callingModel(), callingModel()];
    await generateText({ model: raw, prompt: "go", tools: { notes_read: given } });
    await generateText({ model: covered, prompt: "go", tools });
    expect(covered.doGenerateCalls[0]?.tools).toEqual(raw.doGenerateCalls[0]?.tools);
  });

  test("are frozen, each of them and all together", async () => {
    const { pep, task } = await enforcement(fakePdp());
    const { tools } = notesTool();
    const result = protect(pep, { tools, envelope: task });
    expect([result, result.tools, result.tools.notes_read].every(Object.isFrozen)).toBe(true);
    expect(Object.isFrozen(tools.notes_read)).toBe(false);
  });

  test("refer to themselves as before", async () => {
    const { pep, task } = await enforcement(fakePdp());
    const counter = { count: 0, inputSchema: z.object({}), async execute() { return ++this.count; } }; // prettier-ignore
    const { tools } = protect(pep, { tools: { counter }, envelope: task });
    expect(await tools.counter.execute()).toBe(1);
    expect(counter.count).toBe(1);
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty"])("are decided when one of them is called `%s`", async (name) => {
    const pdp = fakePdp({ decide: async ({ action, context }) => (action.name === name && context.arguments["topic"] === "renewal" ? permit() : deny()) });
    const { ran, tools } = notesTool();
    const named = Object.fromEntries([[name, tools.notes_read]]);
    const { shown } = await run(pdp, named, [
      { ...call, name },
      { id: "call-2", name, input: { topic: "salaries" } },
    ]);
    expect(ran).toEqual([{ topic: "renewal", limit: 10 }]);
    expect(shown).toMatchObject([{ output: { type: "json" } }, { output: refusedWith("policy_denied") }]);
  });

  test("inherit nothing, since ai 5 and 6 look a tool up by its name alone", async () => {
    const { pep, task } = await enforcement(fakePdp());
    const { tools } = protect(pep, { tools: notesTool().tools, envelope: task });
    expect(["constructor", "__proto__", "toString"].filter((name) => name in tools)).toEqual([]);
  });

  test.each(["constructor", "__proto__", "toString", "hidden"])("offer nothing called `%s` when no tool is", async (name) => {
    const pdp = fakePdp();
    const { ran, tools } = notesTool();
    Object.defineProperty(tools, "hidden", { value: tools.notes_read });
    const { result } = await run(pdp, tools, [{ ...call, name }]);
    expect(result.steps[0]?.content.find(({ type }) => type === "tool-error")).toBeDefined();
    expect([...ran, ...pdp.asked]).toEqual([]);
  });

  test("include a provider's tool that runs here, covered like any other", async () => {
    const ran: unknown[] = [];
    const execute = async (input: unknown) => ran.push(input);
    const shell = { type: "provider", isProviderExecuted: false, id: "acme.shell", args: {}, inputSchema: z.object({}), execute } as const;
    const { pep, task } = await enforcement(fakePdp({ decide: async () => deny() }));
    const { tools } = protect(pep, { tools: { shell }, envelope: task });
    await expect(tools.shell.execute({})).rejects.toMatchObject({ refusal: { error: { code: "policy_denied" } } });
    expect(ran).toEqual([]);
  });
});

describe("a tool that cannot be enforced", () => {
  const inputSchema = jsonSchema({ type: "object", properties: {} });
  const execute = async (): Promise<string> => "ran";
  class Shell {
    readonly inputSchema = inputSchema;
    readonly execute = execute;
  }

  test.each<[string, unknown]>([
    ["without `execute`", tool({ inputSchema, outputSchema: z.string() })],
    ["that the provider executes", { type: "provider", isProviderExecuted: true, id: "acme.search", args: {}, inputSchema }],
    [
      "that the provider executes although it has an `execute`",
      { type: "provider", isProviderExecuted: true, id: "acme.search", args: {}, inputSchema, execute },
    ],
    ["of a provider that ai 6 cannot tell from one it executes", { type: "provider", id: "acme.search", args: {}, inputSchema, execute }],
    ["that says so of itself in no other way", { isProviderExecuted: true, inputSchema, execute }],
    ["of a provider in ai 5", { type: "provider-defined", id: "acme.search", args: {}, inputSchema, execute }],
    ["of an unknown kind", { type: "remote", inputSchema, execute }],
    ["whose search the SDK runs instead", toolSearch()],
    [
      "whose caller the SDK runs instead",
      experimental_toolCaller(tool({ inputSchema, execute }), { type: "local", bind: () => tool({ inputSchema, execute }) }),
    ],
    ["whose caller is in the open", { inputSchema, execute, experimental_toolCaller: {} }],
    ["of a class", new Shell()],
    ["that is none", null],
  ])("%s is refused by name", async (_, given) => {
    const { pep, task } = await enforcement(fakePdp());
    let refusal: unknown;
    try {
      protect(pep, { tools: { ...notesTool().tools, suspicious: given } as ToolSet, envelope: task });
    } catch (error) {
      refusal = error;
    }
    expect(AmbitError.isInstance(refusal) && [refusal.code, refusal.message.includes("`suspicious`")]).toEqual(["option_invalid", true]);
  });
});
