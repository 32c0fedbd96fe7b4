import { protect } from "@ambit/ai-sdk";
import { tool, type ToolExecutionOptions } from "ai";
import { z } from "zod";
import type { CreateFramework } from "../framework.ts";
import { ARGS, NOTHING } from "../world.ts";

type Executable = (input: typeof ARGS, options: ToolExecutionOptions<never>) => Promise<unknown>;

/** `execute` of a tool, which is all that the SDK does between two turns of a model. */
export const aiSdk: CreateFramework = async (pep, envelope) => {
  const inputSchema = z.object({ contract_id: z.string(), limit: z.number().int().min(1).optional() });
  const contracts_read = tool({ description: "Reads a contract", inputSchema, execute: async () => NOTHING });
  const { tools } = protect(pep, { tools: { contracts_read }, envelope });
  let calls = 0;
  const run = (execute: unknown): Promise<unknown> =>
    (execute as Executable)(ARGS, { toolCallId: `call_${(calls += 1)}`, messages: [] } as unknown as ToolExecutionOptions<never>);
  return {
    name: "ai-sdk",
    bare: () => run(contracts_read.execute),
    guarded: () => run(tools.contracts_read.execute),
    close: async () => undefined,
  };
};
