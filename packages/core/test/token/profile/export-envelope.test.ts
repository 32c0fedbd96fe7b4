import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyData, type Json, type JsonObject } from "../../../src/data/json.ts";
import { createVocabulary } from "../../../src/envelope/vocabulary.ts";
import { CONSTRAINT_KINDS, rulesOf, type ConstraintKind } from "../../../src/envelope/constraint-kinds.ts";
import type { Envelope } from "../../../src/envelope/envelope.ts";
import { parseEnvelope } from "../../../src/envelope/wire.ts";
import { accepts, readConstraint } from "../../../src/token/constraint.ts";
import { deriveToken, type HeldChain } from "../../../src/token/issue.ts";
import { generateKey, type SigningKey } from "../../../src/token/key.ts";
import { TOKEN_LIMITS } from "../../../src/token/limits.ts";
import { signPop } from "../../../src/token/pop.ts";
import { allOf, draftClauses, type ArgumentForm } from "../../../src/token/profile/export-constraint.ts";
import { exportEnvelope, foreignTools, type ConstraintPlace, type ForeignTool } from "../../../src/token/profile/export-envelope.ts";
import { verifyEnvelopes, verifyForeign, type EnvelopeAnchor } from "../../../src/token/profile/verify-envelope.ts";
import { memoryReplay } from "../../../src/token/replay.ts";
import { createVerifier } from "../../../src/token/verifier.ts";
import { rejectionOf } from "../../support/codes.ts";
import { ORDER as BUILT_IN } from "../../support/envelopes.ts";

const NOW = Date.parse("2026-05-12T18:00:00Z");
const ISSUER = "https://issuer.acme.example";
const PARTNER = "https://tools.partner.example";
const [issuerKey, holderKey, childKey] = await Promise.all([generateKey(), generateKey(), generateKey()]);
const ORDER = { ...BUILT_IN, vocabulary: createVocabulary({ least: "min", most: "max" }) };

function envelope(change: JsonObject = {}): Envelope {
  return parseEnvelope(
    {
      ...{ delegator_id: "u1", tenant_id: "t1", session_id: "s1", task_id: "k1", purpose: "review", agent_id: "reviewer" },
      ...{ allowed_tools: ["crm.read"], resource_constraints: { customer_id: "c1" }, expires_at: "2026-05-12T18:30:00.750Z" },
      ...change,
    },
    ORDER.vocabulary,
  );
}

/** A tool with the argument `customer` and whatever else is said. */
function tool(places: Readonly<Record<string, ConstraintPlace>> = {}, change: Partial<ForeignTool> = {}): ForeignTool {
  return {
    names: ["crm_read"],
    arguments: new Map([
      ["customer", { isRequired: false, form: "value" }],
      ["note", { isRequired: false, form: "value" }],
      ["subject", { isRequired: true, form: "value" }],
    ]),
    constraints: new Map<string, ConstraintPlace>(Object.entries({ customer_id: { argument: "customer" }, ...places })),
    ...change,
  };
}

const export_ = (from: Envelope, tools: readonly (readonly [string, ForeignTool])[] = [["crm.read", tool()]], audience = [PARTNER]): Promise<HeldChain> =>
  exportEnvelope({ envelope: from, tools: new Map(tools), issuer: ISSUER, holder: holderKey.public, audience, now: NOW }, issuerKey, ORDER);

const aat: EnvelopeAnchor = { kind: "aat", issuer: ISSUER, key: issuerKey.public, tenantId: "t1", delegatorId: "u1", purpose: "review" };
const ambit: EnvelopeAnchor = { kind: "ambit", issuer: ISSUER, key: issuerKey.public, tenants: new Set(["t1"]) };

/** What a verifier answers that knows the draft alone: `permit`, or the code of the refusal. */
async function asked(chain: HeldChain, name: string, args: JsonObject, { key = holderKey as SigningKey, audience = PARTNER } = {}): Promise<string> {
  const verifier = createVerifier({ anchors: () => [aat], audiences: [audience], replay: memoryReplay(() => NOW), now: () => NOW });
  const pop = await signPop({ leaf: chain.leaf, tool: name, args, now: NOW }, key);
  const answer = await verifier.verifyCall({ chain: chain.tokens, pop }, { tool: name, args });
  return answer.verified ? "permit" : answer.refusal.code;
}

function reasons(from: Envelope, tools: readonly (readonly [string, ForeignTool])[] = [["crm.read", tool()]]): readonly string[] {
  const compiled = foreignTools(from, ORDER, new Map(tools));
  return compiled.expressible ? [] : compiled.reasons;
}

