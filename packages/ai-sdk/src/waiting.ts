import { AsyncLocalStorage } from "node:async_hooks";
import type { Refused } from "@ambit/core";
import { ToolRefusedError } from "./to-outcome.ts";

/** What the calls inside a running tool wait for, by their ids. */
const running = new AsyncLocalStorage<Map<string, Refused>>();

/** Says that a call pauses the run that it belongs to. */
export function noteWaiting(callId: string | undefined, refused: Refused): void {
  running.getStore()?.set(callId ?? "", refused);
}

/** Says that a call runs, so that nobody waits for it any longer. */
export function noteRunning(callId: string | undefined): void {
  running.getStore()?.delete(callId ?? "");
}

/** A tool while it runs. */
export interface Inside {
  /** Runs a part of the tool. */
  run<T>(part: () => T): T;
  /**
   * Throws when an agent that the tool ran has paused for an approval. The SDK ends that agent's run with an empty answer, which would pass for the result; so the
   * tool's own call is refused with what the agent waits for, and so on outwards.
   */
  throwIfWaiting(): void;
}

/** `run`: what else the parts of the tool run in. */
export function inside(callId: string | undefined, run: Inside["run"] = (part) => part()): Inside {
  const waiting = new Map<string, Refused>();
  return {
    run: (part) => running.run(waiting, () => run(part)),
    throwIfWaiting: () => {
      const [refused] = waiting.values();
      if (refused === undefined) return;
      noteWaiting(callId, refused);
      throw new ToolRefusedError(refused);
    },
  };
}
