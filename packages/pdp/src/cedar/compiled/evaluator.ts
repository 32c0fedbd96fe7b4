import type { EntityJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";

/** A question in Cedar's own terms, as JSON; what the schema does not admit is refused. */
export interface CedarRequest {
  readonly principal: TypeAndId;
  readonly action: TypeAndId;
  readonly resource: TypeAndId;
  readonly context: object;
  readonly entities: readonly EntityJson[];
}

/** Cedar's answer: who decided, and whose evaluation failed, which Cedar leaves out of the decision (I9: we must not). */
export interface CedarAnswer {
  readonly decision: "allow" | "deny";
  /** Ids of policies, in no order. */
  readonly determining: readonly string[];
  readonly erroring: readonly string[];
}

/** What takes decisions: the closures made of the policies, or cedar-wasm where these need something that the compiler does not have. */
export interface CedarEvaluator {
  readonly name: "compiled" | "cedar-wasm";
  /** Answers the requests of one batch; a context that several of them share is read once. Throws a `TypeError` for a request that does not conform. */
  batch(): (request: CedarRequest) => CedarAnswer;
}
