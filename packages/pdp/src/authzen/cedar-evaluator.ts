import { setImmediate } from "node:timers/promises";
import {
  policyToJson,
  preparsePolicySet,
  preparseSchema,
  schemaToJson,
  statefulIsAuthorized,
  type EntityJson,
  type SchemaJson,
  type TypeAndId,
} from "@cedar-policy/cedar-wasm/nodejs";
import { AmbitError, randomText, type JsonObject } from "@ambit/core";
import { orUnsupported } from "../cedar/compiled/unsupported.ts";
import { readSchema, type Action, type Schema } from "../cedar/compiled/schema.ts";
import { entityValue } from "../cedar/compiled/values.ts";
import { checkTypes, parsePolicies, type PolicyFile } from "../cedar/policies.ts";
import { cedarEntities, referencesIn } from "./cedar-entities.ts";
import { cedarRecord } from "./cedar-values.ts";
import type { Deed, Evaluator, EvaluatorAnswer, Found, PolicyQuestion, SearchPage, Thing } from "./evaluator.ts";

/** Questions that are answered one after the other before anything else has its turn. */
const AT_ONCE = 32;

export interface CedarEvaluatorOptions {
  /** Cedar's own text, or its JSON form. */
  readonly schema: string | SchemaJson<string>;
  readonly policies: readonly PolicyFile[];
  /** What is known, and what searches look through. @defaultValue nothing */
  readonly entities?: readonly EntityJson[] | undefined;
  /** Where the types and actions of questions are declared. @defaultValue in no namespace */
  readonly namespace?: string | undefined;
  /** Candidates that one search looks at before it gives out a page, however few it found. @defaultValue 1000 */
  readonly mostExamined?: number | undefined;
}

/**
 * Answers questions about an operator's own things with Cedar: types of subjects and resources are entity types, names of actions are actions, as they stand. Properties
 * are attributes; those of the action are `context.action`. What the schema does not declare is ignored, what it declares must convert.
 *
 * Refuses (`policy_invalid`) a schema, policies and entities that do not load or do not fit each other. Every request is checked against the schema.
 * INVARIANT I9: any error in the diagnostics is a deny, because Cedar skips a `forbid` that errors.
 */
