import { createWorld } from "@ambit/conformance";
import type { ModelRefusal } from "@ambit/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { protect } from "../src/index.ts";
import { shownToModel, type Call } from "./support/models.ts";
import { named, type Sdk } from "./support/sdks.ts";

interface Shown {
  readonly type: string;
  readonly value: unknown;
}

/**
 * A model that reads what it is shown, and does what it can with it: it asks for what it wants, tries again what may be tried again, leaves alone what is refused, and
 * says in the end what it found and why it did not find the rest.
 */
function readingModel(sdk: Sdk, first: readonly Call[]): object {
  let turn = 0;
  const toolCalls = (calls: readonly Call[]) =>
    calls.map(({ id, name, input }) => ({ type: "tool-call", toolCallId: id, toolName: name, input: JSON.stringify(input) }));
  return new sdk.Mock({
    doGenerate: async ({ prompt }: { readonly prompt: never }) => {
      const answers = new Map(shownToModel([{ prompt } as never]).map(({ id, output }) => [id, output as Shown]));
      const refusals = [...answers].flatMap(([id, { type, value }]) =>
        type.startsWith("error") ? [{ id, ...(JSON.parse(String(value)) as ModelRefusal).error }] : [],
      );
      const again = first.filter(({ id }) => refusals.some((refusal) => refusal.id === id && refusal.retryable) && !answers.has(`${id}-again`));
      const calls = turn++ === 0 ? first : again.map((call) => ({ ...call, id: `${call.id}-again` }));
      if (calls.length > 0) return { content: toolCalls(calls), ...sdk.finish("tool-calls"), warnings: [] };
      const found = [...answers.values()].flatMap(({ type, value }) => (type === "json" ? [JSON.stringify(value)] : []));
      const text = [...found, ...refusals.map(({ id, message }) => `${id}: ${message}`)].join("; ");
      return { content: [{ type: "text", text }], ...sdk.finish("stop"), warnings: [] };
    },
  });
}

describe.each(named)("a model of %s whose call is refused", (_, sdk) => {
  const stage = async (isShaky: boolean) => {
    const world = await createWorld({ holding: "handles" });
    const task = await world.begin();
    let asked = 0;
    const pep = world.pepBefore((pdp) => ({
      // Once, the decision point is away.
      decide: async (request) => (isShaky && asked++ === 0 ? Promise.reject(new Error("away")) : pdp.decide(request)),
    }));
    const execute = async ({ contract_id }: { readonly contract_id: string }): Promise<object> => ({ customer_id: "c1", title: contract_id, terms: "yearly" });
    const contracts_read = sdk.tool({ inputSchema: z.object({ contract_id: z.string() }), execute });
    const notes_read = sdk.tool({ inputSchema: z.object({}), execute: async () => "a note" });
    return protect(pep, { tools: { contracts_read, notes_read } as never, envelope: task }).tools;
  };
  const contract: Call = { id: "contract", name: "contracts_read", input: { contract_id: "k1" } };

  test("answers with what it may know, and says what it may not and why", async () => {
    const model = readingModel(sdk, [contract, { id: "notes", name: "notes_read", input: {} }]) as never;
    const { text, steps } = await sdk.generateText({ model, prompt: "When do they renew?", stopWhen: sdk.stopAfter(5), tools: await stage(false) });
    expect(text).toMatch(/^\{"customer_id":"c1","title":"k1","terms":"yearly"\}; notes: .+/);
    expect(text).not.toContain("undefined");
    expect(steps).toHaveLength(2); // it did not ask again for what is no use to ask for
  });

  test("asks again where that is of use", async () => {
    const model = readingModel(sdk, [contract]) as never;
    const { text, steps } = await sdk.generateText({ model, prompt: "When does it renew?", stopWhen: sdk.stopAfter(5), tools: await stage(true) });
    expect(text).toContain('"terms":"yearly"');
    expect(steps).toHaveLength(3);
  });
});
