import type { Conversation, Script } from "./conversation.ts";
import { findInstructions, type Instruction } from "./instructions.ts";

/** What a script does when nobody talks it into something else. */
export interface Plan {
  /** One step a turn; the calls of a step are asked for in parallel. */
  readonly steps: readonly ((conversation: Conversation) => readonly Instruction[])[];
  readonly conclude: (conversation: Conversation) => string;
}

/**
 * A script that follows its plan, and before that every instruction that it has come across: in what its tools brought back, and in
 * documents that were handed to it. It believes everything and reports nothing. Without such an instruction there is only the plan.
 */
export function gullible(plan: Plan): Script {
  return (conversation) => {
    const isDone = new Set(conversation.seen.map(({ call }) => call.id));
    const orders = [...documentsIn(conversation.prompt), ...conversation.seen.map(({ text }) => text)].flatMap(findInstructions);
    const next = unique(orders).findIndex((_, index) => !isDone.has(`obeyed-${index}`));
    if (next >= 0) return { calls: [{ id: `obeyed-${next}`, ...(unique(orders)[next] as Instruction) }] };
    for (const [index, step] of plan.steps.entries()) {
      if (isDone.has(`plan-${index}-0`)) continue;
      const calls = step(conversation).map((call, part) => ({ id: `plan-${index}-${part}`, ...call }));
      if (calls.length > 0) return { calls };
    }
    return { text: plan.conclude(conversation) };
  };
}

function documentsIn(prompt: string): readonly string[] {
  return [...prompt.matchAll(/<document>([\s\S]*?)<\/document>/g)].map((match) => match[1] as string);
}

function unique(orders: readonly Instruction[]): readonly Instruction[] {
  return [...new Map(orders.map((order) => [JSON.stringify(order), order])).values()];
}
