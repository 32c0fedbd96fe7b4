import type { Pep, Receiver, Task } from "@ambit/core";
import type { TokenPresentation } from "@ambit/core/token";

type Call = Parameters<Receiver["admit"]>[1];

/** Who asks with one message, and may be asked about. */
export interface Asker {
  admit(call: Call): ReturnType<Pep["admit"]>;
  /** Which of these names at this server the envelope allows. */
  offers(names: readonly string[], server: string): Promise<ReadonlySet<string>>;
  /** Whether the envelope is ours to ask under whenever something comes up; what was shown is good for the one message that it came with. */
  readonly isStanding: boolean;
}

/** An agent that shows its envelope, and proves each call. */
export function showing(receiver: Receiver, presentation: TokenPresentation | undefined): Asker {
  return {
    admit: (call) => receiver.admit(presentation, call),
    offers: (names, server) => receiver.offers(presentation, names, server),
    isStanding: false,
  };
}

/** A client that was given an envelope when it was let in, which it never sees. */
export function letIn(pep: Pep, task: Task): Asker {
  return {
    admit: (call) => pep.admit({ ...call, envelope: task }),
    offers: (names, server) => pep.offers(task, names, server),
    isStanding: true,
  };
}
