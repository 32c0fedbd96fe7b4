import type { PolicyAnswer } from "../engine/policy-engine.ts";

/** INVARIANT I1, I9: whether a value is an engine's answer at all. */
export function isPolicyAnswer(answer: unknown): answer is PolicyAnswer {
  if (typeof answer !== "object" || answer === null) return false;
  const { effect, policies, errors } = answer as { readonly [member: string]: unknown };
  return (effect === "permit" || effect === "deny") && Array.isArray(policies) && Array.isArray(errors);
}

/** The answer of an engine that has not answered. */
export function noAnswer(reason: string): PolicyAnswer {
  return { effect: "deny", policies: [], errors: [reason] };
}
