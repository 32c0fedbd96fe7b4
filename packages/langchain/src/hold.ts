import { randomText, type Task } from "@ambit/core";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import type { Callbacks } from "@langchain/core/callbacks/manager";
import type { Serialized } from "@langchain/core/load/serializable";
import { isInterrupt } from "./to-outcome.ts";

/** What of the configuration of a run matters here. */
interface RunConfig {
  readonly callbacks?: Callbacks | undefined;
  readonly configurable?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Keeps a task alive for a run of a graph or an agent, although the scope of the task is left while the run goes on (a stream that is returned) or waits for somebody (an
 * interrupt): until a run of the same thread has ended without a pause, and at latest until the envelope expires. What comes back is to be used instead of the `config` that
 * went in: `agent.stream(input, holdFor(task, thread))`, and for the run that resumes it as well.
 *
 * @remarks A stream that is not read to its end, and a pause that nobody resumes, hold the task until the envelope expires; `task.end()` ends it at once.
 */
export function holdFor<CONFIG extends object>(task: Task, config: CONFIG): CONFIG & { readonly callbacks: Callbacks } {
  const { callbacks = [], configurable } = config as RunConfig;
  const thread = configurable?.["thread_id"];
  const holding = (parent?: string): Holding => new Holding(task, typeof thread === "string" ? `langgraph ${thread}` : undefined, parent);
  if (Array.isArray(callbacks)) return { ...config, callbacks: [...callbacks, holding()] };
  const copy = callbacks.copy();
  copy.addHandler(holding(copy.getParentRunId()), true);
  return { ...config, callbacks: copy };
}

/** LangGraph tells those of its pauses that have this member; versions before 1.7 tell nobody. */
const HEARS_PAUSES: unique symbol = Symbol.for("langgraph.graph_callback_handler") as never;

class Holding extends BaseCallbackHandler {
  // LangChain takes a handler for one that is there already by its name.
  override readonly name: string = `ambit_hold_${randomText()}`;
  readonly [HEARS_PAUSES] = true;
  readonly #task: Task;
  /** What the thread is held under while it is paused. */
  readonly #paused: string | undefined;
  /** What runs around the run. */
  readonly #parent: string | undefined;
  /** Because the scope may be left before the run begins, which takes it over then. */
  #release: (() => Promise<void>) | undefined;
  readonly #runs = new Map<string, () => Promise<void>>();
  #isPaused = false;

  constructor(task: Task, paused: string | undefined, parent: string | undefined) {
    // Whoever waits for the run finds the task as the run leaves it.
    super({ _awaitHandler: true });
    this.#task = task;
    this.#paused = paused;
    this.#parent = parent;
    this.#release = task.hold();
  }

  override handleChainStart(_chain: Serialized, _inputs: object, runId: string, parentId?: string): void {
    if (parentId !== this.#parent) return;
    this.#runs.set(runId, this.#release ?? this.#task.hold());
    this.#release = undefined;
    this.#isPaused = false;
  }

  /** Of a pause before or after a node, nothing else is heard. */
  handleInterrupt(): void {
    this.#isPaused = true;
  }

  override async handleChainError(error: unknown, runId: string): Promise<void> {
    if (isInterrupt(error)) this.#isPaused = true;
    await this.#end(runId);
  }

  override async handleChainEnd(_outputs: unknown, runId: string): Promise<void> {
    await this.#end(runId);
  }

  async #end(runId: string): Promise<void> {
    const release = this.#runs.get(runId);
    if (release === undefined) return;
    this.#runs.delete(runId);
    try {
      const resumed = this.#paused === undefined ? undefined : this.#task.hold(this.#paused);
      if (!this.#isPaused) await resumed?.();
      await release();
    } catch {
      // The envelope expires all the same, and a run that is over is not made to fail by that.
    }
  }
}
