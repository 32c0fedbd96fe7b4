import { AmbitError } from "@ambit/core";
import type { CallbackManagerForToolRun } from "@langchain/core/callbacks/manager";
import type { RunnableToolLike } from "@langchain/core/runnables";
import { DynamicStructuredTool, DynamicTool, isRunnableToolLike, StructuredTool, Tool, tool as createTool } from "@langchain/core/tools";
import type { StructuredToolInterface, ToolRunnableConfig } from "@langchain/core/tools";

/** A tool that runs in this process. `@langchain/core` 0.3 has no name for it. */
export type ClientTool = StructuredToolInterface | DynamicTool | RunnableToolLike;

/** The body of a tool, behind LangChain's validation. Every door of a tool (`invoke`, `call`, `stream`, `batch`, …) ends here. */
export type Body = (input: unknown, manager?: CallbackManagerForToolRun, config?: ToolRunnableConfig) => Promise<unknown>;

/** A tool of which the body can be reached. */
export type OpenTool = ClientTool & { readonly _call: Body; readonly func?: unknown; readonly lc_kwargs?: object; readonly responseFormat?: unknown };

const CALLS: readonly unknown[] = [StructuredTool, Tool, DynamicTool, DynamicStructuredTool].map(({ prototype }) => prototype.call);

/**
 * Refuses (`option_invalid`) what cannot be enforced: a tool that the provider executes, one without a body, one whose `invoke` or `call` is not LangChain's
 * own and so need not come to the body.
 */
export function openTool(tool: ClientTool): OpenTool {
  const name: unknown = (tool as Partial<ClientTool> | null | undefined)?.name;
  const refuse = (reason: string): never => {
    throw new AmbitError("option_invalid", `tool \`${typeof name === "string" ? name : ""}\` cannot be enforced: ${reason}`);
  };
  if (typeof name !== "string" || name === "") return refuse("it has no name");
  if (isRunnableToolLike(tool)) return openRunnable(tool);
  const { _call: body, invoke, call } = tool as unknown as Readonly<Record<string, unknown>>;
  if (typeof body !== "function" || ("func" in tool && typeof tool.func !== "function")) return refuse("it has no function here, so it runs elsewhere");
  // INVARIANT I3: an `invoke` that does not come to the body would be a way round.
  if (invoke !== StructuredTool.prototype.invoke || !CALLS.includes(call))
    return refuse("its `invoke` or `call` is its own, or of another copy of @langchain/core");
  return tool as unknown as OpenTool;
}

/** A runnable as a tool has no body to stand before, so it becomes the body of a tool. */
function openRunnable(runnable: RunnableToolLike): OpenTool {
  const { name, description, schema } = runnable;
  const run = async (input: unknown, config: ToolRunnableConfig): Promise<unknown> => {
    // The runnable would take this for a whole call and run its `args`, which nobody has decided (I4).
    if (typeof input === "object" && input !== null && "type" in input && input.type === "tool_call") {
      throw new AmbitError("argument_not_allowed", "`type` cannot be `tool_call`");
    }
    return (await runnable.invoke(input, config)) as unknown;
  };
  return createTool(run, { name, schema: schema as never, ...(description === undefined ? {} : { description }) }) as unknown as OpenTool;
}
