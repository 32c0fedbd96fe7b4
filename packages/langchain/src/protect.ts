import { AmbitError, type EnvelopeSource, type Pep, type Refused } from "@ambit/core";
import type { ClientTool, StructuredToolInterface } from "@langchain/core/tools";
import { createMiddleware, type AgentMiddleware, type AnyAgentMiddleware } from "langchain";
import type { Interrupt } from "./approval-pause.ts";
import { covered as marked } from "./covered.ts";
import { enforceTool } from "./enforce-tool.ts";
import { handOffTool, type HandOff, type HandOffs } from "./hand-off.ts";
import { isGraphBubbleUp, toDenial, toFailure } from "./to-outcome.ts";

export interface ProtectOptions<
  TOOLS extends readonly ClientTool[],
  MIDDLEWARE extends readonly AnyAgentMiddleware[],
  INPUTS extends Readonly<Record<string, unknown>>,
> {
  /** Tools that run in this process. */
  readonly tools: TOOLS;
  /** The application's own middleware; it runs around ours, and the tools that it brings along are protected, too. */
  readonly middleware?: MIDDLEWARE;
  /** Further tools, each of which hands off to another agent. */
  readonly handOffs?: HandOffs<INPUTS>;
  /** The task to act under, or a function that is asked at every call; `undefined` is a deny. */
  readonly envelope: EnvelopeSource;
  /**
   * `interrupt` of `@langchain/langgraph`: a call that needs an approval then pauses the graph, which has to have a checkpointer.
   *
   * @defaultValue the model is told that the call needs an approval, and the run goes on
   */
  readonly interrupt?: Interrupt;
}

/** To spread into `createAgent`. A `ToolNode`, or an agent without middleware, takes the tools alone. */
export interface Protected<TOOLS extends readonly ClientTool[], MIDDLEWARE extends readonly AnyAgentMiddleware[]> {
  readonly tools: [...TOOLS, ...StructuredToolInterface[]];
  readonly middleware: readonly [...MIDDLEWARE, AgentMiddleware<undefined, undefined, unknown, readonly []>];
}

/**
 * Tools that ask before they run, and a middleware that lets no other tool run. Each tool inherits everything from the one given, except its body.
 *
 * Refuses (`option_invalid`) a tool that cannot be enforced, instead of passing it through, and two tools of one name.
 */
export function protect<
  const TOOLS extends readonly ClientTool[],
  const MIDDLEWARE extends readonly AnyAgentMiddleware[] = readonly [],
  INPUTS extends Readonly<Record<string, unknown>> = Record<never, never>,
>(pep: Pep, options: ProtectOptions<TOOLS, MIDDLEWARE, INPUTS>): Protected<TOOLS, MIDDLEWARE> {
  const { tools, middleware = [], handOffs = {}, envelope, interrupt } = options;
  // INVARIANT I3: by identity, because a name can be borrowed.
  const covered = new Set<unknown>();
  const names = new Set<string>();
  const keep = <T extends ClientTool>(tool: T): T => {
    if (names.has(tool.name)) throw new AmbitError("option_invalid", `there are two tools \`${tool.name}\``);
    names.add(tool.name);
    covered.add(tool);
    return tool;
  };
  const cover = (tool: ClientTool): ClientTool => keep(enforceTool(pep, envelope, tool, interrupt));

  const ours = tools.map(cover);
  const handingOff = Object.entries<HandOff<never>>(handOffs).map(([name, handOff]) => keep(handOffTool(pep, envelope, name, handOff)));
  const theirs = middleware.map((each) =>
    each.tools === undefined ? each : Object.create(each, { tools: { value: each.tools.map((tool) => cover(tool as ClientTool)) } }),
  );
  const isAlone = !middleware.some(({ wrapToolCall }) => wrapToolCall !== undefined);
  return { tools: [...ours, ...handingOff], middleware: [...theirs, gate(covered, isAlone)] } as unknown as Protected<TOOLS, MIDDLEWARE>;
}

const NOT_COVERED: Refused = {
  kind: "deny",
  decisionId: "undecided",
  refusal: { code: "tool_not_allowed", message: "this tool is not among those that the agent was given", retryable: false },
};

/** Innermost, so that nothing comes between it and the tool. What it lets through is decided in the body of the tool. */
function gate(covered: ReadonlySet<unknown>, isAlone: boolean): AgentMiddleware<undefined, undefined, unknown, readonly []> {
  const middleware = createMiddleware({
    name: "ambit",
    // What the provider executes never comes by here, so the model is not offered it.
    wrapModelCall: (request, handler) => handler({ ...request, tools: request.tools.filter((tool) => covered.has(tool)) }),
    wrapToolCall: async (request, handler) => {
      const { tool, toolCall } = request;
      // Which of the two names the tool that runs depends on the version of LangChain.
      if (!covered.has(tool) || tool?.name !== toolCall.name) return toDenial(NOT_COVERED, toolCall.name, toolCall.id);
      try {
        return await handler(request);
      } catch (error) {
        // LangChain shows an error to the model unless some middleware is around the tool; one that is there for our sake alone must not end the run.
        if (!isAlone || isGraphBubbleUp(error)) throw error;
        return toFailure(error, toolCall.name, toolCall.id);
      }
    },
  });
  return marked(middleware, "langchain middleware") as unknown as AgentMiddleware<undefined, undefined, unknown, readonly []>;
}
