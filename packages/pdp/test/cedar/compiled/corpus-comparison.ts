import { compilePolicies } from "../../../src/cedar/compiled/compile.ts";
import type { CedarRequest } from "../../../src/cedar/compiled/evaluator.ts";
import { corpusCases } from "./corpus.ts";
import { answerOf, shown } from "./oracle.ts";

export interface Comparison {
  readonly cases: number;
  readonly requests: number;
  /** The first few. */
  readonly different: readonly string[];
  /** How many cases could not be compiled, by reason. */
  readonly fallBacks: ReadonlyMap<string, number>;
}

/** Every `step`th case of the corpus: decision, determining and erroring policies against those that Cedar's authors have recorded. */
export function compareCorpus(step: number): Comparison {
  const different: string[] = [];
  const fallBacks = new Map<string, number>();
  let [cases, requests] = [0, 0];
  for (const { name, policies, schema, entities, requests: asked } of corpusCases(step)) {
    cases++;
    const compiled = compilePolicies(policies, schema);
    if ("unsupported" in compiled) {
      fallBacks.set(compiled.unsupported, (fallBacks.get(compiled.unsupported) ?? 0) + 1);
      continue;
    }
    const ask = compiled.batch();
    asked.forEach(({ principal, action, resource, context, decision, reason, errors }, index) => {
      requests++;
      const request: CedarRequest = { principal, action, resource, context, entities };
      const [got, wanted] = [answerOf(ask, request), shown(decision, reason, errors)];
      if (got !== wanted && different.length < 10) different.push(`${name} ${index}: ${got}; recorded: ${wanted}`);
    });
  }
  return { cases, requests, different, fallBacks };
}