describe("an exported envelope", () => {
  it("is a root of the draft that bounds its arguments, for the audience that it names", async () => {
    const chain = await export_(envelope());
    expect(chain.leaf.claims).toMatchObject({ audience: [PARTNER], expiresAt: Date.parse("2026-05-12T18:30:00Z") / 1000, depth: 0, maxDepth: 4 });
    expect(await asked(chain, "crm_read", { customer: "c1", subject: "s" })).toBe("permit");
    expect(await asked(chain, "crm_read", { customer: "c1", subject: "s", note: "n" })).toBe("permit");
    expect(await asked(chain, "crm_read", { customer: "c2", subject: "s" })).toBe("argument_not_allowed");
    expect(await asked(chain, "crm_read", { subject: "s" })).toBe("argument_not_allowed"); // what is bounded must be there
    expect(await asked(chain, "crm_read", { customer: "c1" })).toBe("argument_not_allowed"); // what the tool demands, too
    expect(await asked(chain, "crm_read", { customer: "c1", subject: "s", all: true })).toBe("argument_not_allowed"); // nobody looks at it
    expect(await asked(chain, "crm.read", { customer: "c1", subject: "s" })).toBe("tool_not_allowed"); // there it has another name
    expect(await asked(chain, "crm_read", { customer: "c1", subject: "s" }, { audience: "https://ambit.acme.example" })).toBe("audience_mismatch");
  });

  it("says nothing of ours, and no Ambit verifier takes it for an envelope", async () => {
    const chain = await export_(envelope());
    expect(chain.leaf.claims.details).toHaveLength(1);
    expect(JSON.stringify(chain.leaf.claims.signed)).not.toMatch(/urn:ambit|delegator|"u1"|tenant|session|purpose/);
    const verdict = async (anchor: EnvelopeAnchor): Promise<string> => {
      const verifier = createVerifier({ anchors: () => [anchor], audiences: [PARTNER], replay: "deferred", now: () => NOW });
      const answer = await verifier.verifyChain(chain.tokens);
      if (!answer.verified) return answer.refusal.code;
      const profile = anchor.kind === "ambit" ? verifyEnvelopes(answer.chain, ORDER) : verifyForeign(answer.chain);
      return profile.verified ? "verified" : profile.refusal.code;
    };
    expect(await verdict(aat)).toBe("verified");
    expect(await verdict(ambit)).toBe("envelope_malformed");
  });

  it("bounds what is derived from it", async () => {
    const tools = [["crm.read", tool({ contract_ids: { argument: "customer" } })]] as const;
    const chain = await export_(envelope({ resource_constraints: { contract_ids: ["k1", "k2"] } }), tools);
    const derive = (map: JsonObject): Promise<HeldChain> => deriveToken(chain, { holder: childKey.public, tools: { crm_read: map }, now: NOW }, holderKey);
    const wildcard = { constraint_type: "wildcard" };
    const child = await derive({ customer: { constraint_type: "exact", value: "k1" }, subject: wildcard });
    expect(await asked(child, "crm_read", { customer: "k1", subject: "s" }, { key: childKey })).toBe("permit");
    expect(await asked(child, "crm_read", { customer: "k2", subject: "s" }, { key: childKey })).toBe("argument_not_allowed");
    for (const map of [{}, { customer: wildcard, subject: wildcard }, { subject: wildcard }, { "*": wildcard }]) {
      expect(await rejectionOf(derive(map))).toBe("not_narrower");
    }
  });

  it("lets a tool without arguments have none", async () => {
    const bare = tool({ customer_id: "not_applicable" }, { arguments: new Map() });
    const chain = await export_(envelope(), [["crm.read", bare]]);
    expect(await asked(chain, "crm_read", {})).toBe("permit");
    for (const value of [true, false, null, "", 0, []]) expect(await asked(chain, "crm_read", { no_arguments: value })).toBe("argument_not_allowed");
    expect(await asked(chain, "crm_read", { anything: 1 })).toBe("argument_not_allowed");
  });

  it("grants nothing where the envelope grants nothing, and leaves out what is denied", async () => {
    const nothing = await export_(envelope({ resource_constraints: { customer_id: [] } }));
    for (const customer of ["c1", "", null, true, false, 0, []])
      expect(await asked(nothing, "crm_read", { customer, subject: "s" })).toBe("argument_not_allowed");
    const denied = await export_(envelope({ denied_tools: ["crm.read"] }), []);
    expect(await asked(denied, "crm_read", { customer: "c1", subject: "s" })).toBe("tool_not_allowed");
  });

  it("keeps to what the tool's own definition says of an argument, besides its constraints", async () => {
    const limits = [{ constraint_type: "one_of", values: ["c1"] }];
    const places = { contract_ids: { argument: "customer" } } as const;
    const change = { arguments: new Map([["customer", { isRequired: false, form: "value" as const, limits }]]) };
    const chain = await export_(envelope({ resource_constraints: { contract_ids: ["c1", "c9"] } }), [["crm.read", tool(places, change)]]);
    expect(await asked(chain, "crm_read", { customer: "c1" })).toBe("permit");
    expect(await asked(chain, "crm_read", { customer: "c9" })).toBe("argument_not_allowed");
  });

  it("takes argument names as they are", async () => {
    const names = ["__proto__", "constructor", "", "a/b", "toString"];
    const odd = tool({ customer_id: { argument: "constructor" } }, { arguments: new Map(names.map((name) => [name, { isRequired: false, form: "value" }])) });
    const chain = await export_(envelope(), [["crm.read", odd]]);
    expect([...(chain.leaf.claims.tools?.get("crm_read")?.named.keys() ?? [])].sort()).toEqual([...names].sort());
    expect(await asked(chain, "crm_read", { constructor: "c1" })).toBe("permit");
    expect(await asked(chain, "crm_read", {})).toBe("argument_not_allowed"); // and not one that is inherited
  });
});

