import { compileExpression } from "./expressions.ts";
import { listPart, part, textPart } from "./node.ts";
import type { Action } from "./schema.ts";
import type { Evaluate, Scope } from "./scope.ts";
import { compileActions, compileTarget } from "./target.ts";
import { asBoolean } from "./types.ts";
import { unsupported } from "./unsupported.ts";

/** A policy as closures. */
export interface Policy {
  readonly id: string;
  readonly isForbid: boolean;
  /** Whether its head can mean a request of this action with entities of these types. */
  readonly concerns: (action: Action, principalType: string, resourceType: string) => boolean;
  /** Whether such a request satisfies it. Throws one of `FAILURES` where that cannot be told. */
  readonly isSatisfied: (scope: Scope) => boolean;
}

export function compilePolicy(id: string, json: unknown): Policy {
  const effect = textPart(json, "effect");
  if (effect !== "permit" && effect !== "forbid") return unsupported("an effect that is neither permit nor forbid");
  const [principal, resource] = [compileTarget(part(json, "principal")), compileTarget(part(json, "resource"))];
  const isAction = compileActions(part(json, "action"));
  const conditions = listPart(json, "conditions").map(compileCondition);
  return {
    id,
    isForbid: effect === "forbid",
    concerns: (action, principalType, resourceType) => isAction(action) && principal.admits(principalType) && resource.admits(resourceType),
    isSatisfied: (scope) => {
      if (principal.matches?.(scope, scope.principal) === false || resource.matches?.(scope, scope.resource) === false) return false;
      for (const { run, holds } of conditions) if (asBoolean(run(scope)) !== holds) return false;
      return true;
    },
  };
}

function compileCondition(json: unknown): { readonly run: Evaluate; readonly holds: boolean } {
  const kind = textPart(json, "kind");
  if (kind !== "when" && kind !== "unless") return unsupported("a condition that is neither when nor unless");
  return { run: compileExpression(part(json, "body")).run, holds: kind === "when" };
}
