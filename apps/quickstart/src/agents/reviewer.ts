import type { LanguageModelV4 } from "@ai-sdk/provider";
import { generateText, isStepCount, type StepResult, type ToolSet } from "ai";
import type { ReviewSubject } from "../model/review-plan.ts";

const INSTRUCTIONS = [
  "You review customer contracts for renewal risk. Read the contract, then the support summaries of the customer for every quarter that is named, in parallel",
  "and 10 at a time; have the section on term and renewal classified with classify_clauses; read the guide; file one ticket with the risks that you found.",
  "When a tool refuses, go on with what you have.",
].join(" ");

/** The delegator's words. */
export function instructionFor({ contractId, customerId, quarters, guide }: ReviewSubject): string {
  return `Review ${contractId} of ${customerId} for renewal risk and file a ticket. Support history: ${quarters.join(", ")}. The guide is ${guide}.`;
}

export interface Review {
  readonly text: string;
  /** Everything that the model was shown, as text: what it can have learnt. */
  readonly shown: string;
}

export type OnStep = (step: StepResult<ToolSet>) => void;

export interface Tooling {
  readonly tools: ToolSet;
  /** Called before a tool runs. */
  readonly onCall?: ((tool: string, input: unknown) => void) | undefined;
  /** Called after each turn of the model, when its tools have answered. */
  readonly onStep?: OnStep | undefined;
}

/** The agent of the demo, an AI SDK agent. Whether its tools are protected is up to whoever gives them. */
export async function review(model: LanguageModelV4, subject: ReviewSubject, { tools, onCall, onStep }: Tooling): Promise<Review> {
  const { text, steps } = await generateText({
    model,
    instructions: INSTRUCTIONS,
    prompt: instructionFor(subject),
    stopWhen: isStepCount(30),
    tools,
    onToolExecutionStart: ({ toolCall }) => onCall?.(toolCall.toolName, toolCall.input),
    onStepEnd: (step) => onStep?.(step as StepResult<ToolSet>),
  });
  return { text, shown: JSON.stringify(steps.map((step) => step.content)) };
}
