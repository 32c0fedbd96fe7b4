import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FILES } from "../../../../spec/vectors/generate.ts";
import { digestOf } from "../../src/data/digest.ts";
import type { Json, JsonObject } from "../../src/data/json.ts";
import { attenuate, type Narrowing } from "../../src/envelope/attenuate.ts";
import { CONSTRAINT_KINDS } from "../../src/envelope/constraint-kinds.ts";
import { reasonsNotNarrower } from "../../src/envelope/is-narrower.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";
import { parseEnvelope, serializeEnvelope } from "../../src/envelope/wire.ts";
import { AmbitError } from "../../src/errors.ts";
import { trustAnchor } from "../../src/token/anchors.ts";
import { thumbprintUri, signingKey } from "../../src/token/key.ts";
import type { PrivateJwk } from "../../src/token/crypto.ts";
import { foreignTools, type ForeignTool } from "../../src/token/profile/export-tools.ts";
import { readLineage } from "../../src/token/profile/lineage.ts";
import { verifyEnvelopes, verifyForeign, type EnvelopeAnchor } from "../../src/token/profile/verify-envelope.ts";
import type { TokenRefusal } from "../../src/token/reason.ts";
import { createVerifier } from "../../src/token/verifier.ts";
import type { VerifiedToken } from "../../src/token/verify-root.ts";
import { orderOf, readVectors, type AnchorData, type AttenuationFile, type CallFile, type EnvelopeFile, type ExportFile, type TokenFile } from "./files.ts";
import { widerDimensions } from "./second-checker.ts";

const envelopes = readVectors<EnvelopeFile>("envelope");
const attenuation = readVectors<AttenuationFile>("attenuation");
const tokens = readVectors<TokenFile>("token");
const calls = readVectors<CallFile>("call");
const exports_ = readVectors<ExportFile>("export");

/** The result, or the code of what was thrown. */
function codeOr<T>(action: () => T): T | { readonly error: string } {
  try {
    return action();
  } catch (error) {
    if (AmbitError.isInstance(error)) return { error: error.code };
    throw error;
  }
}

describe("the vectors", () => {
  it.each(["envelope", "attenuation", "token", "call", "export", "relations"] as const)("of %s are those that the generator makes", (name) => {
    expect(readVectors<unknown>(name)).toEqual(JSON.parse(JSON.stringify(FILES[name])));
  });

  it("have ids that say which one failed", () => {
    const all = [
      ...envelopes.digests,
      ...envelopes.vectors,
      ...attenuation.comparisons,
      ...attenuation.derivations,
      ...tokens.vectors,
      ...calls.vectors,
      ...exports_.vectors,
    ];
    const ids = all.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^[a-z0-9]+(-[a-z0-9]+)+$/.test(id))).toEqual([]);
  });

  it.each<[string, readonly object[], readonly string[]]>([
    ["envelope.json", [envelopes], ["about", "vocabulary", "digests", "vectors"]],
    ["digests", envelopes.digests, ["id", "of", "input", "expected"]],
    ["envelopes", envelopes.vectors, ["id", "title", "holder", "input", "expected"]],
    ["what is expected of envelopes", envelopes.vectors.map(({ expected }) => expected), ["canonical", "error"]],
    ["attenuation.json", [attenuation], ["about", "vocabulary", "purposes", "comparisons", "derivations"]],
    ["comparisons", attenuation.comparisons, ["id", "title", "parent", "child", "expected"]],
    ["what is expected of comparisons", attenuation.comparisons.map(({ expected }) => expected), ["narrower", "error", "dimensions"]],
    ["derivations", attenuation.derivations, ["id", "title", "parent", "asked", "exact", "expected"]],
    ["what is expected of derivations", attenuation.derivations.map(({ expected }) => expected), ["child", "narrowed", "error"]],
    ["token.json", [tokens], ["about", "keys", "anchors", "audience", "now", "vocabulary", "purposes", "vectors"]],
    ["tokens", tokens.vectors, ["id", "title", "now", "purposes", "chain", "expected"]],
    ["what is expected of tokens", tokens.vectors.map(({ expected }) => expected), ["envelopes", "lineage", "stands_for", "error", "step", "index"]],
    ["call.json", [calls], ["about", "keys", "anchors", "audience", "now", "vocabulary", "purposes", "vectors"]],
    ["calls", calls.vectors, ["id", "title", "chain", "tool", "arguments", "pop", "expected"]],
    ["what is expected of calls", calls.vectors.map(({ expected }) => expected), ["permitted", "error", "step"]],
    ["export.json", [exports_], ["about", "vocabulary", "vectors"]],
    ["exports", exports_.vectors, ["id", "title", "envelope", "tools", "expected"]],
    ["what is expected of exports", exports_.vectors.map(({ expected }) => expected), ["tools", "error"]],
  ])("have no members in %s that nobody checks", (_, entries, known) => {
    expect([...new Set(entries.flatMap((entry) => Object.keys(entry)))].sort()).toEqual([...known].sort());
  });
});

