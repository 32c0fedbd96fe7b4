// Checked by `npm run typecheck`, never run: that wrapping keeps what the SDK infers from tools.
import type { Pep, Task } from "@ambit/core";
import { generateText, streamText, tool, ToolLoopAgent, type InferToolInput, type InferToolOutput, type LanguageModel } from "ai";
import { z } from "zod";
import { protect } from "../src/index.ts";

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
const classify = {
  description: "classifies",
  inputSchema: z.object({ clause: z.string() }),
  to: { agentId: "classifier" },
  run: async () => "indemnity",
};

const covered = protect(pep, { tools: { read, search }, envelope });
holds<Same<(typeof covered)["tools"]["read"], typeof read>>();
holds<Same<InferToolInput<(typeof covered)["tools"]["read"]>, { id: string; limit: number }>>();
holds<Same<InferToolOutput<(typeof covered)["tools"]["read"]>, { title: string }>>();
holds<Same<InferToolOutput<(typeof covered)["tools"]["search"]>, { hits: string[] }>>();
// The trap: were anything of this `any`, the negatives below would not be errors, and unused expectations are.
// @ts-expect-error no tool of that name
void covered.tools.write;
// @ts-expect-error the input has an `id`
void covered.tools.read.execute({ name: "x" }, { toolCallId: "1", messages: [], context: {} });
// @ts-expect-error what comes back is read-only
covered.tools = { read, search };
// @ts-expect-error an output is no number
holds<Same<InferToolOutput<(typeof covered)["tools"]["read"]>, number>>();

const withHandOff = protect(pep, {
  tools: { read },
  handOffs: {
    classify,
    summarise: {
      description: "summarises",
      inputSchema: z.object({ ids: z.array(z.string()) }),
      to: ({ ids }) => {
        holds<Same<typeof ids, string[]>>();
        return { agentId: "writer", resourceConstraints: { contract_ids: ids } };
      },
      run: async ({ input, task, pep: theirs, signal }) => {
        holds<Same<typeof input, { ids: string[] }>>();
        holds<Same<typeof task, Task>>();
        holds<Same<typeof theirs, Pep>>();
        holds<Same<typeof signal, AbortSignal | undefined>>();
        return input.ids.join();
      },
    },
  },
  envelope: () => undefined,
});
holds<Same<InferToolInput<(typeof withHandOff)["tools"]["classify"]>, { clause: string }>>();
holds<Same<InferToolInput<(typeof withHandOff)["tools"]["summarise"]>, { ids: string[] }>>();
holds<Same<InferToolInput<(typeof withHandOff)["tools"]["read"]>, { id: string; limit: number }>>();
// @ts-expect-error no tool of that name
void withHandOff.tools.translate;

export async function spread(): Promise<void> {
  const { toolCalls } = await generateText({ model, prompt: "go", ...covered });
  for (const call of toolCalls) {
    if (call.dynamic !== true && call.toolName === "read") holds<Same<typeof call.input, { id: string; limit: number }>>();
    // @ts-expect-error no tool of that name
    if (call.dynamic !== true && call.toolName === "write") continue;
  }
  for await (const part of streamText({ model, prompt: "go", ...covered }).stream) {
    if (part.type === "tool-result" && part.dynamic !== true && part.toolName === "search") holds<Same<typeof part.output, { hits: string[] }>>();
  }
  const agent = new ToolLoopAgent({ model, ...withHandOff });
  const { steps } = await agent.generate({ prompt: "go" });
  for (const call of steps.flatMap((step) => step.toolCalls)) {
    if (call.dynamic !== true && call.toolName === "summarise") holds<Same<typeof call.input, { ids: string[] }>>();
  }
}

// @ts-expect-error an envelope must be named, if only as `undefined`
protect(pep, { tools: { read } });
// @ts-expect-error an envelope's id is no envelope
protect(pep, { tools: { read }, envelope: "env_1" });
// @ts-expect-error a hand-off says to whom
protect(pep, { tools: {}, handOffs: { classify: { ...classify, to: {} } }, envelope });
