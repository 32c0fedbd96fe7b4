import type { JsonObject } from "../data/json.ts";
import type { Refusal } from "../pdp/decision.ts";
import type { Obligation } from "../pdp/obligation.ts";

/** What the enforcement point concludes. Only `permit` lets a tool run. */
export type Verdict =
  | { readonly kind: "permit"; readonly decisionId: string; readonly arguments: JsonObject; readonly obligations: readonly Obligation[] }
  | { readonly kind: "deny"; readonly decisionId: string; readonly refusal: Refusal }
  | { readonly kind: "approval_required"; readonly decisionId: string; readonly refusal: Refusal };

export type Refused = Exclude<Verdict, { readonly kind: "permit" }>;

/** What a model is told: short, of constant shape, no policy names. Adapters mark it as an error in the framework's own way. */
export interface ModelRefusal {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly decisionId: string;
    readonly retryable: boolean;
    readonly requestable?: true;
  };
}

export function modelRefusal(refused: Refused): ModelRefusal {
  const { code, message, retryable, requestable } = refused.refusal;
  return { error: { code, message, decisionId: refused.decisionId, retryable, ...(requestable === true ? { requestable } : {}) } };
}
