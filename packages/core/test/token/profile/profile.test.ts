import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { own, type Json, type JsonObject } from "../../../src/data/json.ts";
import { reachOf, type Envelope } from "../../../src/envelope/envelope.ts";
import { isNarrower } from "../../../src/envelope/is-narrower.ts";
import { generateKey, type SigningKey } from "../../../src/token/key.ts";
import { deriveToken, issueRoot, type HeldChain } from "../../../src/token/issue.ts";
import { AMBIT_ENTRY, writeEntry } from "../../../src/token/profile/entry.ts";
import { deriveEnvelope, issueEnvelope, type HeldEnvelope } from "../../../src/token/profile/issue-envelope.ts";
import { verifyEnvelopes, verifyForeign, type EnvelopeAnchor } from "../../../src/token/profile/verify-envelope.ts";
import { explain } from "../../../src/token/reason.ts";
import { createVerifier } from "../../../src/token/verifier.ts";
import { ORDER, parse, variantsOf, wires } from "../../support/envelopes.ts";

const NOW = Date.parse("2026-05-12T18:00:00Z");
const AUDIENCE = ["https://ambit.acme.example"];
const [issuerKey, holderKey, childKey] = await Promise.all([generateKey(), generateKey(), generateKey("ES256")]);

const ROOT = parse({
  delegator_id: "u1",
  tenant_id: "t1",
  session_id: "s1",
  task_id: "k1",
  purpose: "review",
  agent_id: "reviewer",
  allowed_tools: ["crm.read", "constructor"],
  may_delegate: ["__proto__"],
  resource_constraints: { customer_id: "c1", max_records: 25 },
  budgets: { calls: 3 },
  expires_at: "2026-05-12T18:30:00.750Z",
});

const ambit: EnvelopeAnchor = { kind: "ambit", issuer: "https://issuer.acme.example", key: issuerKey.public, tenants: new Set(["t1"]) };
const foreign: EnvelopeAnchor = { kind: "aat", issuer: ambit.issuer, key: issuerKey.public, tenantId: "t1", delegatorId: "u1", purpose: "review" };

function root(envelope: Envelope = ROOT): Promise<HeldEnvelope> {
  return issueEnvelope({ envelope, issuer: ambit.issuer, holder: holderKey.public, audience: AUDIENCE, now: NOW }, issuerKey, ORDER);
}

/** The code of the refusal, or `verified`. */
async function verdict(tokens: readonly string[], anchor: EnvelopeAnchor = ambit, order = ORDER): Promise<string> {
  const verifier = createVerifier<EnvelopeAnchor>({ anchors: () => [anchor], audiences: AUDIENCE, replay: "deferred", now: () => NOW });
  const answer = await verifier.verifyChain(tokens);
  if (!answer.verified) return `draft: ${answer.refusal.code}`;
  const profile = anchor.kind === "ambit" ? verifyEnvelopes(answer.chain, order) : verifyForeign(answer.chain);
  return profile.verified ? "verified" : `${profile.refusal.code} ${profile.refusal.step}`;
}

/** A child as a hostile holder signs one: whatever entries, whatever tools the draft lets through. */
function forge(
  parent: HeldChain,
  otherDetails: readonly JsonObject[],
  change: { tools?: JsonObject; expiresAt?: number; maxDepth?: number } = {},
  key: SigningKey = holderKey,
): Promise<HeldChain> {
  return deriveToken(parent, { holder: childKey.public, otherDetails, now: NOW, ...change }, key);
}

const entryOf = (envelope: Envelope, change: JsonObject = {}): JsonObject => ({ ...writeEntry(envelope, ORDER), ...change });
const without = (entry: JsonObject, member: string): JsonObject => Object.fromEntries(Object.entries(entry).filter(([name]) => name !== member));

