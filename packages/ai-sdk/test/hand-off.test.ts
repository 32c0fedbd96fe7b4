import { AmbitError, type HandOffOptions, type Pdp, type Presentation } from "@ambit/core";
import { generateText, isStepCount, tool } from "ai";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect, type HandOff } from "../src/index.ts";
import { deny, enforcement, fakePdp, permit } from "./support/fake-pdp.ts";
import { callingModel, shownToModel } from "./support/models.ts";

const stopWhen = isStepCount(3);
const inputSchema = z.object({ contract: z.string().transform((id) => id.trim()) });
const to: HandOffOptions = { agentId: "classifier", purpose: "classify", allowedTools: ["notes.read"] };
const call = { id: "call-1", name: "classify", input: { contract: " c1 " } };

async function run(answers: Partial<Omit<Pdp, "capability">>, handOff: Partial<HandOff<{ contract: string }>>, abortSignal?: AbortSignal) {
  const pdp = fakePdp(answers);
  const { pep, task } = await enforcement(pdp);
  const model = callingModel([call]);
  const classify: HandOff<{ contract: string }> = { description: "classifies clauses", inputSchema, to, run: async () => "classified", ...handOff };
  const protectedTools = protect(pep, { tools: {}, handOffs: { classify }, envelope: task });
  const result = await generateText({ model, prompt: "go", stopWhen, ...(abortSignal && { abortSignal }), ...protectedTools });
  return { pdp, model, result, task, shown: shownToModel(model.doGenerateCalls) };
}

const handleOf = (presentation: Presentation): string => (presentation.kind === "handle" ? presentation.handle : "");