export function createCedarEvaluator(options: CedarEvaluatorOptions): Evaluator {
  const { namespace = "", mostExamined = 1000 } = options;
  const json = readJson(options.schema);
  const schema = orUnsupported(() => readSchema(json));
  if ("unsupported" in schema) throw new AmbitError("policy_invalid", `the schema has ${schema.unsupported}`);
  const policies = parsePolicies(options.policies);
  checkTypes(policies, json);
  const texts = Object.fromEntries([...policies].map(([id, { text }]) => [id, text]));
  const entities = cedarEntities(options.entities ?? [], json, schema, Object.values(texts).flatMap(namedIn));
  const name = `ambit-${randomText()}`;
  for (const answer of [preparseSchema(name, json), preparsePolicySet(name, { staticPolicies: texts })]) {
    if (answer.type === "failure") throw new AmbitError("policy_invalid", answer.errors[0]?.message ?? "the policies do not load");
  }
  const qualified = (type: string): string => (namespace === "" ? type : `${namespace}::${type}`);

  const answer = (question: PolicyQuestion): EvaluatorAnswer => {
    try {
      const request = requestOf(question);
      if (request === undefined) return denied("policy_denied");
      const { principal, action, resource, context } = request;
      const authorized = statefulIsAuthorized({
        preparsedPolicySetId: name,
        preparsedSchemaName: name,
        validateRequest: true,
        principal: principal.uid,
        action,
        resource: resource.uid,
        context,
        entities: entities.around([principal, resource], context),
      });
      if (authorized.type === "failure") return denied("policy_error", "the question does not fit the schema");
      const { decision, diagnostics } = authorized.response;
      if (diagnostics.errors.length > 0) return denied("policy_error", "a policy could not be evaluated");
      return decision === "allow" ? { decision: true } : denied("policy_denied");
    } catch (error) {
      // Values that do not convert, and an engine that gave up.
      return denied("policy_error", error instanceof TypeError ? error.message : "the question could not be evaluated");
    }
  };

  /** The question as Cedar is asked it; `undefined` for one about types that there are not, which no policy can permit. */
  const requestOf = (question: PolicyQuestion) => {
    const { subject, resource } = question;
    const action = actionOf(schema, qualified("Action"), question.action.name);
    const [principalType, resourceType] = [qualified(subject.type), qualified(resource.type)];
    if (action?.principalTypes.has(principalType) !== true || !action.resourceTypes.has(resourceType)) return undefined;
    return {
      principal: entities.entityOf(principalType, subject.id, subject),
      resource: entities.entityOf(resourceType, resource.id, resource),
      action: { type: qualified("Action"), id: question.action.name },
      context: cedarRecord(action.context, { ...question.context, action: question.action.properties ?? null }, false),
    };
  };

  /** Asks for one candidate after the other; between them others are answered, too. */
  const sift = async <T>(
    names: readonly string[],
    { after, limit }: SearchPage,
    make: (name: string) => T,
    ask: (candidate: T) => PolicyQuestion,
  ): Promise<Found<T>> => {
    const rest = after === undefined ? names : names.slice(firstBehind(names, after));
    const results: T[] = [];
    let last = after ?? "";
    for (const [index, candidate] of rest.entries()) {
      if (index >= mostExamined) return { results, next: last };
      if (index % AT_ONCE === AT_ONCE - 1) await setImmediate();
      const thing = make(candidate);
      const isFound = answer(ask(thing)).decision;
      // One more than is wanted is looked for: where there is a next page there is something on it.
      if (isFound && results.length === limit) return { results, next: last };
      if (isFound) results.push(thing);
      last = candidate;
    }
    return { results };
  };

  const actions = [...schema.actions.values()]
    .flatMap(({ uid }) => (uid.type === qualified("Action") ? [uid.id] : []))
    .sort((one, other) => (one < other ? -1 : 1));
  return Object.freeze<Evaluator>({
    evaluate: async (questions) => {
      const answers: EvaluatorAnswer[] = [];
      for (const question of questions) {
        if (answers.length % AT_ONCE === AT_ONCE - 1) await setImmediate();
        answers.push(answer(question));
      }
      return answers;
    },
    searchSubjects: (question, page) => {
      const { type, properties } = question.subject;
      const ask = (subject: Thing): PolicyQuestion => ({ ...question, subject: { ...subject, ...(properties === undefined ? {} : { properties }) } });
      return sift(entities.idsOf(qualified(type)), page, (id): Thing => ({ type, id }), ask);
    },
    searchResources: (question, page) => {
      const { type, properties } = question.resource;
      const ask = (resource: Thing): PolicyQuestion => ({ ...question, resource: { ...resource, ...(properties === undefined ? {} : { properties }) } });
      return sift(entities.idsOf(qualified(type)), page, (id): Thing => ({ type, id }), ask);
    },
    searchActions: (question, page) =>
      sift(
        actions,
        page,
        (id): Deed => ({ name: id }),
        (action) => ({ ...question, action }),
      ),
  });
}

function denied(reason: "policy_denied" | "policy_error", message?: string): EvaluatorAnswer {
  const error: JsonObject = message === undefined ? {} : { error: { status: 400, message } };
  return { decision: false, context: { reason, ...error } };
}

/** The first position in sorted names behind one, which need not be among them any longer. */
function firstBehind(names: readonly string[], after: string): number {
  const index = names.findIndex((name) => name > after);
  return index === -1 ? names.length : index;
}

function actionOf(schema: Schema, type: string, id: string): Action | undefined {
  return schema.actions.get(entityValue(type, id).key);
}

function namedIn(policy: string): readonly TypeAndId[] {
  const parsed = policyToJson(policy);
  return parsed.type === "success" ? referencesIn(parsed.json) : [];
}

function readJson(schema: string | SchemaJson<string>): SchemaJson<string> {
  const read = schemaToJson(schema);
  if (read.type === "failure") throw new AmbitError("policy_invalid", `the schema: ${read.errors[0]?.message ?? "cannot be read"}`);
  return read.json;
}
