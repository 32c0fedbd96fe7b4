import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../../src/data/canonical.ts";
import type { Json, JsonObject } from "../../../src/data/json.ts";
import { createVocabulary } from "../../../src/envelope/vocabulary.ts";
import { parseEnvelope } from "../../../src/envelope/wire.ts";
import { readClaims, type TokenClaims } from "../../../src/token/claims.ts";
import { readPayload } from "../../../src/token/compact.ts";
import { generateKey } from "../../../src/token/key.ts";
import { TOKEN_LIMITS } from "../../../src/token/limits.ts";
import { AMBIT_ENTRY, readEntry, writeEntry } from "../../../src/token/profile/entry.ts";
import { codeOf } from "../../support/codes.ts";
import { ORDER, parse, wires } from "../../support/envelopes.ts";

const holder = await generateKey();
const PINS = { type: AMBIT_ENTRY, vocabulary: ORDER.vocabulary.digest, purposes: ORDER.purposes.digest };

/** The claims of a token with this entry, by way of the text that is signed; undefined for text that no verifier reads. */
function claimsWith(entryText: string, changes: object = {}): TokenClaims | undefined {
  const claims = { jti: "1", iss: "i", iat: 0, exp: 1, del_depth: 0, del_max_depth: 4, cnf: { jwk: holder.public.jwk }, ...changes };
  const text = `${JSON.stringify(claims).slice(0, -1)},"authorization_details":[{"type":"attenuating_agent_token","tools":{}},${entryText}]}`;
  const payload = readPayload(Buffer.from(text));
  if (typeof payload === "string") return undefined;
  const read = readClaims(payload, TOKEN_LIMITS);
  return "claim" in read ? undefined : read;
}

const entryText = (members: object): string => JSON.stringify({ ...members, ...PINS });
const LATER = [
  "its purpose is not in the catalogue",
  "`expires_at` is not `exp`",
  "`max_depth` is not `del_max_depth`",
  "`tools` are not the tools of the envelope",
];

/** Whether the entry reads as an envelope; what the draft's claims and the catalogue say of it is a later question. */
function isRead(claims: TokenClaims, order = ORDER): boolean {
  const read = readEntry(claims, order);
  return typeof read !== "string" || LATER.includes(read);
}

describe("the entry of an envelope", () => {
  it("stands in the token in the order of JCS, so that writing it has nothing to sort", () => {
    fc.assert(
      fc.property(wires, (wire) => {
        const names = Object.keys(writeEntry(parse(wire), ORDER));
        expect(names).toStrictEqual([...names].sort());
      }),
    );
  });

  it("is refused where the envelope would be, by itself", () => {
    const texts = [
      "null",
      "1e999",
      "9007199254740993",
      "1.5",
      "-0",
      '""',
      '"\\ud83d\\ude00"',
      "[]",
      "{}",
      '{"constructor":["a"]}',
      '{"__proto__":1}',
      '["*"]',
      '["a","a"]',
    ];
    const budgets = [
      '{"tools":{"constructor":{"calls":1}}}',
      '{"tools":{"__proto__":{"calls":1}}}',
      '{"tools":{"toString":{"calls":1}}}',
      '{"calls":1e0}',
      '{"calls":-1}',
    ];
    const value = fc.oneof(fc.constantFrom(...texts, ...budgets), fc.json({ maxDepth: 3 }));
    const member = fc.constantFrom(
      ...Object.keys(writeEntry(parse(DEFAULT), ORDER)).filter((name) => !Object.hasOwn(PINS, name)),
      "unknown",
      "__proto__",
      "constructor",
    );
    fc.assert(
      fc.property(wires, member, value, (wire, name, text) => {
        const { [name]: _, ...others } = wire as unknown as JsonObject;
        const json = `{${JSON.stringify(name)}:${text},${JSON.stringify(others).slice(1)}`;
        const claims = claimsWith(`${json.slice(0, -1)},${JSON.stringify(PINS).slice(1)}`);
        if (claims === undefined) return;
        const alone = codeOf(() => parseEnvelope(claims.details[1] === undefined ? null : without(claims.details[1]), ORDER.vocabulary));
        expect(isRead(claims) ? "nothing thrown" : "envelope_malformed").toBe(alone);
      }),
      { numRuns: 3000 },
    );
  });

  it("has no names that reach what objects inherit, though the vocabulary has one", () => {
    const order = { ...ORDER, vocabulary: createVocabulary({ constructor: "subset" }) };
    const pins = { ...PINS, vocabulary: order.vocabulary.digest };
    for (const [constraints, answer] of [
      [{ constructor: ["a"] }, false],
      [{}, true],
    ] as const) {
      const claims = claimsWith(JSON.stringify({ ...DEFAULT, resource_constraints: constraints, ...pins })) as TokenClaims;
      expect(isRead(claims, order)).toBe(answer);
    }
  });

  it("is no larger in a large token than by itself", () => {
    const wire = { ...DEFAULT, resource_constraints: { customer_id: "a".repeat(262_144) } };
    const claims = claimsWith(entryText(wire)) as TokenClaims;
    expect(codeOf(() => parseEnvelope(wire, ORDER.vocabulary))).toBe("envelope_malformed");
    expect(readEntry(claims, ORDER, canonicalJson(claims.signed as Json).length)).toMatch(/larger/);
  });
});

const DEFAULT = {
  ...{ delegator_id: "u", tenant_id: "t", session_id: "s", task_id: "k", purpose: "review", agent_id: "a" },
  ...{ allowed_tools: [], resource_constraints: {}, expires_at: "1970-01-01T00:00:01Z" },
};

function without(entry: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(entry).filter(([name]) => !Object.hasOwn(PINS, name)));
}
