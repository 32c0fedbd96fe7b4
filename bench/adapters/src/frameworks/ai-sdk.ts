import { protect } from "@ambit/ai-sdk";
import { tool, type ToolExecutionOptions } from "ai";
import { z } from "zod";
import type { CreateFramework } from "../framework.ts";
import { ARGS, NOTHING } from "../world.ts";

type Member = (input: typeof ARGS, options: ToolExecutionOptions<never>) => Promise<unknown>;

/** `needsApproval` and `execute` of a tool, which is all that the SDK does between two turns of a model. */
export const aiSdk: CreateFramework = async (pep, envelope) => {
  const inputSchema = z.object({ contract_id: z.string(), limit: z.number().int().min(1).optional() });
  const contracts_read = tool({ description: "Reads a contract", inputSchema, execute: async () => NOTHING });
  const { tools } = protect(pep, { tools: { contracts_read }, envelope });
  let calls = 0;
  const run = async ({ needsApproval, execute }: { readonly needsApproval?: unknown; readonly execute?: unknown }): Promise<unknown> => {
    const options = { toolCallId: `call_${(calls += 1)}`, messages: [] } as unknown as ToolExecutionOptions<never>;
    if (needsApproval !== undefined && (await (needsApproval as Member)(ARGS, options)) === true) throw new Error("the call waits for an approval");
    return (execute as Member)(ARGS, options);
  };
  return {
    name: "ai-sdk",
    bare: () => run(contracts_read),
    guarded: () => run(tools.contracts_read),
    close: async () => undefined,
  };
};