describe("envelope.json", () => {
  const vocabulary = createVocabulary(envelopes.vocabulary);

  it.each(envelopes.vectors)("$id", ({ input, holder, expected }) => {
    const read = codeOr(() => ({ canonical: serializeEnvelope(parseEnvelope(input, vocabulary, holder)) }));
    expect(read).toEqual(expected);
    if (!("canonical" in expected)) return;
    expect(serializeEnvelope(parseEnvelope(expected.canonical, vocabulary))).toEqual(expected.canonical);
  });

  it("has the digests that a vocabulary and a catalogue have", () => {
    const [ofVocabulary, ofPurposes] = envelopes.digests;
    expect([ofVocabulary?.of, ofPurposes?.of, envelopes.digests.length]).toEqual(["vocabulary", "purposes", 2]);
    expect(vocabulary.digest).toBe(ofVocabulary?.expected);
    expect(digestOf(ofPurposes?.input ?? null)).toBe(ofPurposes?.expected);
  });

  it("says of every member what it must not be, and of every kind what it may be", () => {
    const refused = envelopes.vectors.filter(({ expected }) => "error" in expected);
    const members = envelopes.vectors.flatMap(({ expected }) => ("canonical" in expected ? Object.keys(expected.canonical) : []));
    expect(members.filter((member) => !refused.some(({ input }) => (input as JsonObject)[member] === null))).toEqual([]);
    const kindsOf = (vectors: typeof envelopes.vectors): ReadonlySet<unknown> =>
      new Set(
        vectors.flatMap(({ input }) =>
          Object.keys((input as { readonly resource_constraints?: JsonObject }).resource_constraints ?? {}).map((key) => vocabulary.kinds.get(key)),
        ),
      );
    for (const kind of CONSTRAINT_KINDS.keys()) {
      expect(kindsOf(refused)).toContain(kind);
      expect(kindsOf(envelopes.vectors.filter(({ expected }) => "canonical" in expected))).toContain(kind);
    }
  });
});

/** Words of the reasons that name a dimension; they are for people, so this list is the only place where they are matched. */
const DIMENSIONS: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/^another (tenant_id|delegator_id|session_id)$/, ([, member]) => member as string],
  [/^task_id /, () => "task_id"],
  [/^purpose /, () => "purpose"],
  [/^reaches further tools$/, () => "tools"],
  [/^drops (denied_tools|approvals)$/, ([, member]) => member as string],
  [/^a (?:larger|later) (max_depth|expires_at)$/, ([, member]) => member as string],
  [/^a wider or no (resource_constraints\.\w+)$/, ([, member]) => member as string],
  [/^(?:a larger or no|a larger or further|no) (budgets\.\S+)$/, ([, member]) => member as string],
];

function dimensionOf(reason: string): string {
  for (const [pattern, name] of DIMENSIONS) {
    const match = pattern.exec(reason);
    if (match !== null) return name(match);
  }
  throw new Error(`no dimension is known for \`${reason}\``);
}

/** What is asked for on the wire, as code asks for it. */
function narrowingOf(asked: JsonObject): Narrowing {
  const entries = Object.entries(asked).map(([member, value]): [string, Json] => [
    member.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    member === "expires_at" ? Date.parse(String(value)) : value,
  ]);
  return Object.fromEntries(entries) as Narrowing;
}

