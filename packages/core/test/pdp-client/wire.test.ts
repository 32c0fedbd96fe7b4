import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDecision } from "../../src/pdp/decision.ts";
import { ENDPOINTS, type Endpoint } from "../../src/pdp-client/wire/endpoints.ts";
import { readMessage } from "../../src/pdp-client/wire/json.ts";
import { readShape, type Shape } from "../../src/pdp-client/wire/shape.ts";
import type { Json } from "../../src/data/json.ts";
import { chainHashOf } from "../../src/pdp-client/wire/chain-hash.ts";

/** Over the wire and back. */
function carried<T>(shape: Shape<T>, message: T): { readonly message: T } | { readonly problem: string } {
  const read = readMessage(JSON.stringify(shape.write(message)));
  return "problem" in read ? read : readShape(shape, read.json);
}

const id = fc.stringMatching(/^[\x21-\x7e]{1,40}$/);
const hostileName = fc.constantFrom("toString", "hasOwnProperty", "a", "0", "", "call_id", "agent");
const plain = fc.dictionary(hostileName, fc.oneof(fc.constantFrom<Json>(null, true, "", "x", 0, 1.5, 2 ** 53 - 1, [], {}), fc.integer(), id), {
  maxKeys: 5,
  noNullPrototype: true,
});
const shown = fc.oneof(fc.record({ chain: fc.array(id, { minLength: 1, maxLength: 4 }), pop: id }), fc.record({ chainHash: id, pop: id }));
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
const call = { presentation: shown, agent: id, callId: id };
const refusal = fc.record(
  {
    code: fc.constant("policy_denied" as const),
    message: id,
    retryable: fc.boolean(),
    hint: id,
    step: fc.constantFrom("call" as const, "log" as const),
    requestable: fc.boolean(),
    approval: fc.record({ id, expiresAt: time }),
  },
  { requiredKeys: ["code", "message", "retryable"] },
);

const QUESTIONS: readonly (readonly [keyof typeof ENDPOINTS, fc.Arbitrary<unknown>])[] = [
  [
    "decide",
    fc.record({
      subject: fc.record({ type: fc.constant("user"), id }),
      action: fc.record({ name: id, properties: fc.record({ server: id, definition: id }, { requiredKeys: [] }) }, { requiredKeys: ["name"] }),
      resource: fc.record({ type: fc.constant("tool"), id }),
      context: fc.record(
        {
          presentation: shown,
          agent: id,
          call_id: id,
          call_digest: id,
          arguments: plain,
          supported_obligations: fc.array(id, { maxLength: 3 }),
          mode: fc.constant("observe"),
        },
        { requiredKeys: ["presentation", "agent", "call_id", "call_digest", "arguments", "supported_obligations"] },
      ),
    }),
  ],
  [
    "begin",
    fc.record(
      { envelope: plain, agent: id, assertedBy: fc.constantFrom("app", "proof"), holder: plain, instruction: id, proof: id, continues: shown },
      { requiredKeys: ["envelope", "agent", "assertedBy", "holder"] },
    ),
  ],
  [
    "introduce",
    fc.record({
      chain: fc.array(id, { minLength: 1, maxLength: 4 }),
      agent: id,
      excerpts: fc.array(fc.record({ label: id, dataClasses: fc.array(id, { maxLength: 3 }) }), { maxLength: 3 }),
    }),
  ],
  ["redeem", fc.record({ ...call, grantId: id, callDigest: id })],
  [
    "settle",
    fc.record(
      {
        ...call,
        decisionId: id,
        grantId: id,
        status: fc.constantFrom("done", "failed", "unknown", "withheld", "not_run", "paused"),
        records: fc.nat(),
        money: fc.record({ currency: id, amount: fc.nat() }),
        resultDigest: id,
        redeemed: fc.constant(true),
        credential: fc.record({ connector: id, overPrivileged: id }, { requiredKeys: ["connector"] }),
      },
      { requiredKeys: ["presentation", "agent", "callId", "decisionId", "grantId", "status"] },
    ),
  ],
  ["end", fc.record({ presentation: shown, agent: id })],
  ["revoke", fc.record({ tenantId: id, scope: fc.constantFrom("task", "tenant"), id, reason: id }, { requiredKeys: ["tenantId", "scope"] })],
];

