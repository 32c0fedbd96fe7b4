/**
 * AuthZEN: our decision point asked as one, and others as policy engines.
 *
 * @module
 */

// Other decision points as policy engines.
export { createAuthzenEngine, type AuthzenEngine, type AuthzenEngineOptions } from "./remote-engine.ts";
export { allOf } from "./all-of.ts";

// The Authorization API 1.0, over HTTP.
export { authzenRoutes, type AuthzenOptions } from "./routes.ts";
export type { Asker, Deed, Evaluator, EvaluatorAnswer, Found, PolicyQuestion, SearchPage, Sought, Thing } from "./evaluator.ts";
export { createCedarEvaluator, type CedarEvaluatorOptions } from "./cedar-evaluator.ts";
export { createEngineEvaluator, type EvaluatedRules } from "./engine-evaluator.ts";

// Its profiles, each in the version that the name of its file says.
export { readObligations, type WireObligation } from "./profiles/obligations-draft-1.ts";
export { ACCESS_REQUEST_PATH, accessRequestMetadata, accessRequestRoutes, taskOf, type AccessRequestOptions } from "./profiles/access-request-draft-1.ts";
