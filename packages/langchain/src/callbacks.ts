/**
 * A tripwire in LangChain's callbacks: no tool starts that no enforcement point of ours stands before.
 *
 * @module
 */
import { AmbitError, randomText } from "@ambit/core";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { registerConfigureHook, setContextVariable } from "@langchain/core/context";
import type { Serialized } from "@langchain/core/load/serializable";
import { coveredBy } from "./covered.ts";

export interface TripwireOptions {
  /**
   * Names of tools that may start although nothing decides on their calls, such as the `transfer_to_…` that a supervisor makes for itself. Compared with the name of the
   * run, which whoever calls a tool may choose: for what has no effect of its own.
   *
   * @defaultValue none
   */
  readonly except?: readonly string[];
}

/**
 * A callback handler that throws (`AmbitError`, `tool_not_allowed`) when a tool starts that `protect` has not made, before anything of it has run: one that an agent,
 * a `ToolNode`, another tool or your own code calls as it is, also where there is no middleware. It permits nothing: a tool of `protect` is decided in its body.
 */
export function tripwire({ except = [] }: TripwireOptions = {}): BaseCallbackHandler {
  return new Tripwire(new Set(except));
}

/**
 * Puts the tripwire into every run of this process and of what is called from here on, whatever `callbacks` a run is given. LangChain keeps it in an
 * `AsyncLocalStorage`: install it at the top of the first module, before a server listens, or the requests of that server do not have it.
 */
export function installTripwire(options: TripwireOptions = {}): void {
  const handler = tripwire(options);
  // LangChain takes a handler for one that is there already by its name, so nobody else must have this one.
  const contextVar = handler.name;
  setContextVariable(contextVar, handler);
  registerConfigureHook({ contextVar });
}

/** What a runnable that was made a tool calls its first step by. Such a tool starts as a chain, not as a tool. */
const PARSING = ":parse_input";

class Tripwire extends BaseCallbackHandler {
  override readonly name: string = `ambit_tripwire_${randomText()}`;
  readonly #except: ReadonlySet<string>;
  /** Runs of covered tools, by id, in which the runnable that such a tool stands for may start, once: the name of the tool. */
  readonly #covered = new Map<string, string>();
  /** Runs of such runnables. */
  readonly #runnables = new Set<string>();

  constructor(except: ReadonlySet<string>) {
    // In the constructor, or LangChain would neither wait for it nor stop at what it throws.
    super({ raiseError: true, _awaitHandler: true });
    this.#except = except;
  }

  override handleToolStart(tool: Serialized, _input: string, runId: string, _parent?: string, _tags?: string[], _metadata?: object, name?: string): void {
    if (coveredBy(tool) !== undefined) {
      if (name !== undefined) this.#covered.set(runId, name);
    } else if (name === undefined || !this.#except.has(name)) throw refusal(name);
  }

  override handleToolEnd(_output: unknown, runId: string): void {
    this.#covered.delete(runId);
  }

  override handleToolError(_error: unknown, runId: string): void {
    this.#covered.delete(runId);
  }

  override handleChainStart(
    _chain: Serialized,
    _inputs: object,
    runId: string,
    parentId = "",
    _tags?: string[],
    _metadata?: object,
    _type?: string,
    name = "",
  ): void {
    if (this.#covered.get(parentId) === name) {
      this.#covered.delete(parentId);
      this.#runnables.add(runId);
      return;
    }
    const tool = parsedBy(name);
    if (tool !== undefined && !this.#runnables.has(parentId) && !this.#except.has(tool)) throw refusal(tool);
  }

  override handleChainEnd(_outputs: unknown, runId: string): void {
    this.#runnables.delete(runId);
  }

  override handleChainError(_error: unknown, runId: string): void {
    this.#runnables.delete(runId);
  }
}

/** The tool whose runnable has a step of this name. */
function parsedBy(step: string): string | undefined {
  const at = step.length - PARSING.length;
  return step.slice(Math.max(0, at)) === PARSING ? step.slice(0, at) : undefined;
}

function refusal(name = "without a name"): AmbitError {
  return new AmbitError("tool_not_allowed", `the tool \`${name}\` was started without a decision`);
}
