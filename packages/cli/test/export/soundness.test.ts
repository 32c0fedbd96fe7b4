import { callDigest, copyData, createVocabulary, isJsonObject, parseEnvelope, SUPPORTED_OBLIGATIONS, type Json, type JsonObject } from "@ambit/core";
import { createVerifier, exportEnvelope, generateKey, memoryReplay, signPop, type HeldChain } from "@ambit/core/token";
import { createPdp, parseAgents, parseManifest, parsePurposes, type PdpConfig } from "@ambit/pdp";
import fc from "fast-check";
import { expect, test } from "vitest";
import { effectiveEnvelope } from "../../src/export/effective.ts";
import { foreignTool } from "../../src/export/foreign-tool.ts";

const NOW = Date.parse("2026-05-12T18:00:00Z");
const [ISSUER, PARTNER] = ["https://issuer.acme.example", "https://tools.partner.example"];
const text = { type: "string" };

function entry(name: string, properties: JsonObject, constraints: JsonObject, more: JsonObject = {}, schema: JsonObject = {}): JsonObject {
  const inapplicable = {
    customer_id: "not_applicable",
    contract_ids: "not_applicable",
    cap: "not_applicable",
    floor: "not_applicable",
    exact: "not_applicable",
  };
  return {
    names: [{ name, server: "crm", pin: "none" }],
    input_schema: { type: "object", properties, ...schema },
    effect: "read",
    constraints: { ...inapplicable, ...constraints },
    records: "none",
    data_classes: [],
    ...more,
  };
}

/** Arguments of every form that constraints can be about, and schemas that say less or more than the constraints. */
const MANIFEST = {
  tools: {
    scalar: entry(
      "crm_scalar",
      { customer: text, contract: text, amount: { type: "number" }, flag: { type: ["boolean", "integer", "string"] }, note: text },
      {
        customer_id: { argument: "/customer" },
        contract_ids: { argument: "/contract" },
        cap: { argument: "/amount" },
        floor: { argument: "/amount" },
        exact: { argument: "/flag" },
      },
      { data_classes: { a: ["/a"] } },
      { required: ["note"], additionalProperties: true },
    ),
    list: entry("crm_list", { contracts: { type: "array" }, region: { enum: ["eu", "us"] } }, { contract_ids: { argument: "/contracts" } }),
    either: entry("crm_either", { contract: true, constructor: true }, { contract_ids: { argument: "/contract" } }, { data_classes: ["a"] }),
    none: entry("crm_none", {}, {}, {}, { additionalProperties: {} }),
    escaped: entry(
      "crm_escaped",
      { "a/b": text, "c~d": { type: ["array", "null"] } },
      { customer_id: { argument: "/a~1b" }, contract_ids: { argument: "/c~0d" } },
    ),
    bounded: entry(
      "crm_bounded",
      { amount: { type: "number", minimum: 1, exclusiveMaximum: 5 }, contract: { type: "string", enum: ["k1", "k3"] }, kind: { const: "x" } },
      { contract_ids: { argument: "/contract" }, cap: { argument: "/amount" } },
    ),
  },
};
const TOOLS = Object.keys(MANIFEST.tools);
const CEILING = { allowed_tools: ["scalar", "list", "bounded"], resource_constraints: { contract_ids: ["k2", "k3", "k9"], cap: 3 } };
const PDP: PdpConfig = {
  manifest: MANIFEST,
  agents: { agents: { free: { trust_zone: "first_party", ceiling: "none" }, bounded: { trust_zone: "third_party", ceiling: CEILING } } },
  purposes: { purposes: { review: { tools: TOOLS, data_classes: ["a", "b"] } } },
  vocabulary: { cap: "max", floor: "min", exact: "equal" },
  policies: [{ name: "all.cedar", text: '@id("all") permit (principal, action, resource);' }],
  log: "memory",
  state: "memory",
  approvals: "none",
};

const vocabulary = createVocabulary(PDP.vocabulary);
const order = { vocabulary, purposes: parsePurposes(PDP.purposes) };
const agents = parseAgents(PDP.agents, vocabulary);
const manifest = parseManifest(MANIFEST);
const pdp = await createPdp(PDP, { now: () => NOW });
const [issuerKey, holderKey] = await Promise.all([generateKey(), generateKey()]);

