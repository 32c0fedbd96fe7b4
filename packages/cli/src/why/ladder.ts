import type { Explanation, StepState } from "@ambit/core/audit";
import { paragraph, type Layout } from "../report/layout.ts";

/** What each step of the one path asks. */
const QUESTIONS: Readonly<Record<string, string>> = {
  call: "the enforcement point could ask for it",
  envelope: "the envelope is held by who asks, not expired, not revoked; the tool is known",
  constraint: "the tool is allowed, and everything is inside the constraints",
  intent: "the purpose can need it",
  policy: "the delegator and every agent of the chain may",
  approval: "who has to approve has approved",
  commit: "budgets have room, and nothing is used twice",
  log: "it was on the record before anything was released",
};

const MARKS = { passed: "✔", failed: "✘", not_reached: "·" } as const;

/** The steps as a ladder: how far it came, and where it stopped. */
export function ladder({ steps }: Explanation, layout: Layout): readonly string[] {
  if (steps.length > 0 && steps.every(({ state }) => state === "not_reached")) return paragraph("the record does not say at which step", 2, layout);
  return steps.flatMap((step) => rung(step, layout));
}

function rung({ step, state }: StepState, layout: Layout): readonly string[] {
  const { paint } = layout;
  const style = { passed: paint.good, failed: paint.bad, not_reached: paint.dim }[state];
  const question = Object.hasOwn(QUESTIONS, step) ? (QUESTIONS[step] ?? "") : "";
  const left = 16;
  const [first = "", ...rest] = paragraph(question, left, layout).map((line) => line.slice(left));
  const head = `${style(MARKS[state])} ${state === "failed" ? paint.bold(step.padEnd(11)) : step.padEnd(11)}`;
  return [`  ${head} ${state === "not_reached" ? paint.dim(first) : first}`, ...rest.map((line) => `${" ".repeat(left)}${line}`)];
}
