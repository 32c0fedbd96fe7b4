import type { AccessRequest } from "@ambit/core";
import { parseManifest, type EmbeddedPdp, type PolicyEngine } from "@ambit/pdp";
import { createCedarEngine } from "@ambit/pdp/cedar";
import { callsOf } from "./calls.ts";
import type { Subject } from "./measure.ts";
import { createWorld, MANIFEST, POLICIES, type Kind } from "./scenario.ts";

export const EMBEDDED = {
  compiled: "policy call, compiled",
  wasm: "policy call, cedar-wasm",
  handle: "decision, handle",
  signed: "decision, signed",
  handleWasm: "decision, handle, cedar-wasm inside",
  signedWasm: "decision, signed, cedar-wasm inside",
  wasmOverCompiled: "policy call, cedar-wasm, to compiled",
} as const;

type Evaluations = Parameters<PolicyEngine["evaluate"]>[0];

export function cedar(evaluator: "compiled" | "cedar-wasm"): PolicyEngine {
  const engine = createCedarEngine(POLICIES, parseManifest(MANIFEST, "the manifest"), {}, evaluator);
  if (engine.evaluator !== evaluator) throw new Error(`the policies fell back: ${engine.fallBack}`);
  return engine;
}

/** Decisions, and the policy calls within them by themselves: the same questions to the same engine. */
export async function embeddedSubjects(): Promise<readonly Subject[]> {
  const [compiled, wasm] = [cedar("compiled"), cedar("cedar-wasm")];
  const evaluations = await evaluationsAsked(compiled);
  return [
    policyCall(EMBEDDED.compiled, compiled, evaluations),
    policyCall(EMBEDDED.wasm, wasm, evaluations),
    policyCall(EMBEDDED.wasmOverCompiled, wasm, evaluations, EMBEDDED.compiled),
    await decision(EMBEDDED.handle, "handle", compiled, EMBEDDED.compiled),
    await decision(EMBEDDED.signed, "signed", compiled, EMBEDDED.compiled),
    await decision(EMBEDDED.handleWasm, "handle", wasm, EMBEDDED.wasm),
    await decision(EMBEDDED.signedWasm, "signed", wasm, EMBEDDED.wasm),
  ];
}

/** A decision that is no permit was not the decision that is measured. */
export async function permitted(pdp: Pick<EmbeddedPdp, "decide">, request: AccessRequest): Promise<void> {
  const { decision, context } = await pdp.decide(request);
  if (!decision) throw new Error(`refused: ${context.refusal?.code}: ${context.refusal?.message}`);
}

/** What the decision point asks its engine for one call. */
async function evaluationsAsked(engine: PolicyEngine): Promise<Evaluations> {
  let asked: Evaluations = [];
  const listening: PolicyEngine = { ...engine, evaluate: (evaluations) => engine.evaluate((asked = evaluations)) };
  await callsOf(await createWorld("handle", { engine: listening }));
  return asked;
}

function policyCall(name: string, engine: PolicyEngine, evaluations: Evaluations, base?: string): Subject {
  return {
    name,
    base,
    prepare: async (count) => Array.from<undefined>({ length: count }),
    run: async () => {
      const answers = await engine.evaluate(evaluations);
      if (!answers.every(({ effect, errors }) => effect === "permit" && errors.length === 0)) throw new Error("the policies do not permit");
    },
    forget: () => undefined,
  };
}

async function decision(name: string, kind: Kind, engine: PolicyEngine, base: string): Promise<Subject> {
  const world = await createWorld(kind, { engine });
  const { pdp, ports } = world;
  return { name, base, prepare: await callsOf(world), run: (request) => permitted(pdp, request as AccessRequest), forget: ports.forget };
}