describe("attenuation.json", () => {
  const order = orderOf(attenuation.vocabulary, attenuation.purposes);
  const parse = (wire: JsonObject): ReturnType<typeof parseEnvelope> => parseEnvelope(wire, order.vocabulary);

  it.each(attenuation.comparisons)("$id", ({ parent, child, expected }) => {
    const dimensions = reasonsNotNarrower(parse(child), parse(parent), order).map(dimensionOf).sort();
    expect(dimensions).toEqual(expected.narrower ? [] : expected.dimensions);
  });

  it.each(attenuation.comparisons)("$id, by the second checker", ({ parent, child, expected }) => {
    const kinds = new Map([...order.vocabulary.kinds]);
    const dimensions = widerDimensions(serializeEnvelope(parse(child)), serializeEnvelope(parse(parent)), kinds, attenuation.purposes.purposes);
    expect([...dimensions].sort()).toEqual(expected.narrower ? [] : expected.dimensions);
  });

  it.each(attenuation.derivations)("$id", ({ parent, asked, exact, expected }) => {
    const derived = codeOr(() => {
      const { envelope, narrowed } = attenuate(parse(parent), narrowingOf(asked), order, { exact });
      const inOrder = narrowed.toSorted((a, b) => (a.dimension < b.dimension ? -1 : 1));
      return { child: serializeEnvelope(envelope), narrowed: inOrder };
    });
    expect(derived).toEqual(expected);
    if ("child" in derived) expect(reasonsNotNarrower(parse(derived.child as JsonObject), parse(parent), order)).toEqual([]);
  });

  it("finds a child wider in every dimension, one at a time, and within in every kind of constraint", () => {
    const alone = attenuation.comparisons.flatMap(({ expected }) => (expected.narrower || expected.dimensions.length > 1 ? [] : expected.dimensions));
    const constraints = [...order.vocabulary.kinds].filter(([key]) => alone.includes(`resource_constraints.${key}`)).map(([, kind]) => kind);
    expect(new Set(constraints)).toEqual(new Set(CONSTRAINT_KINDS.keys()));
    const members = ["tenant_id", "delegator_id", "session_id", "task_id", "purpose", "tools", "denied_tools", "approvals", "max_depth", "expires_at"];
    const budgets = ["calls", "records", "money", "money/EUR", "money/USD", "rate/60", "tools/crm.read/calls"].map((name) => `budgets.${name}`);
    expect([...members, ...budgets].filter((dimension) => !alone.includes(dimension))).toEqual([]);
  });

  it("has every code that a derivation throws", () => {
    const codes = attenuation.derivations.flatMap(({ expected }) => ("error" in expected ? [expected.error] : []));
    expect([...new Set(codes)].sort()).toEqual(["envelope_malformed", "not_narrower"]);
  });
});

function anchorOf(data: AnchorData): EnvelopeAnchor {
  const anchor = trustAnchor({ issuer: data.issuer, jwk: data.jwk });
  if (data.kind === "ambit") return { ...anchor, kind: "ambit", tenants: new Set(data.tenants) };
  return { ...anchor, kind: "aat", tenantId: data.tenant_id, delegatorId: data.delegator_id, purpose: data.purpose };
}

