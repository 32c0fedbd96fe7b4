import { createRequire } from "node:module";
import type * as CedarModule from "@cedar-policy/cedar-wasm/nodejs";
import type { CedarEvaluator, CedarRequest } from "../../../src/cedar/compiled/evaluator.ts";

const refusal = "refused";

/** An answer as text, to be compared: `refused`, or the decision with who decided and who failed, in order. */
export const shown = (decision: string, determining: readonly string[], erroring: readonly string[]): string =>
  `${decision} by ${[...determining].sort().join(",")}, failed ${[...erroring].sort().join(",")}`;

type Cedar = typeof CedarModule;

const require = createRequire(import.meta.url);
const MODULE = require.resolve("@cedar-policy/cedar-wasm/nodejs");

/** An instance of its own. */
function instance(): Cedar {
  delete require.cache[MODULE];
  return require(MODULE) as Cedar;
}

let cedar = instance();
let thrown = 0;

/**
 * What cedar-wasm answers. The same names each time, because it never forgets one; and another instance now and then, because one is gone for good after some 1500
 * requests that it throws at.
 */
export function oracleOf(policies: ReadonlyMap<string, string>, schema: CedarModule.SchemaJson<string>): (request: CedarRequest) => string {
  if (thrown > 500) [cedar, thrown] = [instance(), 0];
  const { preparsePolicySet, preparseSchema, statefulIsAuthorized } = cedar;
  const loaded = [preparseSchema("oracle", schema), preparsePolicySet("oracle", { staticPolicies: Object.fromEntries(policies) })];
  for (const answer of loaded) if (answer.type === "failure") throw new Error(answer.errors[0]?.message);
  return ({ context, entities, ...uids }) => {
    try {
      const answer = statefulIsAuthorized({
        preparsedPolicySetId: "oracle",
        preparsedSchemaName: "oracle",
        validateRequest: true,
        ...uids,
        context: context as Record<string, never>,
        entities: entities as CedarModule.EntityJson[],
      });
      if (answer.type === "failure") return refusal;
      const { decision, diagnostics } = answer.response;
      return shown(
        decision,
        diagnostics.reason,
        diagnostics.errors.map(({ policyId }) => policyId),
      );
    } catch (error) {
      // It throws at what is not even JSON of the right form. A trap would be no refusal.
      if (error instanceof Error && error.name === "RuntimeError") throw error;
      thrown++;
      return refusal;
    }
  };
}

/** What the compiled policies answer, in the same words. */
export function answerOf(ask: ReturnType<CedarEvaluator["batch"]>, request: CedarRequest): string {
  try {
    const { decision, determining, erroring } = ask(request);
    return shown(decision, determining, erroring);
  } catch (error) {
    // Ours says what it expected; one of the language's own would be a mistake that looks like a refusal.
    if (!(error instanceof TypeError) || !/^(?:expected|there is no such action|the action|an (?:entity|action)) /.test(`${error.message} `)) throw error;
    return refusal;
  }
}
