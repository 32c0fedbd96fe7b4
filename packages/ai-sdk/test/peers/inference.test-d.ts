// Compiled against the types of each version of the SDK, by peer-types.test.ts; never run. `ai` is the version that the tsconfig of the run says.
import type { Pep, Task } from "@ambit/core";
import { dynamicTool, generateText, jsonSchema, streamText, tool, type InferToolInput, type InferToolOutput, type LanguageModel, type Tool } from "ai";
import { z } from "zod";
import { protect } from "../../src/index.ts";

declare const pep: Pep;
declare const envelope: Task;
declare const model: LanguageModel;

/** True only for the very same type: `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(): T | undefined => undefined;

const read = tool({ inputSchema: z.object({ id: z.string(), limit: z.number().default(10) }), execute: async ({ id }) => ({ title: id }) });
const search = tool({
  inputSchema: z.object({ query: z.string() }),
  async *execute({ query }) {
    yield { hits: [query] };
  },
});
const remote = dynamicTool({ inputSchema: jsonSchema({ type: "object" }), execute: async () => "found" });
const ask = tool({ inputSchema: z.object({ question: z.string() }), outputSchema: z.string() });
const summarise = {
  description: "summarises",
  inputSchema: z.object({ ids: z.array(z.string()) }),
  to: ({ ids }: { readonly ids: string[] }) => ({ agentId: "writer", resourceConstraints: { contract_ids: ids } }),
  run: async ({ input }: { readonly input: { readonly ids: string[] } }) => input.ids.join(),
};

const covered = protect(pep, { tools: { read, search, remote, ask }, handOffs: { summarise }, envelope, undecided: ["ask"] });
type Covered = (typeof covered)["tools"];
holds<Same<Covered["read"], typeof read>>();
holds<Same<Covered["remote"], typeof remote>>();
holds<Same<InferToolInput<Covered["read"]>, { id: string; limit: number }>>();
holds<Same<InferToolOutput<Covered["read"]>, { title: string }>>();
holds<Same<InferToolOutput<Covered["search"]>, { hits: string[] }>>();
holds<Same<InferToolInput<Covered["ask"]>, { question: string }>>();
const asTool: Tool<{ ids: string[] }, unknown> = covered.tools.summarise;
void asTool;
// @ts-expect-error no tool of that name
void covered.tools.write;
// @ts-expect-error an output is no number
holds<Same<InferToolOutput<Covered["read"]>, number>>();
// @ts-expect-error no tool of that name to leave undecided
protect(pep, { tools: { read }, envelope, undecided: ["write"] });
// @ts-expect-error an envelope must be named, if only as `undefined`
protect(pep, { tools: { read } });

export async function spread(): Promise<void> {
  const { toolCalls } = await generateText({ model, prompt: "go", ...covered });
  for (const call of toolCalls) {
    if (call.dynamic !== true && call.toolName === "read") holds<Same<typeof call.input, { id: string; limit: number }>>();
    // @ts-expect-error no tool of that name
    if (call.dynamic !== true && call.toolName === "write") continue;
  }
  for await (const part of streamText({ model, prompt: "go", ...covered }).fullStream) {
    if (part.type === "tool-result" && part.dynamic !== true && part.toolName === "search") holds<Same<typeof part.output, { hits: string[] }>>();
  }
}
