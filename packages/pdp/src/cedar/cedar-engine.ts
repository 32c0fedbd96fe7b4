import { preparsePolicySet, preparseSchema, statefulIsAuthorized, type EntityJson, type TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
import { AmbitError, digestOf, randomText, type Json } from "@ambit/core";
import type { Entity, Evaluation, PolicyAnswer, PolicyEngine } from "../engine/policy-engine.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { compilePolicies } from "./compiled/compile.ts";
import type { CedarEvaluator } from "./compiled/evaluator.ts";
import { attributesOf, checkTypes, parsePolicies, type PolicyFile } from "./policies.ts";
import { cedarModel, type CedarModel, type World } from "./schema.ts";

/** What AuthZEN calls the subject, as Cedar's principal types. */
const PRINCIPALS: ReadonlyMap<string, string> = new Map([
  ["user", "User"],
  ["agent", "Agent"],
]);

/** The Cedar engine says what takes its decisions. */
export interface CedarEngine extends PolicyEngine {
  readonly evaluator: CedarEvaluator["name"];
  /** Why that is not the compiled policies: what they need that the compiler does not have. */
  readonly fallBack: string | undefined;
}

/**
 * Cedar: policies parsed and strictly validated by cedar-wasm against a schema generated from the manifest, decisions by closures compiled from them, or by
 * cedar-wasm itself where it is told to or where the policies need what the compiler does not have. Every request is checked against the schema.
 *
 * INVARIANT I9: Cedar skips a policy that errors, so a `forbid` that errors lets through; here any error in the diagnostics is an error of the
 * answer. An argument that does not convert to its declared type is one too.
 */
export function createCedarEngine(
  files: readonly PolicyFile[],
  manifest: Manifest,
  world: World = {},
  wanted: CedarEvaluator["name"] = "compiled",
): CedarEngine {
  const policies = parsePolicies(files);
  const model = cedarModel(manifest, attributesOf(policies), world);
  checkTypes(policies, model.schema);
  const texts = new Map([...policies].map(([policyId, { text }]) => [policyId, text]));
  const compiled = wanted === "compiled" ? compilePolicies(texts, model.schema) : { unsupported: "cedar-wasm was asked for" };
  const evaluator = "unsupported" in compiled ? wasmEvaluator(texts, model.schema) : compiled;
  return Object.freeze<CedarEngine>({
    isEmpty: policies.size === 0,
    // What a policy means depends on what a relation means.
    digest: digestOf({ policies: Object.fromEntries(texts), schema: model.schema as unknown as Json, relations: world.relations?.digest ?? null }),
    description: "unsupported" in compiled ? `Cedar in wasm: ${compiled.unsupported}` : "Cedar, compiled",
    evaluator: evaluator.name,
    fallBack: "unsupported" in compiled ? compiled.unsupported : undefined,
    evaluate: async (evaluations) => {
      const [ask, encode] = [evaluator.batch(), contextEncoder(model)];
      return evaluations.map((evaluation) => evaluateOne(ask, encode, evaluation));
    },
  });
}

/** The policies as cedar-wasm evaluates them: parsed once, every request checked against the schema. */
function wasmEvaluator(policies: ReadonlyMap<string, string>, schema: CedarModel["schema"]): CedarEvaluator {
  const id = `ambit-${randomText()}`;
  for (const answer of [preparseSchema(id, schema), preparsePolicySet(id, { staticPolicies: Object.fromEntries(policies) })]) {
    if (answer.type === "failure") throw new AmbitError("policy_invalid", answer.errors[0]?.message ?? "the policies do not load");
  }
  return {
    name: "cedar-wasm",
    batch:
      () =>
      ({ context, entities, ...uids }) => {
        if (!isReadable([context, entities, uids])) throw new TypeError("expected data that cedar-wasm can read");
        const answer = statefulIsAuthorized({
          preparsedPolicySetId: id,
          preparsedSchemaName: id,
          validateRequest: true,
          ...uids,
          context: context as Record<string, never>,
          entities: [...entities],
        });
        if (answer.type === "failure") throw new TypeError("the request does not fit the schema");
        const { decision, diagnostics } = answer.response;
        return { decision, determining: diagnostics.reason, erroring: diagnostics.errors.map(({ policyId }) => policyId) };
      },
  };
}

/** Far below the 128 levels at which cedar-wasm throws. */
const MAX_DEPTH = 64;

/**
 * Whether cedar-wasm can read a value: no text, names included, has half of a surrogate pair, and it is not too deep. At anything else cedar-wasm throws before it
 * looks at it, and loses a piece of its stack each time: after some 1500 it is gone for good.
 */
function isReadable(json: unknown, depth = 0): boolean {
  if (typeof json === "string") return json.isWellFormed();
  if (typeof json === "bigint" || depth > MAX_DEPTH) return false;
  return typeof json !== "object" || json === null || Object.entries(json).every(([name, member]) => name.isWellFormed() && isReadable(member, depth + 1));
}

type Encode = (evaluation: Evaluation) => object | undefined;

/** Encodes the context that the questions of a batch share once. */
function contextEncoder({ contexts }: CedarModel): Encode {
  const encoded = new Map<unknown, { readonly action: string; readonly context: object }>();
  return ({ action: { name }, context }) => {
    const known = encoded.get(context);
    if (known?.action === name) return known.context;
    const made = contexts.get(name)?.encode(context as Json) as object | undefined;
    if (made !== undefined) encoded.set(context, { action: name, context: made });
    return made;
  };
}

function evaluateOne(ask: ReturnType<CedarEvaluator["batch"]>, encode: Encode, evaluation: Evaluation): PolicyAnswer {
  try {
    const context = encode(evaluation);
    if (context === undefined) return failed(`there is no action \`${evaluation.action.name}\``);
    const { decision, determining, erroring } = ask({
      principal: principalOf(evaluation.subject),
      action: uid("Action", evaluation.action.name),
      resource: uid(PRINCIPALS.get(evaluation.resource.type) ?? evaluation.resource.type, evaluation.resource.id),
      context,
      entities: entitiesOf(evaluation),
    });
    return {
      effect: decision === "allow" ? "permit" : "deny",
      policies: determining,
      errors: erroring.map((policyId) => `policy \`${policyId}\` failed`),
    };
  } catch (error) {
    // Values that do not convert, and an evaluator that gave up: both are a deny.
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

/** The entities that policies may look into, each once, with their roles. Attributes are text, whole numbers, truth values and lists of text. */
function entitiesOf({ subject, resource, context }: Evaluation): EntityJson[] {
  const named = new Map<string, EntityJson>();
  for (const entity of [subject, context.agent, context.delegator, resource]) {
    const { type, id } = uid(PRINCIPALS.get(entity.type) ?? entity.type, entity.id);
    named.set(`${type.length}:${type}${id}`, {
      uid: { type, id },
      attrs: { ...entity.properties } as EntityJson["attrs"],
      parents: (entity.roles ?? []).map((role) => uid("Role", role)),
    });
  }
  return [...named.values()];
}
