import { valuesAt, type Json, type JsonObject, type LineageFacts } from "@ambit/core";
import { clock } from "../clock.ts";
import type { Entity, Evaluation, PolicyAnswer } from "../engine/policy-engine.ts";
import { leafOf, type Chain } from "../envelopes/chain.ts";
import type { ToolEntry } from "../manifest/manifest.ts";
import { orRefuse, Refused, RefusedByPolicy } from "../refusal.ts";
import type { Rules, Setting } from "../setting.ts";
import type { ResultObligation } from "./constraint.ts";

/** What is asked: an action on a resource, with what only this action has. */
export interface Question {
  readonly action: string;
  readonly resource: Entity;
  readonly context: JsonObject;
}

/** On whose behalf, through whom and in which task something is asked. */
export interface Asking {
  readonly tenant: string;
  readonly delegatorId: string;
  /** The agent that acts. */
  readonly agentId: string;
  /** Every agent of the chain, each once. */
  readonly agentIds: readonly string[];
  readonly purpose: string;
  /** Seconds since the epoch. */
  readonly time: number;
  readonly task: JsonObject;
  readonly labels: JsonObject;
}

/** What tells who asks. */
export type Identities = Pick<Rules, "agents" | "directory" | "relations">;

/**
 * Step 4: asked for the delegator and for every agent of the chain, as one batch; all must permit. An agent for a user who cannot do
 * a thing cannot do it either.
 */
export async function checkPolicy(setting: Setting, chain: Chain, facts: LineageFacts, question: Question): Promise<readonly string[]> {
  const { engine } = setting;
  if (engine.isEmpty)
    throw new Refused("policy", "no_policy", "there are no policies, so nothing is permitted", "add a policy file to `policies` of the configuration");
  const evaluations = await evaluationsOf(setting, askingOf(chain, facts, Math.floor(clock(setting) / 1000)), question);
  return allPermit(evaluations, await orRefuse("policy", "policy_error", NOT_EVALUATED, () => engine.evaluate(evaluations)));
}

const NOT_EVALUATED = "the policies could not be evaluated";

function askingOf(chain: Chain, facts: LineageFacts, time: number): Asking {
  const { envelope } = leafOf(chain);
  return {
    tenant: envelope.tenantId,
    delegatorId: envelope.delegatorId,
    agentId: envelope.agentId,
    agentIds: [...new Set(chain.links.map((link) => link.envelope.agentId))],
    purpose: envelope.purpose,
    time,
    task: {
      id: envelope.taskId,
      calls: facts.calls,
      depth: chain.links.length - 1,
      tools_used: facts.toolsUsed,
      previous_tool: facts.previousTool,
    },
    labels: { integrity: facts.labels.integrity, data_classes: facts.labels.dataClasses },
  };
}

/** What step 4 asks, the delegator first. Refuses (`policy_denied`) a delegator who was removed, and (`policy_error`) where it cannot be told who somebody is. */
export async function evaluationsOf(identities: Identities, asking: Asking, question: Question): Promise<readonly Evaluation[]> {
  return orRefuse("policy", "policy_error", "who asks cannot be told", async () => {
    const { tenant, delegatorId, agentId, agentIds, purpose, time, task, labels } = asking;
    const delegator = await userEntity(identities, delegatorId, tenant);
    const agents = agentIds.map((id) => agentEntity(identities, id, tenant));
    const agent = agentEntity(identities, agentId, tenant);
    const context = { ...question.context, agent, delegator, tenant, purpose, time, task, labels };
    const held = await relationsTo(identities, tenant, [delegator, ...agents], question.resource);
    return [delegator, ...agents].map((subject, index) => ({
      subject,
      action: { name: question.action },
      resource: question.resource,
      context: held === undefined ? context : { ...context, relations: held[index], delegator_relations: held[0] },
    }));
  });
}

