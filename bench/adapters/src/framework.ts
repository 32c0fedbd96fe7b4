import type { Pep, Task } from "@ambit/core";

/** One framework, with one tool that does nothing. */
export interface Framework {
  readonly name: string;
  /** A call of the tool as the framework makes it. */
  readonly bare: () => Promise<unknown>;
  /** The same with the adapter of the framework in it. Throws when the call is refused. */
  readonly guarded: () => Promise<unknown>;
  /** Whatever has to be closed. */
  readonly close: () => Promise<void>;
}

export type CreateFramework = (pep: Pep, task: Task) => Promise<Framework>;