function wire(agent: string, constraints: JsonObject): JsonObject {
  return {
    ...{ delegator_id: "u1", tenant_id: "t1", session_id: "s1", task_id: "k1", purpose: "review", agent_id: agent },
    ...{ allowed_tools: TOOLS, resource_constraints: constraints, expires_at: "2026-05-12T18:30:00Z" },
  };
}

async function exported(agent: string, constraints: JsonObject): Promise<HeldChain> {
  const envelope = effectiveEnvelope(parseEnvelope(wire(agent, constraints), vocabulary), agents, order);
  const tools = new Map([...manifest.tools].map(([id, tool]) => [id, foreignTool(tool, "crm")]));
  return exportEnvelope({ envelope, tools, issuer: ISSUER, holder: holderKey.public, audience: [PARTNER], now: NOW }, issuerKey, order);
}

const verifier = createVerifier({
  anchors: () => [{ issuer: ISSUER, key: issuerKey.public }],
  audiences: [PARTNER],
  replay: memoryReplay(() => NOW),
  now: () => NOW,
});

/** Whether a verifier that knows the draft alone permits the call. */
async function isPermittedThere(chain: HeldChain, tool: string, args: JsonObject): Promise<boolean> {
  const pop = await signPop({ leaf: chain.leaf, tool, args, now: NOW }, holderKey);
  return (await verifier.verifyCall({ chain: chain.tokens, pop }, { tool, args })).verified;
}

/** Whether steps 1 and 2 of our decision permit it: it was permitted, or a later step refused. */
async function openHere(agent: string, constraints: JsonObject): Promise<(tool: string, args: JsonObject) => Promise<boolean>> {
  const begun = await pdp.begin({ envelope: wire(agent, constraints), agent, assertedBy: "app" });
  if (!begun.decision || begun.issued.holding.kind !== "handle") throw new Error("not begun");
  const presentation = begun.issued.holding;
  return async (tool, args) => {
    const decision = await pdp.decide({
      subject: { type: "user", id: "u1" },
      action: { name: `crm_${tool}`, properties: { server: "crm" } },
      resource: { type: "tool", id: tool },
      context: {
        presentation,
        agent,
        call_id: `call_${++calls}`,
        call_digest: callDigest(`crm_${tool}`, "crm", args),
        arguments: args,
        supported_obligations: SUPPORTED_OBLIGATIONS,
      },
    });
    if (decision.decision) return true;
    const { step, message } = decision.context.refusal ?? { step: "none", message: "" };
    if (step !== "constraint" && step !== "intent" && step !== "policy") throw new Error(`${step}: ${message}`);
    return step !== "constraint";
  };
}
let calls = 0;

const some = <T extends Json>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const BOUNDS: Readonly<Record<string, fc.Arbitrary<Json>>> = {
  customer_id: fc.oneof({ weight: 3, arbitrary: some<Json>("c1") }, some<Json>("__proto__", 1, true, [])),
  contract_ids: fc.subarray<string>(["k1", "k2", "k3", "constructor"]),
  cap: some<Json>(0, 2, 5, 2 ** 53 - 1),
  floor: some<Json>(0, 1, 3),
  exact: some<Json>(true, 0, 1, "1", []),
  data_classes: some<Json>(["a"], ["a", "z"]),
};
/** Few at a time, so that calls are within all of them often enough; two are about one argument. */
const constraintsOf = fc
  .oneof(fc.subarray(Object.keys(BOUNDS), { maxLength: 2 }), fc.constant(["cap", "floor"]))
  .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, BOUNDS[key] as fc.Arbitrary<Json>]))));

