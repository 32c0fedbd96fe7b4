import { preparsePolicySet, preparseSchema, statefulIsAuthorized, type EntityJson, type TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
import { AmbitError, digestOf, randomText, type Json } from "@ambit/core";
import type { Entity, Evaluation, PolicyAnswer, PolicyEngine } from "../engine/policy-engine.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { attributesOf, checkTypes, parsePolicies, type PolicyFile } from "./policies.ts";
import { cedarModel, type CedarModel } from "./schema.ts";

/** What AuthZEN calls the subject, as Cedar's principal types. */
const PRINCIPALS: ReadonlyMap<string, string> = new Map([
  ["user", "User"],
  ["agent", "Agent"],
]);

/**
 * Cedar through cedar-wasm: parsed once, validated strictly against a schema generated from the manifest, every request checked against that schema.
 *
 * INVARIANT I9: Cedar skips a policy that errors, so a `forbid` that errors lets through; here any error in the diagnostics is an error of the
 * answer. An argument that does not convert to its declared type is one too.
 */
export function createCedarEngine(files: readonly PolicyFile[], manifest: Manifest): PolicyEngine {
  const policies = parsePolicies(files);
  const model = cedarModel(manifest, attributesOf(policies));
  checkTypes(policies, model.schema);
  const id = `ambit-${randomText()}`;
  const staticPolicies = Object.fromEntries([...policies].map(([policyId, { text }]) => [policyId, text]));
  for (const answer of [preparseSchema(id, model.schema), preparsePolicySet(id, { staticPolicies })]) {
    if (answer.type === "failure") throw new AmbitError("policy_invalid", answer.errors[0]?.message ?? "the policies do not load");
  }
  return Object.freeze<PolicyEngine>({
    isEmpty: policies.size === 0,
    digest: digestOf({ policies: staticPolicies, schema: model.schema as unknown as Json }),
    evaluate: async (evaluations) => evaluations.map((evaluation) => evaluateOne(id, model, evaluation)),
  });
}

function evaluateOne(id: string, model: CedarModel, evaluation: Evaluation): PolicyAnswer {
  try {
    const principal = principalOf(evaluation.subject);
    const resource = uid(PRINCIPALS.get(evaluation.resource.type) ?? evaluation.resource.type, evaluation.resource.id);
    const context = model.contexts.get(evaluation.action.name)?.encode(evaluation.context as Json);
    if (context === undefined) return failed(`there is no action \`${evaluation.action.name}\``);
    const answer = statefulIsAuthorized({
      preparsedPolicySetId: id,
      preparsedSchemaName: id,
      validateRequest: true,
      principal,
      action: uid("Action", evaluation.action.name),
      resource,
      context: context as Record<string, never>,
      entities: entitiesOf(evaluation),
    });
    if (answer.type === "failure") return failed("the request does not fit the schema");
    const { decision, diagnostics } = answer.response;
    return {
      effect: decision === "allow" ? "permit" : "deny",
      policies: diagnostics.reason,
      errors: diagnostics.errors.map(({ policyId }) => `policy \`${policyId}\` failed`),
    };
  } catch (error) {
    // Values that do not convert, and a wasm instance that gave up: both are a deny.
    return failed(error instanceof TypeError ? error.message : "the engine failed");
  }
}

function failed(reason: string): PolicyAnswer {
  return { effect: "deny", policies: [], errors: [reason] };
}

function principalOf(subject: Entity): TypeAndId {
  const type = PRINCIPALS.get(subject.type);
  if (type === undefined) throw new TypeError(`expected a user or an agent, not \`${subject.type.slice(0, 64)}\``);
  return uid(type, subject.id);
}

function uid(type: string, id: string): TypeAndId {
  return { type, id };
}

/** The entities that policies may look into, each once. Text attributes only. */
function entitiesOf({ subject, resource, context }: Evaluation): EntityJson[] {
  const named = new Map<string, EntityJson>();
  for (const entity of [subject, context.agent, context.delegator, resource]) {
    const { type, id } = uid(PRINCIPALS.get(entity.type) ?? entity.type, entity.id);
    named.set(JSON.stringify([type, id]), { uid: { type, id }, attrs: { ...entity.properties } as EntityJson["attrs"], parents: [] });
  }
  return [...named.values()];
}
