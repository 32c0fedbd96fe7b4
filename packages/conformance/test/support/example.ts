import type { Harness, ModelCall, Shown } from "@ambit/conformance";
import { definitionDigest, modelRefusal, type EnvelopeSource, type Pep } from "@ambit/core";

/** A framework: the model is shown what a tool returns or throws. */
interface Tool {
  readonly name: string;
  readonly description: string;
  readonly run: (args: Record<string, unknown>, signal: AbortSignal | undefined) => unknown;
}

/** The adapter for it. */
function protect(pep: Pep, { tool, envelope }: { readonly tool: Tool; readonly envelope: EnvelopeSource }): Tool {
  const run: Tool["run"] = async (args, signal) => {
    const admission = await pep.admit({ envelope, tool: tool.name, definition: definitionDigest(tool), arguments: args, signal });
    if (!admission.admitted) throw new Error(JSON.stringify(modelRefusal(admission.refused)));
    let result: unknown;
    try {
      result = await tool.run(admission.arguments, signal);
    } catch (error) {
      await (signal?.aborted === true ? admission.abandon() : admission.fail(error));
      throw admission.holdsResult ? new Error("the tool failed") : error;
    }
    const completion = await admission.complete(result);
    if (!completion.released) throw new Error(JSON.stringify(modelRefusal(completion.refused)));
    return completion.result;
  };
  return { ...tool, run };
}

/** What the kit drives the adapter by. */
export const harness: Harness = {
  results: ["data"],
  cannot: {
    validation: "tools get what the model asked for",
    parsing: "a model gives arguments, not text",
    streamingTools: "a tool returns once",
    streamedRuns: "a run is waited for",
    errorValues: "a tool fails by throwing",
    handOffs: "there is one agent",
    lists: "whoever calls knows the tools",
  },
  run: async ({ pep, envelope, tools, calls, signal }) => {
    const covered = new Map(tools.map((tool) => [tool.name, protect(pep, { tool, envelope })]));
    const answer = async ({ id, name, args }: ModelCall): Promise<Shown> => {
      try {
        signal?.throwIfAborted();
        return { id, isError: false, text: JSON.stringify(await covered.get(name)?.run(args, signal)) ?? "there is no such tool" };
      } catch (error) {
        return { id, isError: true, text: error instanceof Error ? error.message : String(error) };
      }
    };
    return Promise.all(calls.map(answer)).then((shown) => ({ shown, seen: shown }));
  },
  call: async ({ pep, envelope, tools }, args) => tools.map((tool) => protect(pep, { tool, envelope }).run(args, undefined))[0],
  describe: async (pep, envelope, tool) => ({ before: { ...tool, run: 0 }, after: { ...protect(pep, { tool, envelope }), run: 0 } }),
};