const scalars = some<Json>(
  "c1",
  "k1",
  "k2",
  "k3",
  "k9",
  "eu",
  "x",
  "__proto__",
  "constructor",
  "",
  "1",
  0,
  -0,
  -1,
  1,
  1.5,
  2,
  3,
  5,
  1e300,
  2 ** 53 - 1,
  true,
  false,
  null,
);
const hostile = fc.oneof({ weight: 4, arbitrary: scalars }, fc.array(scalars, { maxLength: 3 }), some<Json>({}, { a: 1 }, [[]]));
const NAMES = [
  "customer",
  "contract",
  "contracts",
  "amount",
  "flag",
  "note",
  "region",
  "kind",
  "a/b",
  "c~d",
  "a~1b",
  "constructor",
  "*",
  "no_arguments",
  "toString",
  "",
];
/** Near to what is permitted, so that both answers come often, with something else in it now and then. */
const GOOD: Readonly<Record<string, fc.Arbitrary<JsonObject>>> = {
  scalar: fc.record(
    {
      customer: some<Json>("c1"),
      contract: some<Json>("k1", "k3"),
      amount: some<Json>(0, 1, 2, 3, 5, -1),
      flag: some<Json>(true, 1, "1"),
      note: scalars,
    },
    { requiredKeys: ["note"] },
  ),
  list: fc.record({ contracts: fc.subarray<Json>(["k1", "k2", "k3"]), region: some<Json>("eu", "jp") }, { requiredKeys: ["contracts"] }),
  either: fc.record({ contract: fc.oneof(fc.subarray<Json>(["k1", "k2"]), some<Json>("k1", "k9")) }),
  none: fc.constant({}),
  escaped: fc.record({ "a/b": some<Json>("c1"), "c~d": fc.subarray<Json>(["k1", "k2"]) }),
  bounded: fc.record(
    { amount: some<Json>(0, 1, 2, 3, 4.5, 5), contract: some<Json>("k1", "k2", "k3"), kind: some<Json>("x", "y") },
    { requiredKeys: ["amount", "contract"] },
  ),
};
const callOf = some(...TOOLS).chain((tool) =>
  fc.tuple(
    fc.constant(tool),
    fc
      .tuple(
        GOOD[tool] as fc.Arbitrary<JsonObject>,
        fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, fc.dictionary(some(...NAMES), hostile, { maxKeys: 3 })),
      )
      .map(([good, odd]): JsonObject => ({ ...good, ...odd })),
  ),
);

test("what an exported envelope permits, steps 1 and 2 of our own decision permit, and the other way round (I2)", async () => {
  const unbounded = await openHere("free", {});
  const seen = { both: 0, neither: 0, form: 0 };
  await fc.assert(
    fc.asyncProperty(some("free", "bounded"), constraintsOf, fc.array(callOf, { minLength: 12, maxLength: 12 }), async (agent, constraints, asked) => {
      const chain = await exported(agent, constraints);
      const here = await openHere(agent, constraints);
      for (const [tool, raw] of asked) {
        let args: Json;
        try {
          args = copyData(raw, "argument_not_allowed", "the arguments");
        } catch {
          continue; // the enforcement point asks nothing with data like that
        }
        if (!isJsonObject(args)) throw new Error("no object");
        const [there, ours] = [await isPermittedThere(chain, `crm_${tool}`, args), await here(tool, args)];
        // Types of values are the tool's own to check: the draft has no constraint for them.
        const fits = await unbounded(tool, args);
        if (there && fits) expect({ tool, args, ours }).toEqual({ tool, args, ours: true });
        if (ours) expect({ tool, args, there }).toEqual({ tool, args, there: true });
        seen[ours && there ? "both" : there ? "form" : "neither"]++;
      }
    }),
    { numRuns: 100 },
  );
  expect(seen.both).toBeGreaterThan(100);
  expect(seen.neither).toBeGreaterThan(100);
  // What is listed, bounded, closed or required in a schema went along.
  const all = await exported("free", {});
  for (const [tool, args] of [
    ["bounded", { amount: 0 }],
    ["bounded", { amount: 5 }],
    ["bounded", { contract: "k2" }],
    ["bounded", { kind: "y" }],
    ["list", { region: "jp" }],
    ["none", { anything: 1 }],
    ["scalar", {}],
  ] as const) {
    expect({ tool, args, there: await isPermittedThere(all, `crm_${tool}`, args) }).toEqual({ tool, args, there: false });
  }
});