describe("a chain of our profile", () => {
  it("says at every token what its holder may ask for, to whole seconds", async () => {
    const parent = await root();
    const child = await deriveEnvelope(
      parent,
      { narrowing: { agentId: "classifier", allowedTools: ["crm.read"], budgets: { calls: 9 } }, holder: childKey.public, now: NOW },
      holderKey,
      ORDER,
    );
    expect(parent.envelope.expiresAt).toBe(Date.parse("2026-05-12T18:30:00Z"));
    expect(child.envelope).toMatchObject({ agentId: "classifier", allowedTools: ["crm.read"], budgets: { calls: 3 } });
    expect(child.narrowed).toEqual([{ dimension: "budgets.calls", asked: 9, granted: 3 }]);
    expect(await verdict(parent.chain.tokens)).toBe("verified");
    expect(await verdict(child.chain.tokens)).toBe("verified");
    const third = await deriveEnvelope(child, { narrowing: { agentId: "third" }, holder: holderKey.public, now: NOW }, childKey, ORDER);
    expect(await verdict(third.chain.tokens)).toBe("verified");
  });

  it("is not made wider: `exact` throws, and otherwise it is cut", async () => {
    const parent = await root();
    const child = { narrowing: { allowedTools: ["crm.read", "mail.send"] }, holder: childKey.public, now: NOW };
    await expect(deriveEnvelope(parent, { ...child, exact: true }, holderKey, ORDER)).rejects.toMatchObject({ code: "not_narrower" });
    expect((await deriveEnvelope(parent, child, holderKey, ORDER)).envelope.allowedTools).toEqual(["crm.read"]);
  });

  it("names its verifiers", async () => {
    const options = { envelope: ROOT, issuer: ambit.issuer, holder: holderKey.public, now: NOW };
    await expect(issueEnvelope({ ...options, audience: [] }, issuerKey, ORDER)).rejects.toMatchObject({ code: "option_invalid" });
    const bare = await issueRoot({ ...options, tools: { "crm.read": {} }, otherDetails: [entryOf(ROOT)], maxDepth: 4, expiresAt: NOW / 1000 + 60 }, issuerKey);
    expect(await verdict(bare.tokens)).toBe("audience_mismatch profile 2");
    const nobody = { ...options, audience: [], tools: { "crm.read": {} }, otherDetails: [entryOf(ROOT)], maxDepth: 4, expiresAt: NOW / 1000 + 60 };
    expect(await verdict((await issueRoot(nobody, issuerKey)).tokens)).toBe("audience_mismatch profile 2");
    const other = await issueEnvelope({ ...options, audience: ["https://elsewhere.example"] }, issuerKey, ORDER);
    expect(await verdict(other.chain.tokens)).toBe("verified"); // whom it is for is asked with the call (draft step 6c)
  });
});

describe("a hostile holder", () => {
  it.each([
    ["leaves the entry out", []],
    ["writes it twice", [entryOf(ROOT), entryOf(ROOT)]],
    ["writes one of another version", [entryOf(ROOT, { type: "urn:ambit:envelope:2" })]],
  ])("%s", async (_, entries) => {
    const parent = await root();
    expect(await verdict((await forge(parent.chain, entries)).tokens)).toBe("envelope_malformed profile 3");
  });

  it.each<[string, (entry: JsonObject) => JsonObject]>([
    ["other purposes", (entry) => ({ ...entry, purposes: "sha-256:mine" })],
    ["no purposes", (entry) => without(entry, "purposes")],
    ["another vocabulary", (entry) => ({ ...entry, vocabulary: "sha-256:mine" })],
    ["an unknown member", (entry) => ({ ...entry, superuser: true })],
    ["no constraints", (entry) => without(entry, "resource_constraints")],
    ["a null", (entry) => ({ ...entry, resource_constraints: null })],
    ["an expiry that `exp` does not say", (entry) => ({ ...entry, expires_at: "2026-05-12T18:29:59Z" })],
    ["a depth that `del_max_depth` does not say", (entry) => ({ ...entry, max_depth: 3 })],
    ["a tool that the draft's entry does not have", (entry) => ({ ...entry, allowed_tools: ["crm.read", "constructor", "mail.send"] })],
    ["fewer tools than the draft's entry", (entry) => ({ ...entry, allowed_tools: ["crm.read"] })],
    ["no agent", (entry) => without(entry, "agent_id")],
  ])("writes %s into it", async (_, change) => {
    const parent = await root();
    expect(await verdict((await forge(parent.chain, [change(entryOf(parent.envelope))])).tokens)).toBe("envelope_malformed profile 3");
  });

  it.each<[string, JsonObject]>([
    ["more records", { resource_constraints: { customer_id: "c1", max_records: 26 } }],
    ["one constraint less", { resource_constraints: { max_records: 25 } }],
    ["another customer", { resource_constraints: { customer_id: "c2", max_records: 25 } }],
    ["another tenant", { tenant_id: "t2" }],
    ["another delegator", { delegator_id: "ceo" }],
    ["another session", { session_id: "s2" }],
    ["another task", { task_id: "k2" }],
    ["a purpose beside its own", { purpose: "other" }],
    ["more calls", { budgets: { calls: 4 } }],
    ["no budget", { budgets: {} }],
  ])("gives itself %s", async (_, change) => {
    const parent = await root();
    expect(await verdict((await forge(parent.chain, [entryOf(parent.envelope, change)])).tokens)).toBe("not_narrower profile 4");
  });

  it("is told which token may not, and because of which", async () => {
    const parent = await root();
    const { tokens } = await forge(parent.chain, [entryOf(parent.envelope, { budgets: {} })]);
    const answer = await createVerifier<EnvelopeAnchor>({ anchors: () => [ambit], audiences: AUDIENCE, replay: "deferred", now: () => NOW }).verifyChain(
      tokens,
    );
    const profile = answer.verified ? verifyEnvelopes(answer.chain, ORDER) : answer;
    expect(profile.verified ? "" : explain(profile.refusal)).toMatch(/token 1 may not have: a larger or no budgets\.calls\n +because token 0 /);
  });
});