describe("token.json", () => {
  const anchors = Object.values(tokens.anchors).map(anchorOf);
  const refusal = ({ code, step, index }: TokenRefusal): object => ({ error: code, step, index });

  it.each(tokens.vectors)("$id", async ({ chain, now = tokens.now, purposes = tokens.purposes, expected }) => {
    const order = orderOf(tokens.vocabulary, purposes);
    const verifier = createVerifier({ anchors: () => anchors, audiences: [tokens.audience], replay: "deferred", now: () => Date.parse(now) });
    const answer = await verifier.verifyChain(chain);
    let found: object;
    if (!answer.verified) {
      found = refusal(answer.refusal);
    } else if (answer.chain.anchor.kind === "ambit") {
      const read = verifyEnvelopes(answer.chain, order);
      const lineage = readLineage((answer.chain.tokens[0] as VerifiedToken).claims);
      const all = read.verified ? read.envelopes.map(({ envelope }) => serializeEnvelope(envelope)) : [];
      found = read.verified ? { envelopes: all, ...(lineage === undefined ? {} : { lineage }) } : refusal(read.refusal);
    } else {
      const read = verifyForeign(answer.chain);
      found = read.verified
        ? { stands_for: { tenant_id: read.anchor.tenantId, delegator_id: read.anchor.delegatorId, purpose: read.anchor.purpose } }
        : refusal(read.refusal);
    }
    expect(found).toEqual(expected);
  });

  it("is signed by the keys that it names", async () => {
    const first = await signingKey(tokens.keys["first"] as unknown as PrivateJwk);
    const [, child = ""] = tokens.vectors.find(({ id }) => id === "tok-a-child")?.chain ?? [];
    expect(JSON.parse(Buffer.from(child.split(".")[1] ?? "", "base64url").toString())).toMatchObject({ iss: thumbprintUri(first.public) });
  });

  it("has every step of the profile and every code of a chain", () => {
    const source = ["verify-chain", "verify-root", "verify-link", "profile/verify-envelope"]
      .map((file) => readFileSync(new URL(`../../src/token/${file}.ts`, import.meta.url), "utf8"))
      .join("\n");
    const found = tokens.vectors.flatMap(({ expected }) => ("error" in expected ? [expected] : []));
    const written = [...source.matchAll(/\b(?:refused|no)\(\s*"([a-z_]+)",\s*"([^"]+)"/g)];
    const codes = new Set(written.map(([, code]) => code));
    const steps = new Set(written.map(([, , step]) => step).filter((step) => step?.startsWith("profile ")));
    expect([...steps].sort()).toEqual([1, 2, 3, 4, 5].map((step) => `profile ${step}`));
    expect([...steps].filter((step) => !found.some((one) => one.step === step))).toEqual([]);
    expect(codes.size).toBe(9);
    expect([...codes].filter((code) => !found.some(({ error }) => error === code))).toEqual([]);
  });

  it("has chains of one to three tokens, refused at each of them", () => {
    expect(new Set(tokens.vectors.map(({ chain }) => chain.length))).toEqual(new Set([1, 2, 3]));
    const indexes = tokens.vectors.flatMap(({ expected }) => ("index" in expected ? [expected.index] : []));
    expect(new Set(indexes)).toEqual(new Set([0, 1, 2]));
  });
});

describe("call.json", () => {
  const anchors = Object.values(calls.anchors).map(anchorOf);
  const verifier = createVerifier({ anchors: () => anchors, audiences: [calls.audience], replay: "deferred", now: () => Date.parse(calls.now) });
  const order = orderOf(calls.vocabulary, calls.purposes);

  it.each(calls.vectors)("$id", async ({ chain, tool, arguments: argsText, pop, expected }) => {
    const answer = await verifier.verifyCall({ chain, pop }, { tool, argsText });
    expect(answer.verified ? { permitted: true } : { error: answer.refusal.code, step: answer.refusal.step }).toEqual(expected);
    const ofChain = await verifier.verifyChain(chain);
    expect(ofChain.verified && verifyEnvelopes(ofChain.chain, order).verified).toBe(true);
  });

  it("has every step at which a call is refused, but for those that need a memory or a nonce", () => {
    const source = ["verify-call", "pop"].map((file) => readFileSync(new URL(`../../src/token/${file}.ts`, import.meta.url), "utf8")).join("\n");
    const written = new Set([...source.matchAll(/\b(?:refused\("[a-z_]+", |no\()"([0-9][a-z])"/g)].map(([, step]) => step));
    const found = new Set(calls.vectors.flatMap(({ expected }) => ("error" in expected ? [expected.step] : [])));
    // Every chain here has the draft's entry (6a).
    expect([...written].filter((step) => !found.has(step ?? "")).sort()).toEqual(["6a", "7h", "7i"]);
  });
});

describe("export.json", () => {
  const order = orderOf(exports_.vocabulary, { purposes: {} });
  const toolOf = (tool: ExportFile["vectors"][number]["tools"][string]): ForeignTool => ({
    names: tool.names,
    arguments: new Map(
      Object.entries(tool.arguments).map(([name, { required, form, limits = [] }]) => [name, { isRequired: required, form, limits }] as const),
    ),
    constraints: new Map(Object.entries(tool.constraints)),
  });

  it.each(exports_.vectors)("$id", ({ envelope, tools, expected }) => {
    const described = new Map(Object.entries(tools).map(([id, tool]) => [id, toolOf(tool)] as const));
    const compiled = foreignTools(parseEnvelope(envelope, order.vocabulary), order, described);
    expect(compiled.expressible ? { tools: compiled.tools } : { error: "not_narrower" }).toEqual(expected);
  });
});
