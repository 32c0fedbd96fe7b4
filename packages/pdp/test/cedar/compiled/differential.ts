import { compilePolicies } from "../../../src/cedar/compiled/compile.ts";
import { randomOf } from "../../../../core/test/deep/random.ts";
import { answerOf, oracleOf } from "./oracle.ts";
import { policy } from "./random-policies.ts";
import { requestOf, WORLD } from "./world.ts";

/** One set of policies is asked so many questions. */
export const QUESTIONS = 25;

/** Compares the two for one random set of policies, and counts what was answered. Throws with policies and request where they differ. */
export function compare(seed: number, index: number, counts: Map<string, number>): void {
  const random = randomOf(seed, index);
  const policies = new Map(Array.from({ length: 1 + random.below(5) }, (_, number) => [`p${number}`, policy(random)]));
  const compiled = compilePolicies(policies, WORLD);
  if ("unsupported" in compiled) throw new Error(`unsupported: ${compiled.unsupported}\n${[...policies.values()].join("\n")}`);
  const [ask, oracle] = [compiled.batch(), oracleOf(policies, WORLD)];
  for (let question = 0; question < QUESTIONS; question++) {
    const request = requestOf(random);
    const [got, wanted] = [answerOf(ask, request), oracle(request)];
    if (got !== wanted) throw new Error(`compiled: ${got}\ncedar-wasm: ${wanted}\n${[...policies.values()].join("\n")}\n${JSON.stringify(request)}`);
    const kind = wanted === "refused" ? wanted : `${wanted.split(" ", 1)[0]}${wanted.endsWith("failed ") ? "" : " with failures"}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
}