describe("a hand-off", () => {
  test("looks like a tool to the model and runs the other agent under an envelope of its own, which ends with it", async () => {
    const seen: unknown[] = [];
    const { pdp, model, task, shown } = await run(
      {},
      {
        run: async ({ task: child, pep, input, signal }) => {
          seen.push(input, pep.agent, child.envelope.agentId, child.depth, signal);
          return { label: "indemnity" };
        },
      },
    );
    expect(seen).toEqual([{ contract: "c1" }, "classifier", "classifier", 1, undefined]);
    expect(model.doGenerateCalls[0]?.tools).toMatchObject([{ name: "classify", description: "classifies clauses", inputSchema: { type: "object" } }]);
    expect(pdp.handedOff).toMatchObject([{ agent: "reviewer", narrowing: to, parent: { handle: task.envelopeId } }]);
    expect(shown).toEqual([{ id: "call-1", output: { type: "json", value: { label: "indemnity" } } }]);
    expect(pdp.ended).toEqual(["env_2"]);
  });

  test("can ask for what the input says", async () => {
    const { pdp } = await run({}, { to: ({ contract }) => ({ ...to, resourceConstraints: { contract_ids: [contract] } }) });
    expect(pdp.handedOff[0]?.narrowing.resourceConstraints).toEqual({ contract_ids: ["c1"] });
  });

  test("gives the other agent an enforcement point whose calls are decided for that agent", async () => {
    const ran: unknown[] = [];
    const notes = { notes_read: tool({ inputSchema: z.object({}), execute: async (input) => ran.push(input) }) };
    const permits: string[] = [];
    const { pdp, shown } = await run(
      { decide: async ({ context }) => (permits.includes(handleOf(context.presentation)) ? permit() : deny()) },
      {
        run: async ({ pep, task }) => {
          const model = callingModel([{ id: "call-1", name: "notes_read", input: {} }], [{ id: "call-1", name: "notes_read", input: {} }]);
          const once = generateText({ model, prompt: "go", stopWhen: isStepCount(1), ...protect(pep, { tools: notes, envelope: task }) });
          expect((await once).content.map(({ type }) => type)).toContain("tool-error");
          permits.push(task.envelopeId);
          return (await generateText({ model, prompt: "go on", stopWhen, ...protect(pep, { tools: notes, envelope: task }) })).text;
        },
      },
    );
    expect(ran).toEqual([{}]);
    expect(pdp.asked.map(({ context }) => [context.agent, handleOf(context.presentation)])).toEqual([
      ["classifier", "env_2"],
      ["classifier", "env_2"],
    ]);
    expect(shown).toEqual([{ id: "call-1", output: { type: "text", value: "done" } }]);
  });

  test.each<[string, string, Partial<Pdp>]>([
    [
      "is refused",
      "not_narrower",
      { handOff: async () => ({ decision: false, id: "dec_7", refusal: { code: "not_narrower", message: "wider than its parent", retryable: false } }) },
    ],
    ["cannot be decided", "pdp_unavailable", { handOff: () => Promise.reject(new Error("secret")) }],
    ["is not decided in time", "pdp_timeout", { handOff: () => new Promise(() => {}) }],
  ])("that %s runs nothing and looks to the model like a refused call (%s)", async (_, code, answers) => {
    const received: unknown[] = [];
    const receive = async ({ input }: { readonly input: unknown }) => received.push(input);
    const { shown, result } = await run(answers, { run: receive });
    expect(received).toEqual([]);
    expect(shown).toEqual([
      {
        id: "call-1",
        output: {
          type: "error-text",
          value: expect.stringMatching(`^{"error":{"code":"${code}","message":"[^"]+","decisionId":"[^"]+","retryable":(true|false)}}$`),
        },
      },
    ]);
    expect(JSON.stringify(shown)).not.toContain("secret");
    expect(result.text).toBe("done");
  });

  test("without an envelope is refused", async () => {
    const pdp = fakePdp();
    const { pep } = await enforcement(pdp);
    const model = callingModel([call]);
    const received: unknown[] = [];
    const receive = async ({ input }: { readonly input: unknown }) => received.push(input);
    const handOffs = { classify: { description: "classifies", inputSchema, to, run: receive } };
    await generateText({ model, prompt: "go", stopWhen, ...protect(pep, { tools: {}, handOffs, envelope: undefined }) });
    expect(received).toEqual([]);
    expect(pdp.handedOff).toEqual([]);
    expect(shownToModel(model.doGenerateCalls)).toMatchObject([{ output: { type: "error-text", value: expect.stringContaining("envelope_malformed") } }]);
  });

  test("ends the other agent's envelope when it throws, and shows its error", async () => {
    const { pdp, shown } = await run({}, { run: () => Promise.reject(new Error("no such contract")) });
    expect(pdp.ended).toEqual(["env_2"]);
    expect(shown).toEqual([{ id: "call-1", output: { type: "error-text", value: "Error: no such contract" } }]);
  });

  test("is not begun after an abort, and the other agent can see one", async () => {
    const abort = new AbortController();
    const pdp = fakePdp();
    const { pep, task } = await enforcement(pdp);
    const received: unknown[] = [];
    const receive = async ({ signal }: { readonly signal: AbortSignal | undefined }) => {
      received.push(signal);
      return "classified";
    };
    const { tools } = protect(pep, { tools: {}, handOffs: { classify: { description: "classifies", inputSchema, to, run: receive } }, envelope: task });
    const options = { toolCallId: "call-1", messages: [], abortSignal: abort.signal, context: {} };
    await tools.classify.execute?.({ contract: "c1" }, options);
    abort.abort(new Error("stop"));
    await expect(tools.classify.execute?.({ contract: "c1" }, options)).rejects.toThrow("stop");
    expect([received, pdp.handedOff.length]).toEqual([[abort.signal], 1]);
  });

  test("must not have the name of a tool", async () => {
    const { pep, task } = await enforcement(fakePdp());
    const classify = tool({ inputSchema, execute: async () => "ran" });
    const handOffs = { classify: { description: "classifies", inputSchema, to, run: async () => "ran" } };
    let refusal: unknown;
    try {
      protect(pep, { tools: { classify }, handOffs, envelope: task });
    } catch (error) {
      refusal = error;
    }
    expect(AmbitError.isInstance(refusal) && refusal.code).toBe("option_invalid");
  });
});
