import { AsyncLocalStorage } from "node:async_hooks";
import type { Refused } from "@ambit/core";
import { ToolRefusedError } from "./to-outcome.ts";

/** What the calls inside a running tool wait for, by what is called. */
const running = new AsyncLocalStorage<Map<string, Refused>>();

/** The same for the same tool and input: an approval is of what is called, whichever run and id it comes back with. */
function keyOf(name: string, input: unknown): string {
  try {
    return JSON.stringify([name, input]);
  } catch {
    return name; // what has no JSON form is refused before anybody could approve it
  }
}

/** Says that a call pauses the run that it belongs to. */
export function noteWaiting(name: string, input: unknown, refused: Refused): void {
  running.getStore()?.set(keyOf(name, input), refused);
}

/** Says that a call runs, so that nobody waits for it any longer. */
export function noteRunning(name: string, input: unknown): void {
  const waiting = running.getStore();
  if (waiting !== undefined && waiting.size > 0) waiting.delete(keyOf(name, input));
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
export function inside(name: string, input: unknown, run: Inside["run"] = (part) => part()): Inside {
  const waiting = new Map<string, Refused>();
  return {
    run: (part) => running.run(waiting, () => run(part)),
    throwIfWaiting: () => {
      const [refused] = waiting.values();
      if (refused === undefined) return;
      noteWaiting(name, input, refused);
      throw new ToolRefusedError(refused);
    },
  };
}