/** The policies that permit all of it, as `engine.evaluate` answered; refuses (`policy_denied`, `policy_error`) everything else. */
export function allPermit(evaluations: readonly Evaluation[], answers: unknown): readonly string[] {
  // INVARIANT I9: an engine that leaves a question out, or answers something else, has not permitted it.
  if (!Array.isArray(answers) || answers.length !== evaluations.length || !answers.every(isAnswer)) throw new Refused("policy", "policy_error", NOT_EVALUATED);
  answers.forEach(({ effect, errors, policies }, index) => {
    const who = evaluations[index]?.subject.type === "user" ? "the delegator" : "the agent";
    if (errors.length > 0) throw new RefusedByPolicy("policy_error", `${NOT_EVALUATED} for ${who}`, policies, String(errors[0]));
    if (effect !== "permit") throw new RefusedByPolicy("policy_denied", `${who} may not do this`, policies);
  });
  return [...new Set(answers.flatMap(({ policies }) => policies))];
}

function isAnswer(answer: unknown): answer is PolicyAnswer {
  return (
    typeof answer === "object" &&
    answer !== null &&
    "errors" in answer &&
    Array.isArray(answer.errors) &&
    "policies" in answer &&
    Array.isArray(answer.policies)
  );
}

/** What each of them is to the resource; `undefined` where its type has no relations. */
async function relationsTo(
  { relations }: Identities,
  tenant: string,
  subjects: readonly Entity[],
  resource: Entity,
): Promise<readonly Readonly<Record<string, boolean>>[] | undefined> {
  if (relations?.model.types.has(resource.type) !== true) return undefined;
  return Promise.all(subjects.map(({ type, id }) => relations.relationsOf(tenant, { type, id }, { type: resource.type, id: resource.id })));
}

/** A user as policies see them. INVARIANT I7: on behalf of somebody who was removed nothing is done. */
async function userEntity({ directory }: Identities, id: string, tenant: string): Promise<Entity> {
  const known = await directory?.user(tenant, id);
  if (known?.status === "removed") throw new Refused("policy", "policy_denied", "the delegator is not there any longer");
  if (known === undefined) return { type: "user", id, properties: { tenant } };
  const { roles, attributes } = known.user;
  return { type: "user", id, properties: { ...attributes, tenant }, roles };
}

/** An agent as policies see it. */
export function agentEntity({ agents }: Pick<Identities, "agents">, id: string, tenant: string): Entity {
  const { trustZone = "unregistered", roles = [], attributes = {} } = agents.get(id) ?? {};
  return { type: "agent", id, properties: { ...attributes, tenant, trust_zone: trustZone }, roles };
}

/** The question that a tool call is. */
export function callQuestion(tool: ToolEntry, args: JsonObject): Question {
  return {
    action: tool.id,
    resource: resourceOf(tool, args),
    context: { arguments: args, tool: { effect: tool.effect, sends_outside: tool.sendsOutside, risk: tool.risk, data_classes: dataClassesOf(tool) } },
  };
}

function resourceOf(tool: ToolEntry, args: JsonObject): Entity {
  if (tool.resource === undefined) return { type: "Tool", id: tool.id };
  const id: Json | undefined = valuesAt(args, tool.resource.id)?.[0];
  if (typeof id === "string" || typeof id === "number") return { type: tool.resource.type, id: String(id) };
  throw new Refused("policy", "argument_not_allowed", `the argument \`${tool.resource.id}\` must name the ${tool.resource.type}`);
}

/** The classes that a result can carry, sorted; without those whose every field is redacted. */
export function dataClassesOf(tool: ToolEntry, obligations: readonly ResultObligation[] = []): readonly string[] {
  const { dataClasses = [] } = tool;
  if (!(dataClasses instanceof Map)) return dataClasses as readonly string[];
  const redacted = new Set(obligations.flatMap((obligation) => (obligation.type === "redact_fields" ? obligation.properties.pointers : [])));
  const fields: ReadonlyMap<string, readonly string[]> = dataClasses;
  return [...fields]
    .filter(([, pointers]) => !pointers.every((pointer) => redacted.has(pointer)))
    .map(([name]) => name)
    .sort();
}