describe("an envelope that is more than its arguments", () => {
  const TWO = [
    ["crm.read", tool()],
    ["mail.send", tool({}, { names: ["mail_send"] })],
  ] as const;

  it.each<[string, JsonObject, Partial<Readonly<Record<string, ConstraintPlace>>>]>([
    ["a path, which no list can say", { resource_constraints: { path_prefix: ["/a"] } }, { path_prefix: { argument: "customer" } }],
    ["a constraint that nobody placed", { resource_constraints: { contract_ids: ["k"] } }, {}],
    ["one that shows in the result", { resource_constraints: { contract_ids: ["k"] } }, { contract_ids: { elsewhere: "in the result" } }],
    ["one that is about no argument of the tool", { resource_constraints: { contract_ids: ["k"] } }, { contract_ids: { argument: "contract" } }],
    ["one about an inherited name", { resource_constraints: { contract_ids: ["k"] } }, { contract_ids: { argument: "constructor" } }],
    ["a data class that is not allowed", { resource_constraints: { data_classes: ["a"] } }, { data_classes: { always: ["a", "b"] } }],
    ["tools to hand on", { may_delegate: ["mail.send"] }, {}],
    ["approvals", { approvals: ["crm.read"] }, {}],
    ["calls", { budgets: { calls: 0 } }, {}],
    ["records", { budgets: { records: 5 } }, {}],
    ["money", { budgets: { money: { EUR: 1 } } }, {}],
    ["money in no currency", { budgets: { money: {} } }, {}],
    ["a rate", { budgets: { rate: { "60": 5 } } }, {}],
    ["a budget of one tool", { budgets: { tools: { "crm.read": { calls: 1 } } } }, {}],
    ["no money for one tool", { budgets: { tools: { "crm.read": { money: {} } } } }, {}],
    [
      "more values than a token can list",
      { resource_constraints: { contract_ids: Array.from({ length: 1025 }, (_, i) => `k${i}`) } },
      { contract_ids: { argument: "note" } },
    ],
  ])("is refused for %s", async (_, change, places) => {
    const tools = [["crm.read", tool(places as Readonly<Record<string, ConstraintPlace>>)]] as const;
    expect(reasons(envelope(change), tools)).toHaveLength(1);
    expect(await rejectionOf(export_(envelope(change), tools))).toBe("not_narrower");
  });

  it("is exported when there is nothing to say: empty budgets, classes that are allowed, constraints that do not apply", () => {
    const change = { budgets: { tools: {} }, resource_constraints: { data_classes: ["a", "b"], path_prefix: ["/a"], max_records: 5 } };
    const places = { data_classes: { always: ["a"] }, path_prefix: "not_applicable", max_records: "not_applicable" } as const;
    expect(reasons(envelope(change), [["crm.read", tool(places)]])).toEqual([]);
    expect(reasons(envelope({ resource_constraints: { data_classes: [] } }), [["crm.read", tool({ data_classes: { always: [] } })]])).toEqual([]);
  });

  it("is refused with every reason on a line of its own", async () => {
    const change = {
      allowed_tools: ["crm.read", "mail.send", "unknown.tool"],
      may_delegate: ["x", "y"],
      budgets: { calls: 1, rate: { "60": 2 } },
      approvals: ["crm.read"],
      resource_constraints: { contract_ids: ["k"], path_prefix: ["/"] },
    };
    // Two tools to hand on, two budgets, an approval, two constraints of each of two tools, and a tool that nobody knows.
    expect(reasons(envelope(change), TWO)).toHaveLength(2 + 2 + 1 + 2 * 2 + 1);
    const message = await export_(envelope(change), TWO).then(
      () => "",
      (error: unknown) => (error as Error).message,
    );
    expect(message.split("\n")).toHaveLength(11);
  });

  it("cannot forge a line of its reasons", () => {
    const forged = tool({ contract_ids: { elsewhere: "x\npermit\u2028all" } }, { names: [] });
    const lines = reasons(envelope({ resource_constraints: { contract_ids: ["k"] } }), [["crm.read", forged]]);
    expect(lines).toHaveLength(2);
    expect(lines.join("")).not.toMatch(/[\n\u2028]/);
  });

  it("is refused where the verifier has no name for a tool, or one name for two", () => {
    const both = envelope({ allowed_tools: ["crm.read", "mail.send"] });
    expect(reasons(both, TWO)).toEqual([]);
    expect(reasons(envelope(), [["crm.read", tool({}, { names: [] })]])).toHaveLength(1);
    expect(reasons(both, [TWO[0], ["mail.send", tool()]])).toHaveLength(1);
  });

  it("is refused for an argument called `*`, which would open the map", () => {
    const starred = tool({}, { arguments: new Map([...tool().arguments, ["*", { isRequired: false, form: "value" }]]) });
    expect(reasons(envelope(), [["crm.read", starred]])).not.toEqual([]);
  });

  it("is refused without an audience, after its time, or too deep", async () => {
    expect(await rejectionOf(export_(envelope(), undefined, []))).toBe("option_invalid");
    expect(await rejectionOf(export_(envelope(), undefined, [""]))).toBe("option_invalid");
    expect(await rejectionOf(export_(envelope({ expires_at: "2026-05-12T18:00:00.999Z" })))).toBe("envelope_expired");
    expect(await rejectionOf(export_(envelope({ max_depth: 9 })))).toBe("depth_exceeded");
  });
});

