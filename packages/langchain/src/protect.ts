import type { EnvelopeSource, Pep, Refused } from "@ambit/core";
import type { StructuredToolInterface } from "@langchain/core/tools";
import { createMiddleware, type AgentMiddleware, type AnyAgentMiddleware } from "langchain";
import { coveredBy, covered as marked } from "./covered.ts";
import type { ClientTool } from "./open-tool.ts";
import { isGraphBubbleUp, toDenial, toFailure } from "./to-outcome.ts";
import { protect as protectTools, refuseDuplicates, type ToolOptions } from "./tools.ts";

export interface ProtectOptions<
  TOOLS extends readonly ClientTool[],
  MIDDLEWARE extends readonly AnyAgentMiddleware[],
  INPUTS extends Readonly<Record<string, unknown>>,
> extends ToolOptions<TOOLS, INPUTS> {
  /** The application's own middleware; it runs around ours, and the tools that it brings along are protected, too. */
  readonly middleware?: MIDDLEWARE;
}

/** To spread into `createAgent`. A `ToolNode`, or an agent without middleware, takes the tools alone. */
export interface Protected<TOOLS extends readonly ClientTool[], MIDDLEWARE extends readonly AnyAgentMiddleware[]> {
  readonly tools: [...TOOLS, ...StructuredToolInterface[]];
  readonly middleware: readonly [...MIDDLEWARE, AgentMiddleware<undefined, undefined, unknown, readonly []>];
}

/**
 * Tools that ask before they run, and a middleware that lets no other tool run and offers the model those alone that the envelope could use. Each tool inherits everything from the one given, except its body.
 *
 * Refuses (`option_invalid`) a tool that cannot be enforced, instead of passing it through, and two tools of one name.
 */
export function protect<
  const TOOLS extends readonly ClientTool[],
  const MIDDLEWARE extends readonly AnyAgentMiddleware[] = readonly [],
  INPUTS extends Readonly<Record<string, unknown>> = Record<never, never>,
>(pep: Pep, options: ProtectOptions<TOOLS, MIDDLEWARE, INPUTS>): Protected<TOOLS, MIDDLEWARE> {
  const { middleware = [], envelope, interrupt } = options;
  const ours = protectTools(pep, options).tools;
  const theirs = middleware.map((each) => {
    if (each.tools === undefined) return each;
    const { tools } = protectTools(pep, { tools: each.tools as readonly ClientTool[], envelope, ...(interrupt === undefined ? {} : { interrupt }) });
    return Object.create(each, { tools: { value: tools } }) as AnyAgentMiddleware;
  });
  const all = [...ours, ...theirs.flatMap(({ tools = [] }) => tools as readonly ClientTool[])];
  refuseDuplicates(all);
  const isAlone = !middleware.some(({ wrapToolCall }) => wrapToolCall !== undefined);
  // INVARIANT I3: by identity, because a name can be borrowed.
  return { tools: ours, middleware: [...theirs, gate(new Set<unknown>(all), offering(pep, envelope), isAlone)] } as unknown as Protected<TOOLS, MIDDLEWARE>;
}

const NOT_COVERED: Refused = {
  kind: "deny",
  decisionId: "undecided",
  refusal: { code: "tool_not_allowed", message: "this tool is not among those that the agent was given", retryable: false },
};

/** Of the tools, those that a call could be permitted of; none when that cannot be told. Hand-offs are not in the manifest, so nobody can tell it of them. */
function offering(pep: Pep, envelope: EnvelopeSource): <T>(tools: readonly T[]) => Promise<T[]> {
  return async (tools) => {
    const names = tools.map((tool) => (tool as ClientTool).name);
    const offered = await pep.offers(envelope, names).catch(() => new Set<string>());
    return tools.filter((tool, at) => coveredBy(tool) === "langchain hand-off" || offered.has(names[at] as string));
  };
}

/** Innermost, so that nothing comes between it and the tool. What it lets through is decided in the body of the tool. */
function gate(
  covered: ReadonlySet<unknown>,
  offeredOf: ReturnType<typeof offering>,
  isAlone: boolean,
): AgentMiddleware<undefined, undefined, unknown, readonly []> {
  const middleware = createMiddleware({
    name: "ambit",
    // What the provider executes never comes by here, so the model is not offered it; `tools` among the settings of a model would take the place of these.
    wrapModelCall: async ({ modelSettings: { tools: _, ...modelSettings } = {}, ...request }, handler) =>
      handler({ ...request, modelSettings, tools: await offeredOf(request.tools.filter((tool) => covered.has(tool))) }),
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
