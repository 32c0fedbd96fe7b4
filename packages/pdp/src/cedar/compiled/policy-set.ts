import type { CedarAnswer } from "./evaluator.ts";
import { isFailure } from "./failure.ts";
import type { Policy } from "./policy.ts";
import type { Conforming } from "./request.ts";

/** The policies that can apply, by action and by the types of principal and resource. */
export type PolicyIndex = (conforming: Conforming) => readonly Policy[];

/**
 * An index that fills as it is asked. Requests conform to the schema, so there are no more entries than actions have types of principals times types of
 * resources.
 */
export function indexOf(policies: readonly Policy[]): PolicyIndex {
  const byAction = new Map<string, Map<string, readonly Policy[]>>();
  return ({ action, scope: { principal, resource } }) => {
    let byTypes = byAction.get(action.uid.key);
    if (byTypes === undefined) byAction.set(action.uid.key, (byTypes = new Map()));
    const types = `${principal.type}\0${resource.type}`;
    let found = byTypes.get(types);
    if (found === undefined) byTypes.set(types, (found = policies.filter(({ concerns }) => concerns(action, principal.type, resource.type))));
    return found;
  };
}

/**
 * Cedar's decision: any satisfied `forbid` denies, else any satisfied `permit` allows, else it is denied. A policy that fails is left out and named: every
 * policy is evaluated, so that none that fails stays hidden behind one that decides.
 */
export function decide(policies: readonly Policy[], { scope }: Conforming): CedarAnswer {
  const permits: string[] = [];
  const forbids: string[] = [];
  const erroring: string[] = [];
  for (const { id, isForbid, isSatisfied } of policies) {
    try {
      if (isSatisfied(scope)) (isForbid ? forbids : permits).push(id);
    } catch (error) {
      if (!isFailure(error)) throw error;
      erroring.push(id);
    }
  }
  const isAllowed = forbids.length === 0 && permits.length > 0;
  return { decision: isAllowed ? "allow" : "deny", determining: forbids.length > 0 ? forbids : permits, erroring };
}
