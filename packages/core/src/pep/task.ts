import type { Envelope } from "../envelope/envelope.ts";
import { AmbitError, type ConfigCode, type RefusalCode } from "../errors.ts";
import type { Refusal } from "../pdp/decision.ts";
import type { Excerpt, Issued } from "../pdp/pdp.ts";
import type { Holding } from "../pdp/presentation.ts";
import { askWithin, refusal } from "./ask.ts";

/** The envelope to act under; a function is asked at every call, `undefined` is a deny. */
export type EnvelopeSource = Task | undefined | (() => Task | undefined | Promise<Task | undefined>);

/**
 * An envelope in the hands of its holder: what `begin` and `handOff` return and every `protect` takes. Holds no secret that a log, a
 * span or `JSON.stringify` could show.
 */
export interface Task extends AsyncDisposable {
  readonly envelopeId: string;
  /** The decision that gave it out. */
  readonly decisionId: string;
  readonly lineage: string;
  readonly depth: number;
  readonly envelope: Envelope;
  /** What came along with a hand-off. */
  readonly data: readonly Excerpt[];
  /** Revokes the envelope and everything derived from it, now, whoever holds the task. May be called again. */
  end(): Promise<void>;
  /**
   * Keeps the task alive when its scope is disposed, for a run that goes on after that, such as a stream that was returned. Whoever holds it calls the returned function
   * when the run is over; the last one ends the task, at latest the envelope expires. `name`: of a run that is left and taken up again, such as a thread that paused. Who
   * holds under a name takes the place of whoever held under it before.
   */
  hold(name?: string): () => Promise<void>;
  toJSON(): { readonly task: string; readonly envelope: string };
}

// A symbol of the registry, so that two copies of this package in one process understand each other's tasks.
const HOLDING = Symbol.for("ambit.holding");

export function createTask(
  issued: Omit<Issued, "holding"> & { readonly holding: Holding | undefined },
  decisionId: string,
  data: readonly Excerpt[],
  end: () => Promise<void>,
): Task {
  const holders = new Map<unknown, object>();
  let isDisposed = false;
  const endUnheld = async (): Promise<void> => {
    if (isDisposed && holders.size === 0) await end();
  };
  const task: Task = {
    envelopeId: issued.envelopeId,
    decisionId,
    lineage: issued.lineage,
    depth: issued.depth,
    envelope: issued.envelope,
    data,
    end,
    hold: (name) => {
      const holder = {};
      const key = name ?? holder;
      holders.set(key, holder);
      return async () => {
        if (holders.get(key) === holder) holders.delete(key);
        await endUnheld();
      };
    },
    [Symbol.asyncDispose]: async () => {
      isDisposed = true;
      await endUnheld();
    },
    toJSON: () => ({ task: issued.envelope.taskId, envelope: issued.envelopeId }),
  };
  // INVARIANT I10: not enumerable, so it is copied and serialised nowhere; a function, so that a print of hidden properties (`%o`) shows nothing.
  const { holding } = issued;
  Object.defineProperty(task, HOLDING, { value: () => holding });
  return Object.freeze(task);
}

/** What a task holds; `undefined` for anything that is not a task. */
export function holdingOf(task: unknown): Holding | undefined {
  if (typeof task !== "object" || task === null || !Object.hasOwn(task, HOLDING)) return undefined;
  const show = (task as { [HOLDING]?: unknown })[HOLDING];
  return typeof show === "function" ? (show as () => Holding | undefined)() : undefined;
}

/**
 * The signed chain of a task, to be given to the agent that holds it. It is no secret, and without the holder's key it is worth nothing; still, whoever reads it
 * knows who does what for whom. `undefined` for a task behind a handle.
 */
export function chainOf(task: unknown): readonly string[] | undefined {
  const holding = holdingOf(task);
  return holding?.kind === "chain" ? holding.chain : undefined;
}

/** The task that a source stands for now. A source that throws has none, and that is a deny; a refusal that it met with (`AmbitError`) is thrown on. */
export async function resolveEnvelope(source: EnvelopeSource): Promise<Task | undefined> {
  try {
    return typeof source === "function" ? await source() : source;
  } catch (error) {
    if (AmbitError.isInstance(error) && !CONFIG_CODES.has(error.code)) throw error;
    return undefined;
  }
}

/** The task that a source stands for now, or why there is none to be had. */
export async function findTask(
  deadline: number,
  signal: AbortSignal | undefined,
  source: EnvelopeSource,
): Promise<{ readonly answer: Task | undefined } | { readonly refusal: Refusal; readonly decisionId?: string | undefined }> {
  return askWithin(deadline, signal, async () => {
    try {
      return { answer: await resolveEnvelope(source) };
    } catch (error) {
      const { code, summary, decisionId } = error as AmbitError;
      return { refusal: refusal(code as RefusalCode, summary), decisionId };
    }
  }).then((found) => ("refusal" in found ? found : found.answer));
}

const CONFIG_CODES: ReadonlySet<string> = new Set<ConfigCode>(["config_invalid", "manifest_invalid", "policy_invalid", "option_invalid", "log_corrupt"]);
