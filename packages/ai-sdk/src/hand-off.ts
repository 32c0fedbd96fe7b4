import { delegate, type Delegate, type EnvelopeSource, type HandOffOptions, type Pep } from "@ambit/core";
import type { Tool } from "ai";
import type { Execute } from "./enforce-execute.ts";
import { toOutcome } from "./to-outcome.ts";
import { inside, noteRunning } from "./waiting.ts";

/** What the other agent runs with: its own envelope and enforcement point, and what the model asked for. */
export interface HandOffRun<INPUT> extends Delegate {
  readonly input: INPUT;
  readonly signal: AbortSignal | undefined;
}

/** A hand-off that the model can ask for like for a tool. */
export interface HandOff<INPUT> {
  readonly description: string;
  readonly inputSchema: Tool<INPUT, unknown>["inputSchema"];
  /** What the other agent gets; a part of what this one has, or the hand-off is refused. */
  readonly to: HandOffOptions | ((input: INPUT) => HandOffOptions);
  /** Runs the other agent. Its envelope ends when this returns. */
  readonly run: (delegate: HandOffRun<INPUT>) => Promise<unknown>;
}

/** Hand-offs by the name of the tool that stands for each. */
export type HandOffs<INPUTS extends Readonly<Record<string, unknown>>> = { readonly [NAME in keyof INPUTS]: HandOff<INPUTS[NAME]> };

/** The `execute` of a hand-off. The hand-off itself is what is decided; a refused one looks to the model like a refused call. */
export function handOffExecute<INPUT>(pep: Pep, envelope: EnvelopeSource, handOff: HandOff<INPUT>): Execute {
  return async (validated, options) => {
    const input = validated as INPUT;
    const signal = options?.abortSignal;
    signal?.throwIfAborted();
    const to = typeof handOff.to === "function" ? handOff.to(input) : handOff.to;
    const running = inside(to.agentId, input);
    noteRunning(to.agentId, input);
    const result = toOutcome(await delegate(pep, envelope, to, (receiver) => running.run(() => handOff.run({ ...receiver, input, signal }))));
    running.throwIfWaiting();
    return result;
  };
}
