import { own, type Pep, type ToolCall } from "@ambit/core";
import type { ToolRunnableConfig } from "@langchain/core/tools";

const TYPE = "ambit_approval";

/** What the graph pauses with while a call waits for an approval. It is answered at the decision point; resume the graph with this very value. */
export interface ApprovalPause {
  readonly type: typeof TYPE;
  readonly decisionId: string;
  readonly tool: string;
  readonly callId: string | undefined;
  /** The request at the decision point, and until when it can be answered, in milliseconds since the epoch. */
  readonly approval: { readonly id: string; readonly expiresAt: number } | undefined;
}

/** `interrupt` of LangGraph: throws until the graph is resumed. */
export type Interrupt = (pause: ApprovalPause) => unknown;

type Admitted = Awaited<ReturnType<Pep["admit"]>>;

/**
 * Asks, pauses the graph while the call waits for an approval, and asks again once it is resumed. What the graph is resumed with approves nothing: the state of a graph can
 * be edited, and LangGraph matches resumed values by their order alone.
 */
export async function admitApproved(pep: Pep, call: ToolCall, interrupt: Interrupt, config: ToolRunnableConfig | undefined): Promise<Admitted> {
  const admission = await pep.admit(call);
  if (admission.admitted) {
    // What the pause before was resumed with is not an answer to the tool's own interrupts.
    if (isPause(nextResumed(config))) interrupt(pauseOf(admission.decisionId, call));
    return admission;
  }
  const { kind, decisionId, refusal } = admission.refused;
  if (kind !== "approval_required") return admission;
  interrupt(pauseOf(decisionId, call, refusal.approval));
  return pep.admit(call);
}

function pauseOf(decisionId: string, { tool, callId }: ToolCall, approval?: ApprovalPause["approval"]): ApprovalPause {
  return { type: TYPE, decisionId, tool, callId, approval };
}

function isPause(value: unknown): boolean {
  return typeof value === "object" && value !== null && own(value as never, "type") === TYPE;
}

/** What the next `interrupt()` of this task would return, as LangGraph keeps it; `undefined` where it would pause. */
function nextResumed(config: ToolRunnableConfig | undefined): unknown {
  const kept = config?.configurable?.["__pregel_scratchpad"] as
    { readonly interruptCounter: number; readonly resume: readonly unknown[]; readonly nullResume?: unknown } | undefined;
  if (kept === undefined) return undefined;
  const next = kept.interruptCounter + 1;
  return next < kept.resume.length ? kept.resume[next] : kept.nullResume;
}