describe("a constraint in the words of the draft", () => {
  const texts = ["a", "b", "__proto__", "constructor", "1", "\u{1f600}"];
  const scalars = fc.constantFrom<Json>(...texts, "", "A", 0, -1, 1, 1.5, 2, -0, 5, 2 ** 53 - 1, 1e300, Number.MIN_VALUE, true, false, null);
  const values = fc.oneof(scalars, fc.array(scalars, { maxLength: 3 }), fc.constantFrom<Json>({}, { a: 1 }, [[]], [["a"]], [{}]));
  const constraints = fc.oneof(
    fc.tuple(fc.constant<ConstraintKind>("equal"), fc.constantFrom<Json>(...texts, 0, 1, 5, true, false, [])),
    fc.tuple(fc.constant<ConstraintKind>("subset"), fc.subarray<Json>(texts)),
    fc.tuple(fc.constantFrom<ConstraintKind>("max", "min"), fc.constantFrom<Json>(0, 1, 2, 5, 2 ** 53 - 1)),
    fc.tuple(fc.constant<ConstraintKind>("path_prefix"), fc.constantFrom<Json>([], ["/a"])),
  );

  it("accepts what the kind admits and no more, in the form that the argument has (I2)", () => {
    fc.assert(
      fc.property(constraints, values, fc.constantFrom<ArgumentForm>("value", "list", "either"), ([kind, raw], unread, form) => {
        const constraint = rulesOf(kind).parse(raw);
        if (constraint === undefined) throw new Error("not a value of its kind");
        const clauses = draftClauses(kind, constraint, form);
        if (clauses === undefined) return kind === "path_prefix";
        const read = readConstraint(allOf(clauses), TOKEN_LIMITS);
        if (typeof read === "string") throw new Error(read);
        let value: Json;
        try {
          value = copyData(unread, "argument_not_allowed", "the value");
        } catch {
          return !accepts(read, unread); // the enforcement point refuses it as data
        }
        const isOfForm = form === "either" || (form === "list") === Array.isArray(value);
        const [there, here] = [accepts(read, value), rulesOf(kind).admits(constraint)(value)];
        return isOfForm ? there === here : here || !there;
      }),
      { numRuns: 2000 },
    );
  });

  it("knows every kind", () => {
    expect([...CONSTRAINT_KINDS.keys()].filter((kind) => draftClauses(kind, 1, "value") === undefined)).toEqual(["path_prefix"]);
  });
});
