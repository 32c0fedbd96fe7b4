/**
 * Ambit for the tools of `@langchain/core` alone, 0.3 or 1: nothing here needs `langchain`.
 *
 * @module
 */
import { AmbitError, type EnvelopeSource, type Pep } from "@ambit/core";
import type { StructuredToolInterface } from "@langchain/core/tools";
import type { Interrupt } from "./approval-pause.ts";
import { enforceTool } from "./enforce-tool.ts";
import { handOffTool, type HandOff, type HandOffs } from "./hand-off.ts";
import type { ClientTool } from "./open-tool.ts";

export type { ApprovalPause, Interrupt } from "./approval-pause.ts";
export { coverage } from "./coverage.ts";
export type { HandOff, HandOffRun, HandOffs } from "./hand-off.ts";
export { holdFor } from "./hold.ts";
export type { ClientTool } from "./open-tool.ts";

export interface ToolOptions<TOOLS extends readonly ClientTool[], INPUTS extends Readonly<Record<string, unknown>>> {
  /** Tools that run in this process. */
  readonly tools: TOOLS;
  /** Further tools, each of which hands off to another agent. */
  readonly handOffs?: HandOffs<INPUTS>;
  /** The task to act under, or a function that is asked at every call; `undefined` is a deny. */
  readonly envelope: EnvelopeSource;
  /**
   * `interrupt` of `@langchain/langgraph`: a call that needs an approval then pauses the graph, which has to have a checkpointer.
   *
   * @defaultValue the model is told that the call needs an approval, and the run goes on
   */
  readonly interrupt?: Interrupt;
}

/**
 * Tools that ask before they run. Each inherits everything from the one given, except its body.
 *
 * Refuses (`option_invalid`) a tool that cannot be enforced, instead of passing it through, and two tools of one name.
 */
export function protect<const TOOLS extends readonly ClientTool[], INPUTS extends Readonly<Record<string, unknown>> = Record<never, never>>(
  pep: Pep,
  options: ToolOptions<TOOLS, INPUTS>,
): { readonly tools: [...TOOLS, ...StructuredToolInterface[]] } {
  const { tools, handOffs = {}, envelope, interrupt } = options;
  const ours = tools.map((tool) => enforceTool(pep, envelope, tool, interrupt));
  const handingOff = Object.entries<HandOff<never>>(handOffs).map(([name, handOff]) => handOffTool(pep, envelope, name, handOff));
  const all = [...ours, ...handingOff];
  refuseDuplicates(all);
  return { tools: all as unknown as [...TOOLS, ...StructuredToolInterface[]] };
}

/** Refuses (`option_invalid`) two tools of one name: which of them a model means could not be told. */
export function refuseDuplicates(tools: readonly { readonly name: string }[]): void {
  const names = new Set<string>();
  for (const { name } of tools) {
    if (names.has(name)) throw new AmbitError("option_invalid", `there are two tools \`${name}\``);
    names.add(name);
  }
}