const grant = fc.record({ id, expiresAt: time });
const obligations = fc.array(fc.record({ id, type: id, properties: plain }), { maxLength: 3 });
const ANSWERS: readonly (readonly [keyof typeof ENDPOINTS, fc.Arbitrary<unknown>])[] = [
  ["decide", fc.record({ decision: fc.boolean(), context: fc.record({ id, refusal, obligations, grant }, { requiredKeys: ["id"] }) })],
  [
    "begin",
    fc.record(
      {
        decision: fc.boolean(),
        id,
        refusal,
        issued: fc.record(
          { envelopeId: id, lineage: id, depth: fc.nat(), envelope: plain, chain: fc.array(id, { minLength: 1 }) },
          { requiredKeys: ["envelopeId", "lineage", "depth", "envelope"] },
        ),
      },
      { requiredKeys: ["decision", "id"] },
    ),
  ],
  ["settle", fc.record({ done: fc.boolean(), refusal }, { requiredKeys: ["done"] })],
];

const endpointOf = (name: keyof typeof ENDPOINTS): Endpoint<unknown, unknown> => ENDPOINTS[name] as unknown as Endpoint<unknown, unknown>;

describe("a message", () => {
  it.each(QUESTIONS)("that asks to %s arrives as it was sent", (name, messages) => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(carried(endpointOf(name).question, message)).toEqual({ message });
      }),
      { numRuns: 100 },
    );
  });

  it.each(ANSWERS)("that answers to %s arrives as it was sent", (name, messages) => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(carried(endpointOf(name).answer, message)).toEqual({ message });
      }),
      { numRuns: 100 },
    );
  });

  it.each(QUESTIONS)("that asks to %s has only names in snake case of its own, and is refused with one more or one less", (name, messages) => {
    const { question } = endpointOf(name);
    fc.assert(
      fc.property(messages, fc.nat(), fc.constantFrom("extra", "__proto__", "toString", "callId"), (message, at, extra) => {
        const written = question.write(message) as Record<string, Json>;
        const names = Object.keys(written);
        for (const one of names) expect(one).toMatch(/^[a-z_]+$/);
        const more: unknown = JSON.parse(`{${JSON.stringify(extra)}:1,${JSON.stringify(written).slice(1)}`);
        expect(readShape(question, more as Json)).toHaveProperty("problem");
        const dropped = names[at % names.length] as string;
        const { [dropped]: _, ...rest } = written;
        const read = readShape(question, rest);
        // Whatever may be left out is left out, and nothing is put in its place.
        if ("message" in read) expect(question.write(read.message)).toEqual(rest);
      }),
      { numRuns: 100 },
    );
  });

  it("is read by own members: what an object inherits is not there", () => {
    const inherited = Object.create({ decision: true, context: { id: "x" } }) as Json;
    expect(readShape(ENDPOINTS.decide.answer, inherited)).toHaveProperty("problem");
  });

  it("says a time in one way", () => {
    const answer = (expires_at: Json): Json => ({ decision: true, context: { id: "d", grant: { id: "g", expires_at } } });
    const good = readShape(ENDPOINTS.decide.answer, answer("2026-05-12T18:30:00.000Z"));
    expect("message" in good && parseDecision(good.message).context.grant).toEqual({ id: "g", expiresAt: Date.UTC(2026, 4, 12, 18, 30) });
    for (const bad of [
      "2026-05-12T18:30:00Z",
      "2026-05-12T18:30:00.000+00:00",
      "2026-02-31T00:00:00.000Z",
      "2026-05-12T24:00:00.000Z",
      "",
      1,
      null,
      "9".repeat(30),
    ])
      expect(readShape(ENDPOINTS.decide.answer, answer(bad))).toHaveProperty("problem");
  });

  it("for people is cut where it is too long, and for programs it is refused", () => {
    const long = {
      decision: false,
      context: { id: "d", refusal: { code: "policy_denied", message: `${"x".repeat(1999)}\u{1f600}`, retryable: false } },
    } as const;
    const read = carried(ENDPOINTS.decide.answer, long);
    expect("message" in read && read.message.context.refusal?.message).toBe(`${"x".repeat(1999)}\ufffd`);
    expect(carried(ENDPOINTS.decide.answer, { decision: false, context: { id: "d".repeat(257) } })).toHaveProperty("problem");
  });
});

describe("the digest of a chain", () => {
  it("is that of one chain", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 }), fc.array(fc.string({ maxLength: 4 }), { maxLength: 4 }), (a, b) => {
        expect(chainHashOf(a) === chainHashOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
    for (const [a, b] of [
      [["a", "b"], ["a,b"]],
      [["ab"], ["a", "b"]],
      [[], [""]],
    ] as const)
      expect(chainHashOf(a)).not.toBe(chainHashOf(b));
  });
});
