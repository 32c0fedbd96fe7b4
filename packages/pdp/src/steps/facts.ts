import type { Labels, LineageFacts } from "@ambit/core";
import { orRefuse, Refused } from "../refusal.ts";
import type { Setting } from "../setting.ts";

/**
 * What a lineage has done so far. INVARIANT I8: an answer of another shape is no answer, and without one nothing is decided (`state_unavailable`).
 */
export async function factsOf(setting: Setting, tenantId: string, lineage: string): Promise<LineageFacts> {
  const message = "what the task has done so far cannot be told";
  const facts: unknown = await orRefuse("policy", "state_unavailable", message, () => setting.state.facts(tenantId, lineage));
  if (isFacts(facts)) return facts;
  throw new Refused("policy", "state_unavailable", message);
}

function isFacts(facts: unknown): facts is LineageFacts {
  if (typeof facts !== "object" || facts === null) return false;
  const { calls, toolsUsed, previousTool, labels } = facts as Partial<LineageFacts>;
  return (
    Number.isSafeInteger(calls) &&
    (calls as number) >= 0 &&
    areTexts(toolsUsed) &&
    (previousTool === null || typeof previousTool === "string") &&
    isLabels(labels)
  );
}

export function isLabels(labels: unknown): labels is Labels {
  if (typeof labels !== "object" || labels === null) return false;
  const { integrity, dataClasses } = labels as Partial<Labels>;
  return (integrity === "trusted" || integrity === "untrusted") && areTexts(dataClasses);
}

function areTexts(list: unknown): boolean {
  return Array.isArray(list) && list.every((element) => typeof element === "string");
}
