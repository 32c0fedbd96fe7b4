import type { Refused } from "@ambit/core";
import { pointOf } from "./coverage.ts";
import { ToolRefusedError } from "./to-outcome.ts";

/** What the SDK tells of a run; `tools` are absent where telemetry records no inputs. */
interface Run {
  readonly callId: string;
  readonly tools?: unknown;
}

/** An integration for `registerTelemetry` of ai 7. */
export interface Tripwire {
  onStart(run: Run): void;
  executeTool<T>(call: {
    readonly callId: string;
    readonly toolCall?: { readonly toolName: string } | undefined;
    readonly execute: () => PromiseLike<T>;
  }): Promise<T>;
  onEnd(run: Run): void;
  onAbort(run: Run): void;
  onError(run: unknown): void;
}

/** Runs that are remembered; the tools of an older one are refused. */
const MOST_RUNS = 10_000;

/**
 * For `registerTelemetry` of ai 7, once and before anything runs: refuses every tool that runs in the process without being protected, wherever it came from. It decides
 * nothing itself. `onRefused` is told the names of the tools that it stops.
 *
 * @remarks The SDK asks it for no run that says `telemetry: { isEnabled: false }` or brings integrations of its own, nor for tools that code mode calls; with
 * `recordInputs: false` it cannot see the tools, and refuses.
 */
export function tripwire(options: { readonly onRefused?: ((tool: string) => void) | undefined } = {}): Tripwire {
  const runs = new Map<string, unknown>();
  const forget = ({ callId }: Run): void => void runs.delete(callId);
  return {
    onStart: ({ callId, tools }) => {
      runs.set(callId, tools);
      if (runs.size > MOST_RUNS) runs.delete(runs.keys().next().value as string);
    },
    executeTool: async ({ callId, toolCall, execute }) => {
      const tools = runs.get(callId);
      const name = toolCall?.toolName;
      const tool: unknown =
        typeof tools === "object" && tools !== null && name !== undefined && Object.hasOwn(tools, name) ? Reflect.get(tools, name) : undefined;
      if (pointOf(tool) !== undefined) return execute();
      options.onRefused?.(name ?? "unknown");
      throw new ToolRefusedError(UNPROTECTED);
    },
    onEnd: forget,
    onAbort: forget,
    onError: (run) => {
      if (typeof run === "object" && run !== null && "callId" in run) forget(run as Run);
    },
  };
}

const UNPROTECTED: Refused = {
  kind: "deny",
  decisionId: "undecided",
  refusal: { code: "tool_not_allowed", message: "the tool is not protected", retryable: false },
};
