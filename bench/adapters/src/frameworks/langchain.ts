import { protect } from "@ambit/langchain";
import { tool } from "@langchain/core/tools";
import { z } from "zod";
import type { CreateFramework } from "../framework.ts";
import { ARGS, NOTHING } from "../world.ts";

/** `invoke` of a tool with the call of a model, which is what `ToolNode` and `createAgent` do. */
export const langchain: CreateFramework = async (pep, envelope) => {
  const schema = z.object({ contract_id: z.string(), limit: z.number().int().min(1).optional() });
  const bare = tool(async () => NOTHING, { name: "contracts_read", description: "Reads a contract", schema });
  const [guarded] = protect(pep, { tools: [bare], envelope }).tools;
  let calls = 0;
  const call = () => ({ type: "tool_call", id: `call_${(calls += 1)}`, name: "contracts_read", args: ARGS }) as const;
  return {
    name: "langchain",
    bare: () => bare.invoke(call()),
    guarded: async () => {
      const message: unknown = await guarded.invoke(call());
      if ((message as { readonly status?: unknown }).status === "error") throw new Error("the call was refused");
    },
    close: async () => undefined,
  };
};