describe("anchors of two kinds", () => {
  it("never mix", async () => {
    const parent = await root();
    const bare = await issueRoot(
      { issuer: ambit.issuer, holder: holderKey.public, audience: AUDIENCE, tools: { "crm.read": {} }, maxDepth: 4, expiresAt: NOW / 1000 + 60, now: NOW },
      issuerKey,
    );
    expect(await verdict(parent.chain.tokens, foreign)).toBe("chain_broken profile 1");
    expect(await verdict(bare.tokens, foreign)).toBe("verified");
    expect(await verdict(bare.tokens, ambit)).toBe("envelope_malformed profile 3");
    const smuggled = await deriveToken(bare, { holder: childKey.public, otherDetails: [entryOf(ROOT)], now: NOW }, holderKey);
    expect(await verdict(smuggled.tokens, foreign)).toBe("chain_broken profile 1");
  });

  it("of ours speak for their tenants only", async () => {
    expect(await verdict((await root({ ...ROOT, tenantId: "t2" })).chain.tokens)).toBe("tenant_mismatch profile 5");
  });
});

const expiry = fc.constantFrom("2026-05-12T18:20:00Z", "2026-05-12T18:30:00Z", "2026-05-12T18:30:01Z");
const pairs = wires.chain((above) => fc.tuple(fc.constant(above), variantsOf(above), expiry, expiry));

it("takes a forged child exactly when it is within its parent (I2)", async () => {
  const seen = { verified: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(pairs, async ([aboveWire, belowWire, aboveEnd, belowEnd]) => {
      const above = parse({ ...aboveWire, tenant_id: "t1", max_depth: 4, expires_at: aboveEnd });
      const below = parse({ ...belowWire, tenant_id: "t1", max_depth: 3, expires_at: belowEnd });
      const parent = await root(above);
      const tools = Object.fromEntries(reachOf(below).map((tool) => [tool, {}]));
      const forged = forge(parent.chain, [entryOf(below)], { tools, expiresAt: below.expiresAt / 1000, maxDepth: below.maxDepth });
      // Where the draft's own dimensions are wider already, not even our code makes such a token.
      const outcome = await forged.then(
        ({ tokens }) => verdict(tokens),
        (error: { code: string }) => error.code,
      );
      expect(outcome === "verified", outcome).toBe(isNarrower(below, parent.envelope, ORDER));
      seen[outcome === "verified" ? "verified" : "refused"] += 1;
    }),
    { numRuns: 400 },
  );
  expect(Math.min(seen.verified, seen.refused)).toBeGreaterThan(10);
});

it("has its entry under its own type, beside that of the draft", async () => {
  const { chain } = await root();
  expect(chain.leaf.claims.details.map((detail) => own(detail, "type") as Json)).toEqual(["attenuating_agent_token", AMBIT_ENTRY]);
});
