import { isIdentifier, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { Evaluation } from "../engine/policy-engine.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { Refused } from "../refusal.ts";
import type { Rules } from "../setting.ts";
import { callQuestion, evaluationsOf, type Asking } from "../steps/policy.ts";
import type { Asker, PolicyQuestion } from "./evaluator.ts";
import { refuse } from "./question.ts";

/** A task of which nothing else is said has just begun. */
const NEW_TASK: JsonObject = { id: "none", calls: 0, depth: 0, tools_used: [], previous_tool: null };
const NEW_LABELS: JsonObject = { integrity: "trusted", data_classes: [] };

export interface ToolQuestion {
  readonly tool: ToolEntry;
  /** What step 4 asks about the call. */
  readonly evaluations: readonly Evaluation[];
}

/**
 * A question about a tool call, as step 4 asks it. Throws what `reasonOf` knows for what is no such question, and refusals: `tenant_mismatch`, `agent_unknown`,
 * `tool_unmapped`, `argument_not_allowed`, and those of step 4 about who asks.
 */
export async function toolQuestion(
  rules: Pick<Rules, "manifest" | "agents" | "directory" | "relations">,
  question: PolicyQuestion,
  asker: Asker,
  time: number,
): Promise<ToolQuestion> {
  const { action, resource, context } = question;
  const asking = readAsking(question, time);
  // INVARIANT I12.
  if (!asker.mayActFor(asking.tenant)) throw new Refused("envelope", "tenant_mismatch", "the caller may not ask about this tenant");
  if (!rules.agents.has(asking.agentId)) throw new Refused("envelope", "agent_unknown", `the agent \`${asking.agentId}\` is not registered`);
  const tool = rules.manifest.tools.get(action.name);
  if (tool === undefined) throw new Refused("envelope", "tool_unmapped", "the tool is not in the manifest");
  const args = own(context, "arguments") ?? {};
  if (!isJsonObject(args)) return refuse("`context.arguments` is not an object");
  const call = callQuestion(tool, args);
  const isThis = resource.type === "tool" ? resource.id === tool.id : resource.type === call.resource.type && resource.id === call.resource.id;
  if (!isThis) return refuse("the resource is not the one that the arguments name");
  return { tool, evaluations: await evaluationsOf(rules, asking, call) };
}

/** On whose behalf and through whom, at a time in seconds since the epoch: the subject is one of them, and `context` names the other. Throws what `reasonOf` knows. */
export function readAsking({ subject, context }: Pick<PolicyQuestion, "subject" | "context">, time: number): Asking {
  const [tenant, purpose] = [own(context, "tenant"), own(context, "purpose")];
  if (!isIdentifier(tenant) || !isIdentifier(purpose)) return refuse("`context` names no `tenant` or no `purpose`");
  if (subject.type !== "user" && subject.type !== "agent") return refuse("the subject is neither a `user` nor an `agent`");
  const [delegatorId, agentId] = subject.type === "agent" ? [idIn(context, "delegator"), subject.id] : [subject.id, idIn(context, "agent")];
  if (!isIdentifier(delegatorId) || !isIdentifier(agentId))
    return refuse(subject.type === "user" ? "the question names no user or no `context.agent`" : "the question names no agent or no `context.delegator`");
  const task = { ...NEW_TASK, ...objectIn(context, "task") };
  return { tenant, delegatorId, agentId, agentIds: [agentId], purpose, time, task, labels: { ...NEW_LABELS, ...objectIn(context, "labels") } };
}

/** An id, by itself or as a thing that has it. */
function idIn(context: JsonObject, member: string): Json | undefined {
  const value = own(context, member);
  return isJsonObject(value) ? own(value, "id") : value;
}

function objectIn(context: JsonObject, member: string): JsonObject {
  const value = own(context, member);
  return isJsonObject(value) ? value : {};
}
