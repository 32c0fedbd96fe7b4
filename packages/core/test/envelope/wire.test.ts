import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_MAX_DEPTH } from "../../src/envelope/envelope.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";
import { parseEnvelope, serializeEnvelope } from "../../src/envelope/wire.ts";
import { codeOf } from "../support/codes.ts";
import { DESIGN_ENVELOPE, ORDER, parse, wires } from "../support/envelopes.ts";

const vocabulary = createVocabulary();
const refused = (change: object, base: object = DESIGN_ENVELOPE): string => codeOf(() => parse({ ...base, ...change }));
const without = (member: string): object => Object.fromEntries(Object.entries(DESIGN_ENVELOPE).filter(([key]) => key !== member));
const constrained = (constraints: object): string => refused({ resource_constraints: { ...DESIGN_ENVELOPE.resource_constraints, ...constraints } });
const budgeted = (budgets: unknown): string => refused({ budgets });

const WRONG = [null, true, 1, "", "*", [], {}, ["a b"], [null], [1], [["crm.read"]], { a: 1 }];

describe("parseEnvelope", () => {
  it("reads the envelope of the design as it stands", () => {
    const text = JSON.stringify(DESIGN_ENVELOPE, undefined, 2);
    expect(parseEnvelope(JSON.parse(text), vocabulary, "renewal-reviewer")).toStrictEqual({
      delegatorId: "user_7f3a91",
      tenantId: "tenant_acme",
      sessionId: "sess_2026_05_12_001",
      taskId: "task_contract_renewal_review_8842",
      purpose: "review_customer_contract_for_renewal_risk",
      agentId: "renewal-reviewer",
      allowedTools: ["contracts.read", "crm.read", "tickets.create"],
      mayDelegate: [],
      deniedTools: [],
      resourceConstraints: {
        contract_ids: ["contract_7781"],
        customer_id: "cust_acme_1042",
        data_classes: ["contract_metadata", "renewal_terms", "support_summary"],
        max_records: 25,
      },
      budgets: {},
      approvals: [],
      maxDepth: DEFAULT_MAX_DEPTH,
      expiresAt: Date.UTC(2026, 4, 12, 18, 30),
    });
  });

  it("and writing it back are inverse", () => {
    const envelope = parse(DESIGN_ENVELOPE);
    expect(serializeEnvelope(envelope)).toMatchObject({ ...DESIGN_ENVELOPE, expires_at: "2026-05-12T18:30:00.000Z" });
    fc.assert(
      fc.property(wires, (wire) => {
        const parsed = parse(wire);
        expect(parse(JSON.parse(JSON.stringify(serializeEnvelope(parsed))))).toStrictEqual(parsed);
      }),
    );
  });

  it("takes the holder from the envelope, else from who presents it", () => {
    expect(parseEnvelope({ ...DESIGN_ENVELOPE, agent_id: "named" }, vocabulary, "presenter").agentId).toBe("named");
    expect(codeOf(() => parseEnvelope(DESIGN_ENVELOPE, vocabulary))).toBe("envelope_malformed");
    expect(codeOf(() => parseEnvelope(DESIGN_ENVELOPE, vocabulary, "no id"))).toBe("envelope_malformed");
    expect(codeOf(() => parseEnvelope({ ...DESIGN_ENVELOPE, agent_id: null }, vocabulary, "presenter"))).toBe("envelope_malformed");
  });

  it("gives a canonical envelope: sorted, no repetition, no tool that is denied or named twice", () => {
    const envelope = parse({ ...DESIGN_ENVELOPE, allowed_tools: ["b", "a", "c", "a"], may_delegate: ["d", "c", "b", "e"], denied_tools: ["e", "c"] });
    expect(envelope).toMatchObject({ allowedTools: ["a", "b"], mayDelegate: ["d"], deniedTools: ["c", "e"] });
  });

  it("freezes all of it", () => {
    const envelope = parse({ ...DESIGN_ENVELOPE, budgets: { calls: 1, money: { EUR: 1 }, tools: { "crm.read": { rate: { 60: 1 } } } } });
    const isFrozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect(isFrozen(envelope)).toBe(true);
  });

  it.each([null, undefined, "", "{}", 1, true, [], [DESIGN_ENVELOPE], new Map(), () => DESIGN_ENVELOPE])("refuses %j, which is no object", (value) => {
    expect(codeOf(() => parse(value))).toBe("envelope_malformed");
  });

  it.each(["delegator_id", "tenant_id", "session_id", "task_id", "purpose", "allowed_tools", "resource_constraints", "expires_at"])(
    "refuses an envelope without %s",
    (member) => {
      expect(codeOf(() => parse(without(member)))).toBe("envelope_malformed");
      expect(refused({ [member]: undefined })).toBe("envelope_malformed");
    },
  );

  it.each(["delegator_id", "tenant_id", "session_id", "task_id", "purpose", "agent_id"])("refuses a %s that is no id", (member) => {
    for (const value of [...WRONG.filter((wrong) => wrong !== "*"), "a b", "Zoë", "a\n", "a".repeat(257), "a\0"])
      expect(refused({ [member]: value })).toBe("envelope_malformed");
  });

  it.each(["allowed_tools", "may_delegate", "denied_tools", "approvals"])(
    "refuses %s that are no list of tool ids; wildcards and `null` are none",
    (member) => {
      const lists = [["*"], ["crm.*"], ["crm.read", "*"], ["**"], [""], ["a/b"], ["crm.read "], "crm.read", { 0: "crm.read" }];
      for (const value of [...WRONG.filter((wrong) => !Array.isArray(wrong) || wrong.length > 0), ...lists])
        expect(refused({ [member]: value })).toBe("envelope_malformed");
      expect(parse({ ...DESIGN_ENVELOPE, [member]: [] })).toBeDefined();
    },
  );

  it("refuses members that it does not know, also those that a prototype has", () => {
    for (const member of ["scope", "allowedTools", "Allowed_Tools", "allowed_tools ", "toString", "", "$schema"])
      expect(refused({ [member]: [] })).toBe("envelope_malformed");
    expect(codeOf(() => parse(JSON.parse(`{"__proto__":{"allowed_tools":["admin"]},${JSON.stringify(DESIGN_ENVELOPE).slice(1)}`)))).toBe("envelope_malformed");
  });

  it("never reads an inherited member", () => {
    Object.defineProperty(Object.prototype, "denied_tools", { value: ["crm.read"], configurable: true, writable: true });
    Object.defineProperty(Object.prototype, "allowed_tools", { value: ["admin"], configurable: true, writable: true });
    try {
      expect(parse(DESIGN_ENVELOPE).deniedTools).toStrictEqual([]);
      expect(codeOf(() => parse(without("allowed_tools")))).toBe("envelope_malformed");
    } finally {
      Reflect.deleteProperty(Object.prototype, "denied_tools");
      Reflect.deleteProperty(Object.prototype, "allowed_tools");
    }
  });

  it("refuses resource constraints that are not of their kind or not in the vocabulary", () => {
    for (const constraints of [null, [], "", 1, true, [["customer_id", "a"]]])
      expect(refused({ resource_constraints: constraints })).toBe("envelope_malformed");
    for (const value of [null, "", {}, ["cust"], 1.5, -1, [null]]) expect(constrained({ customer_id: value })).toBe("envelope_malformed");
    for (const value of [null, "contract_7781", {}, [1], [""], [null], [["a"]], true]) expect(constrained({ contract_ids: value })).toBe("envelope_malformed");
    for (const value of [null, "25", -1, 1.5, Number.NaN, Infinity, 2 ** 53, [], [25], true, {}])
      expect(constrained({ max_records: value })).toBe("envelope_malformed");
    for (const value of [null, "data", "/data/", "/a//b", "/../a", "/a/.", "", 1, {}, ["/a", "b"], [null]])
      expect(constrained({ path_prefix: value })).toBe("envelope_malformed");
    for (const key of ["region", "Customer_Id", "toString", "constructor", "customer_id ", "*"])
      expect(constrained({ [key]: "eu" })).toBe("envelope_malformed");
    expect(constrained({ customer_id: [], contract_ids: [], path_prefix: [], data_classes: [], max_records: 0 })).toBe("nothing thrown");
  });

  it("refuses budgets that are not whole, named and non-negative", () => {
    for (const budgets of [null, [], 1, "", { calls: -1 }, { calls: 1.5 }, { calls: null }, { calls: "1" }, { records: 2 ** 53 }, { calls: [1] }]) {
      expect(budgeted(budgets)).toBe("envelope_malformed");
    }
    for (const money of [null, 5, [], { eur: 1 }, { EURO: 1 }, { EUR: -1 }, { EUR: 0.5 }, { EUR: "1" }, { "": 1 }])
      expect(budgeted({ money })).toBe("envelope_malformed");
    for (const rate of [null, 5, { 0: 1 }, { "01": 1 }, { "-1": 1 }, { "1.5": 1 }, { "1e3": 1 }, { minute: 1 }, { 60: -1 }])
      expect(budgeted({ rate })).toBe("envelope_malformed");
    for (const tools of [
      null,
      [],
      1,
      { "*": {} },
      { "a b": {} },
      { a: 1 },
      { a: null },
      { a: [] },
      { a: { calls: -1 } },
      { a: { tools: {} } },
      { a: { other: 1 } },
    ]) {
      expect(budgeted({ tools })).toBe("envelope_malformed");
    }
    expect(budgeted({ unknown: 1 })).toBe("envelope_malformed");
    expect(budgeted({ calls: 0, records: Number.MAX_SAFE_INTEGER, money: { EUR: 0 }, rate: { 60: 5 }, tools: { __proto: { calls: 1 } } })).toBe(
      "nothing thrown",
    );
  });

  it.each([null, "4", -1, 1.5, 65, 2 ** 53, Number.NaN, [], {}])("refuses the max_depth %j", (depth) => {
    expect(refused({ max_depth: depth })).toBe("envelope_malformed");
  });

  it.each([
    ...["", "2026-05-12", "2026-05-12T18:30:00", "2026-05-12T18:30:00+02:00", "2026-05-12 18:30:00Z", "2026-05-12T18:30Z", "2026-05-12t18:30:00z"],
    ...["2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-05-12T24:00:00Z", "2026-05-12T23:60:00Z", "2026-06-30T23:59:60Z", "1969-12-31T23:59:59Z"],
    ...["2026-05-12T18:30:00.1234Z", "+010000-01-01T00:00:00Z", "٢٠٢٦-٠٥-١٢T18:30:00Z", "2026-05-12T18:30:00Z\n", "now", "never"],
    ...[null, 0, 1_778_610_600_000, Number.NaN, true, [], ["2026-05-12T18:30:00Z"], {}],
  ])("refuses %j as an instant", (instant) => {
    expect(refused({ expires_at: instant })).toBe("envelope_malformed");
  });

  it.each([
    ["2026-05-12T18:30:00.5Z", Date.UTC(2026, 4, 12, 18, 30, 0, 500)],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["1970-01-01T00:00:00Z", 0],
    ["9999-12-31T23:59:59.999Z", Date.UTC(9999, 11, 31, 23, 59, 59, 999)],
  ])("reads the instant %s, whether or not it has passed", (instant, time) => {
    expect(parse({ ...DESIGN_ENVELOPE, expires_at: instant }).expiresAt).toBe(time);
  });

  it("reads of all days and hours those that there are", () => {
    const two = (value: number): string => String(value).padStart(2, "0");
    const wrong: string[] = [];
    for (const year of ["0000", "1900", "1970", "2000", "2024", "2026", "2100"]) {
      for (let month = 0; month <= 13; month++) {
        for (let day = 0; day <= 32; day++) {
          for (const clock of ["00:00:00Z", "23:59:59.999Z", "24:00:00Z", "23:59:60Z"]) {
            const text = `${year}-${two(month)}-${two(day)}T${clock}`;
            const time = Date.parse(text);
            const isReal = time >= 0 && new Date(time).toISOString().slice(0, 19) === text.slice(0, 19);
            if ((refused({ expires_at: text, agent_id: "a" }) === "nothing thrown") !== isReal) wrong.push(text);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("for any input: refuses with its code, or gives an envelope that reads back as itself", () => {
    const hostile = fc.oneof(fc.anything(), fc.constantFrom<unknown>(Number.NaN, -0, 2 ** 53, "", "*", "__proto__", "\ud800", [], {}, null));
    const members = fc.constantFrom(...Object.keys(serializeEnvelope(parse(DESIGN_ENVELOPE))), "constructor", "unknown");
    fc.assert(
      fc.property(wires, members, hostile, (wire, member, value) => {
        const code = codeOf(() => parse({ ...wire, [member]: value }));
        expect(code).toMatch(/^(envelope_malformed|nothing thrown)$/);
        if (code === "envelope_malformed") return;
        const parsed = parse({ ...wire, [member]: value });
        expect(parse(serializeEnvelope(parsed))).toStrictEqual(parsed);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("serializeEnvelope", () => {
  it.each([Number.NaN, Infinity, 1.5, 8.64e15 + 1, 2 ** 53, null, "2026-05-12T18:30:00Z"])("refuses %j as a time", (expiresAt) => {
    expect(codeOf(() => serializeEnvelope({ ...parse(DESIGN_ENVELOPE), expiresAt: expiresAt as number }))).toBe("envelope_malformed");
  });

  it("is plain JSON with the vocabulary's keys only", () => {
    const wire = serializeEnvelope(parse({ ...DESIGN_ENVELOPE, agent_id: "a" }));
    expect(JSON.parse(JSON.stringify(wire))).toStrictEqual(wire);
    expect(Object.keys(wire["resource_constraints"] as object).every((key) => ORDER.vocabulary.kinds.has(key))).toBe(true);
  });
});
