import { AmbitError, digestOf } from "@ambit/core";
import type { Evaluation, PolicyAnswer, PolicyEngine } from "../engine/policy-engine.ts";
import { isPolicyAnswer, noAnswer } from "./policy-answer.ts";

/**
 * Several engines as one, by deny-overrides: what one of them does not permit is denied, and an error of one is an error of the whole. One that has no policies has
 * permitted nothing, so the whole is empty with it. Refuses (`option_invalid`) an empty list.
 */
export function allOf(engines: readonly PolicyEngine[]): PolicyEngine {
  if (engines.length === 0) throw new AmbitError("option_invalid", "`engines` must name at least one");
  const all = [...engines];
  return Object.freeze<PolicyEngine>({
    get isEmpty() {
      return all.some(({ isEmpty }) => isEmpty);
    },
    get digest() {
      return digestOf({ all_of: all.map(({ digest }) => digest) });
    },
    evaluate: async (evaluations) => {
      const answered = await Promise.all(all.map((engine) => askOne(engine, evaluations)));
      return evaluations.map((_, index) => together(answered.map((answers) => answers[index] ?? noAnswer("an engine left a question out"))));
    },
  });
}

/** INVARIANT I8: an engine that fails has denied everything. */
async function askOne(engine: PolicyEngine, evaluations: readonly Evaluation[]): Promise<readonly PolicyAnswer[]> {
  const failed = (): readonly PolicyAnswer[] => evaluations.map(() => noAnswer("an engine did not answer"));
  try {
    const answers: unknown = await engine.evaluate(evaluations);
    return Array.isArray(answers) && answers.length === evaluations.length && answers.every(isPolicyAnswer) ? answers : failed();
  } catch {
    return failed();
  }
}

function together(answers: readonly PolicyAnswer[]): PolicyAnswer {
  return {
    effect: answers.every(({ effect }) => effect === "permit") ? "permit" : "deny",
    policies: answers.flatMap(({ policies }) => policies),
    errors: answers.flatMap(({ errors }) => errors),
  };
}
