import { delegate, type Delegate, type EnvelopeSource, type HandOffOptions, type Pep } from "@ambit/core";
import { tool as createTool, type StructuredToolInterface, type ToolRunnableConfig, type ToolSchemaBase } from "@langchain/core/tools";
import type { InteropZodType } from "@langchain/core/utils/types";
import { covered } from "./covered.ts";
import { isInterrupt, toDenial } from "./to-outcome.ts";

/** What the other agent runs with: its own envelope and enforcement point, and what the model asked for. */
export interface HandOffRun<INPUT> extends Delegate {
  readonly input: INPUT;
  readonly signal: AbortSignal | undefined;
}

/** A hand-off that the model can ask for like for a tool. */
export interface HandOff<INPUT> {
  readonly description: string;
  /** A Zod schema, or a JSON schema. */
  readonly inputSchema: InteropZodType<INPUT> | Exclude<ToolSchemaBase, InteropZodType>;
  /** What the other agent gets; a part of what this one has, or the hand-off is refused. */
  readonly to: HandOffOptions | ((input: INPUT) => HandOffOptions);
  /** Runs the other agent. Its envelope ends when this returns or throws; an interrupt lets it live on, and the resumed run gets another one. */
  readonly run: (delegate: HandOffRun<INPUT>) => Promise<unknown>;
}

/** Hand-offs by the name of the tool that stands for each. */
export type HandOffs<INPUTS extends Readonly<Record<string, unknown>>> = { readonly [NAME in keyof INPUTS]: HandOff<INPUTS[NAME]> };

/** The tool of a hand-off. The hand-off itself is what is decided; a refused one looks to the model like a refused call. */
export function handOffTool<INPUT>(pep: Pep, envelope: EnvelopeSource, name: string, handOff: HandOff<INPUT>): StructuredToolInterface {
  const { description, inputSchema } = handOff;
  const run = async (validated: unknown, config: ToolRunnableConfig): Promise<unknown> => {
    const input = validated as INPUT;
    const to = typeof handOff.to === "function" ? handOff.to(input) : handOff.to;
    const outcome = await delegate(pep, envelope, to, (receiver) => handOff.run({ ...receiver, input, signal: config.signal }), isInterrupt);
    return outcome.refused === undefined ? outcome.result : toDenial(outcome.refused, name, config.toolCall?.id);
  };
  return covered(createTool(run, { name, description, schema: inputSchema as Exclude<ToolSchemaBase, InteropZodType> }), "langchain hand-off");
}
