import { isIdentifier, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { Rules } from "../setting.ts";
import { refusalOf } from "../refusal.ts";
import { callQuestion } from "../steps/policy.ts";
import type { Entity, Evaluation } from "../engine/policy-engine.ts";
import { isPolicyAnswer } from "./policy-answer.ts";
import type { Asker, Deed, Evaluator, EvaluatorAnswer, Found, PolicyQuestion, SearchPage, Thing } from "./evaluator.ts";

/** What a question about a tool is answered by. */
export type EvaluatedRules = Pick<Rules, "engine" | "manifest" | "agents">;

/** A task of which nothing else is said has just begun. */
const NEW_TASK: JsonObject = { calls: 0, depth: 0, tools_used: [], previous_tool: null };
const NEW_LABELS: JsonObject = { integrity: "trusted", data_classes: [] };

/**
 * Answers what policy says of a tool call, by step 4 alone: for the one subject (a `user` or an `agent`), without an envelope, and with the facts that the asker
 * states. What the manifest and the register of agents say is theirs to say: the resource, the tool's effect, an agent's trust zone.
 *
 * In `context`: `tenant`, `purpose` and `arguments`; for a user `agent`, for an agent `delegator` (ids); `task` and `labels`, unless the task has just begun. Searches
 * look through the tools and the registered agents.
 */
export function createEngineEvaluator(rules: () => EvaluatedRules, clock: () => number = Date.now): Evaluator {
  const evaluate = async (questions: readonly PolicyQuestion[], asker: Asker): Promise<readonly EvaluatorAnswer[]> => {
    const now = rules();
    const read = questions.map((question) => readCall(now, question, asker, Math.floor(clock() / 1000)));
    const asked = read.flatMap((one) => ("evaluation" in one ? [one.evaluation] : []));
    const answers: readonly unknown[] = asked.length === 0 || now.engine.isEmpty ? [] : await now.engine.evaluate(asked);
    if (!now.engine.isEmpty && answers.length !== asked.length) throw new TypeError("the engine left a question out");
    let next = 0;
    return read.map((one) => ("evaluation" in one ? (now.engine.isEmpty ? denied("no_policy") : answerOf(answers[next++])) : one.answer));
  };

  /** What of the names is permitted, as one batch. */
  const sift = async <T>(
    names: readonly string[],
    { after, limit }: SearchPage,
    make: (name: string) => T,
    ask: (made: T) => PolicyQuestion,
    asker: Asker,
  ): Promise<Found<T>> => {
    const rest = names.filter((name) => after === undefined || name > after).sort((one, other) => (one < other ? -1 : 1));
    const answers = await evaluate(
      rest.map((name) => ask(make(name))),
      asker,
    );
    const found = rest.filter((_, index) => answers[index]?.decision === true);
    const shown = found.slice(0, limit);
    return { results: shown.map(make), ...(found.length > limit ? { next: shown.at(-1) ?? after ?? "" } : {}) };
  };

  return Object.freeze<Evaluator>({
    evaluate,
    searchSubjects: async (question, page, asker) => {
      const names = question.subject.type === "agent" ? [...rules().agents.keys()] : [];
      return sift(
        names,
        page,
        (id): Thing => ({ type: "agent", id }),
        (subject) => ({ ...question, subject }),
        asker,
      );
    },
    searchActions: async (question, page, asker) => {
      const { type, id } = question.resource;
      const names = type === "tool" ? [id].filter((tool) => rules().manifest.tools.has(tool)) : [...rules().manifest.tools.keys()];
      return sift(
        names,
        page,
        (name): Deed => ({ name }),
        (action) => ({ ...question, action }),
        asker,
      );
    },
  });
}

function readCall(
  { manifest, agents }: EvaluatedRules,
  question: PolicyQuestion,
  asker: Asker,
  time: number,
): { readonly evaluation: Evaluation } | { readonly answer: EvaluatorAnswer } {
  const { subject, action, resource, context } = question;
  const no = (message: string): { readonly answer: EvaluatorAnswer } => ({ answer: denied("policy_error", { status: 400, message }) });
  const [tenant, purpose] = [own(context, "tenant"), own(context, "purpose")];
  if (!isIdentifier(tenant) || !isIdentifier(purpose)) return no("`context` names no `tenant` or no `purpose`");
  // INVARIANT I12.
  if (!asker.mayActFor(tenant)) return { answer: denied("tenant_mismatch") };
  const [user, agent] = subject.type === "agent" ? [idIn(context, "delegator"), subject.id] : [subject.id, idIn(context, "agent")];
  if (subject.type !== "user" && subject.type !== "agent") return no("the subject is neither a `user` nor an `agent`");
  if (!isIdentifier(user) || !isIdentifier(agent)) return no(subject.type === "user" ? "`context` names no `agent`" : "`context` names no `delegator`");
  const tool = manifest.tools.get(action.name);
  if (tool === undefined) return { answer: denied("tool_unmapped") };
  const args = own(context, "arguments") ?? {};
  if (!isJsonObject(args)) return no("`context.arguments` is not an object");
  try {
    const call = callQuestion(tool, args);
    const isThis = resource.type === "tool" ? resource.id === tool.id : resource.type === call.resource.type && resource.id === call.resource.id;
    if (!isThis) return no("the resource is not the one that the arguments name");
    const delegator: Entity = { type: "user", id: user, properties: { tenant } };
    const asking: Entity = { type: "agent", id: agent, properties: { tenant, trust_zone: agents.get(agent)?.trustZone ?? "unregistered" } };
    const task = { id: "none", ...NEW_TASK, ...objectIn(context, "task") };
    const labels = { ...NEW_LABELS, ...objectIn(context, "labels") };
    const whole = { ...call.context, agent: asking, delegator, tenant, purpose, time, task, labels };
    return { evaluation: { subject: subject.type === "user" ? delegator : asking, action: { name: call.action }, resource: call.resource, context: whole } };
  } catch (error) {
    return no(refusalOf(error, "policy", "policy_error", "the call cannot be asked about").message);
  }
}

function answerOf(answer: unknown): EvaluatorAnswer {
  // INVARIANT I9: what is no answer has not permitted anything.
  if (!isPolicyAnswer(answer) || answer.errors.length > 0) return denied("policy_error");
  return answer.effect === "permit" ? { decision: true } : denied("policy_denied");
}

function denied(reason: string, error?: JsonObject): EvaluatorAnswer {
  return { decision: false, context: { reason, ...(error === undefined ? {} : { error }) } };
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
