import type { EnvelopeSource, Pep, Refused } from "@ambit/core";
import { covered } from "./covered.ts";
import { openTool, type Body, type ClientTool } from "./open-tool.ts";
import { admitApproved, type Interrupt } from "./approval-pause.ts";
import { decidedConfig, toCall, toInput } from "./to-call.ts";
import { isGraphBubbleUp, isInterrupt, partOf, toDenial } from "./to-outcome.ts";

/** The tool with its body behind the enforcement point: everything else of it is inherited, and wherever it is passed on to, the check goes along. */
export function enforceTool<T extends ClientTool>(pep: Pep, envelope: EnvelopeSource, tool: T, interrupt?: Interrupt): T {
  const raw = openTool(tool);
  const body: Body = async (input, manager, config) => {
    const isPair = raw.responseFormat === "content_and_artifact";
    const refuse = (refused: Refused): unknown => {
      const denial = toDenial(refused, raw.name, config?.toolCall?.id);
      return isPair ? [denial, undefined] : denial;
    };

    const call = toCall(envelope, raw, input, config);
    const admission = await (interrupt === undefined ? pep.admit(call) : admitApproved(pep, call, interrupt, config));
    if (!admission.admitted) return refuse(admission.refused);

    let result: unknown;
    try {
      // INVARIANT I4: the body gets the copy that was decided, never the input it was called with.
      result = await admission.run(async () => {
        const output = await raw._call(toInput(input, admission.arguments), manager, decidedConfig(config, admission.arguments));
        // While anything has to be checked in the result, what a tool reports on the way to it is not shown either.
        return isGenerator(output) ? lastOf(output, admission.holdsResult ? undefined : manager) : output;
      });
    } catch (error) {
      // A tool that pauses is started anew when the graph is resumed. One that was left otherwise has neither failed nor ended: it may have taken effect.
      const isAborted = config?.signal?.aborted === true;
      const isOpen = isGraphBubbleUp(error) || isAborted;
      if (isInterrupt(error)) await admission.pause();
      else await (isOpen ? admission.abandon() : admission.fail(error));
      // The text of an error and the update of a command cannot be checked, and would show what must be held back in a result. What it was aborted with is not the tool's.
      const isShown = isInterrupt(error) || (isAborted && error === config.signal?.reason);
      throw admission.holdsResult && !isShown ? new Error("the tool failed; what it says of that is withheld, because it cannot be checked") : error;
    }
    const part = partOf(result, isPair);
    const completion = await admission.complete(part.data);
    if (!completion.released) return refuse(completion.refused);
    return admission.holdsResult ? part.replace(completion.result) : result;
  };
  // LangChain keeps what a tool was made of, its function too.
  const func = raw.func === undefined ? {} : { func: { value: body }, lc_kwargs: { value: { ...raw.lc_kwargs, func: body } } };
  return covered(Object.create(raw, { _call: { value: body }, ...func }) as T, "langchain tool");
}

type Outputs = AsyncGenerator<unknown, unknown, undefined>;

function isGenerator(output: unknown): output is Outputs {
  return typeof output === "object" && output !== null && "next" in output && typeof output.next === "function";
}

/** The result of a tool that reports its progress, which goes to the application's callbacks as it does without us. */
async function lastOf(outputs: Outputs, manager: Parameters<Body>[1]): Promise<unknown> {
  for (;;) {
    const { done, value } = await outputs.next();
    if (done === true) return value;
    await manager?.handleToolEvent?.(value); // not in `@langchain/core` 0.3
  }
}
