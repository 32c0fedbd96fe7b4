import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attenuate, meet, type Narrowing } from "../../src/envelope/attenuate.ts";
import type { Envelope } from "../../src/envelope/envelope.ts";
import { isNarrower } from "../../src/envelope/is-narrower.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";
import { parseEnvelope, serializeEnvelope } from "../../src/envelope/wire.ts";
import { codeOf } from "../support/codes.ts";
import { ORDER, parse, variantsOf, wires } from "../support/envelopes.ts";

const PARENT = parse({
  delegator_id: "u",
  tenant_id: "t",
  session_id: "s",
  task_id: "task",
  purpose: "review",
  agent_id: "parent",
  allowed_tools: ["a", "b"],
  may_delegate: ["c"],
  denied_tools: ["d"],
  resource_constraints: { customer_id: "c1", contract_ids: ["k1", "k2"], max_records: 25, path_prefix: ["/data"] },
  budgets: { calls: 10, money: { EUR: 500 }, tools: { a: { calls: 2, money: { EUR: 50 } } } },
  approvals: ["b"],
  max_depth: 2,
  expires_at: "2026-05-12T18:30:00Z",
});

const exact = (narrowing: object): ReturnType<typeof attenuate> => attenuate(PARENT, narrowing as Narrowing, ORDER, { exact: true });
const narrowedBy = (narrowing: object): readonly unknown[] => attenuate(PARENT, narrowing as Narrowing, ORDER).narrowed;

describe("attenuate", () => {
  it("takes over what a child does not name", () => {
    expect(exact({ agentId: "child" }).envelope).toStrictEqual({ ...PARENT, agentId: "child" });
    expect(exact({ allowedTools: undefined, budgets: undefined, deniedTools: undefined }).envelope).toStrictEqual(PARENT);
  });

  it("takes over single constraints and limits that a child does not name", () => {
    const { envelope } = exact({ resourceConstraints: { max_records: 5, is_internal: true }, budgets: { records: 7, rate: { 60: 1 } } });
    expect(envelope.resourceConstraints).toStrictEqual({ ...PARENT.resourceConstraints, max_records: 5, is_internal: true });
    expect(envelope.budgets).toStrictEqual({ calls: 10, records: 7, money: { EUR: 500 }, rate: { 60: 1 }, tools: { a: { calls: 2, money: { EUR: 50 } } } });
  });

  it("leaves the currencies that both maps of money name, and none when there is none", () => {
    const moneyFor = (money: Record<string, number>, tool?: string): unknown => {
      const { budgets } = attenuate(PARENT, { budgets: tool === undefined ? { money } : { tools: { [tool]: { money } } } }, ORDER).envelope;
      return tool === undefined ? budgets.money : budgets.tools?.[tool]?.money;
    };
    expect([moneyFor({ EUR: 1, USD: 5 }), moneyFor({ USD: 5 }), moneyFor({})]).toStrictEqual([{ EUR: 1 }, {}, {}]);
    expect([moneyFor({ USD: 5 }, "a"), moneyFor({ USD: 5 }, "b")]).toStrictEqual([{}, { USD: 5 }]);
    expect(exact({ budgets: { money: {} } }).envelope.budgets.money).toStrictEqual({});
  });

  it("gives no tools but those that are named, when any are", () => {
    expect(exact({ allowedTools: ["c"] }).envelope).toMatchObject({ allowedTools: ["c"], mayDelegate: [] });
    expect(exact({ mayDelegate: ["a"] }).envelope).toMatchObject({ allowedTools: [], mayDelegate: ["a"] });
    expect(exact({ allowedTools: [] }).envelope).toMatchObject({ allowedTools: [], mayDelegate: [] });
  });

  it.each([
    ["a tool out of reach", { allowedTools: ["a", "x"] }, "allowed_tools", ["a", "x"], ["a"]],
    ["a tool that the parent denies", { allowedTools: ["a", "d"] }, "allowed_tools", ["a", "d"], ["a"]],
    ["to hand on a tool out of reach", { mayDelegate: ["x"] }, "may_delegate", ["x"], []],
    ["fewer denied tools", { deniedTools: [] }, "denied_tools", [], ["d"]],
    ["fewer approvals", { approvals: ["a"] }, "approvals", ["a"], ["a", "b"]],
    ["more records", { resourceConstraints: { max_records: 26 } }, "resource_constraints.max_records", 26, 25],
    ["another customer", { resourceConstraints: { customer_id: "c2" } }, "resource_constraints.customer_id", "c2", []],
    ["further contracts", { resourceConstraints: { contract_ids: ["k1", "k3"] } }, "resource_constraints.contract_ids", ["k1", "k3"], ["k1"]],
    ["a path further up", { resourceConstraints: { path_prefix: "/" } }, "resource_constraints.path_prefix", ["/"], ["/data"]],
    ["more calls", { budgets: { calls: 11 } }, "budgets.calls", 11, 10],
    ["more calls of one tool", { budgets: { tools: { a: { calls: 3 } } } }, "budgets.tools/a/calls", 3, 2],
    ["more money", { budgets: { money: { EUR: 501 } } }, "budgets.money/EUR", 501, 500],
    ["money of a further currency", { budgets: { money: { EUR: 1, USD: 5 } } }, "budgets.money/USD", 5, null],
    ["money of a further currency only", { budgets: { money: { USD: 5 } } }, "budgets.money/USD", 5, null],
    ["money of a further currency for one tool", { budgets: { tools: { a: { money: { USD: 5 } } } } }, "budgets.tools/a/money/USD", 5, null],
    ["more depth", { maxDepth: 3 }, "max_depth", 3, 2],
    ["more time", { expiresAt: PARENT.expiresAt + 1 }, "expires_at", "2026-05-12T18:30:00.001Z", "2026-05-12T18:30:00.000Z"],
  ])("says so when it was asked for %s", (_, narrowing, dimension, asked, granted) => {
    expect(narrowedBy(narrowing)).toStrictEqual([{ dimension, asked, granted }]);
    expect(codeOf(() => exact(narrowing))).toBe("not_narrower");
    expect(isNarrower(attenuate(PARENT, narrowing as Narrowing, ORDER).envelope, PARENT, ORDER)).toBe(true);
  });

  it("does not count what a child denies itself as taken away", () => {
    expect(exact({ allowedTools: ["a", "b"], deniedTools: ["b", "d"] }).envelope).toMatchObject({ allowedTools: ["a"], deniedTools: ["b", "d"] });
  });

  it.each([
    ["another purpose", { purpose: "other" }],
    ["a purpose that nobody knows", { purpose: "unknown" }],
    ["another task", { taskId: "task2" }],
    ["a task that only looks like a part", { taskId: "task-a/sub" }],
    ["another tenant", { tenantId: "t2" }],
    ["another delegator", { delegatorId: "u2" }],
    ["another session", { sessionId: "s2" }],
  ])("refuses %s, exact or not", (_, narrowing) => {
    expect(codeOf(() => exact(narrowing))).toBe("not_narrower");
    expect(codeOf(() => narrowedBy(narrowing))).toBe("not_narrower");
  });

  it("goes down to a part of the task and of the purpose, and stays there", () => {
    const child = exact({ taskId: "task/sub", purpose: "classify" }).envelope;
    expect(child).toMatchObject({ taskId: "task/sub", purpose: "classify" });
    expect(attenuate(child, { taskId: "task", purpose: "review" }, ORDER)).toMatchObject({
      envelope: { taskId: "task/sub", purpose: "classify" },
      narrowed: [{ dimension: "task_id" }, { dimension: "purpose" }],
    });
  });

  it.each(Object.keys(PARENT))("refuses `null` as %s", (member) => {
    expect(codeOf(() => exact({ [member]: null }))).toBe("envelope_malformed");
  });

  it.each(["allowed_tools", "scope", "toString", "data", ""])("refuses the unknown member %j", (member) => {
    expect(codeOf(() => exact({ [member]: ["a"] }))).toBe("envelope_malformed");
  });

  it("freezes what it gives", () => {
    const { envelope, narrowed } = attenuate(PARENT, { maxDepth: 9, resourceConstraints: { contract_ids: ["k1"] } }, ORDER);
    const isFrozen = (value: unknown): boolean =>
      typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    expect([isFrozen(envelope), isFrozen(narrowed)]).toStrictEqual([true, true]);
  });

  describe("what is asked for", () => {
    /** By way of the wire: the parent with what is asked for in place of its own, read as anybody would read it. */
    const byWire = (parent: Envelope, narrowing: Narrowing): Envelope => {
      const { allowedTools, mayDelegate, deniedTools, resourceConstraints = {}, ...rest } = narrowing;
      const named = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
      const tools = allowedTools === undefined && mayDelegate === undefined ? {} : { allowedTools: allowedTools ?? [], mayDelegate: mayDelegate ?? [] };
      const constraints = { ...parent.resourceConstraints, ...resourceConstraints };
      const asked = parse(serializeEnvelope({ ...parent, ...named, ...tools, deniedTools: deniedTools ?? [], resourceConstraints: constraints }));
      return meet(parent, deniedTools === undefined ? { ...asked, deniedTools: parent.deniedTools } : asked, ORDER);
    };
    const outcome = (attempt: () => Envelope): unknown => {
      const code = codeOf(attempt);
      return code === "nothing thrown" ? attempt() : code;
    };
    const members = fc.subarray(Object.keys(PARENT), { maxLength: 4 });

    it("is read as it would be from a wire", () => {
      const cases = wires.chain((wire) => fc.tuple(fc.constant(wire), variantsOf(wire), members));
      fc.assert(
        fc.property(cases, ([wire, other, named]) => {
          const parent = parse(wire);
          const asked = Object.fromEntries(Object.entries(parse(other)).filter(([member]) => named.includes(member))) as Narrowing;
          expect(outcome(() => attenuate(parent, asked, ORDER).envelope)).toStrictEqual(outcome(() => byWire(parent, asked)));
        }),
        { numRuns: 1000 },
      );
    });

    it("is refused where it would be from a wire", () => {
      const lists = [["b", "a", "b"], ["*"], [null], ["__proto__", "constructor"], { length: 1 }, new Set(["a"])];
      const values = [
        null,
        undefined,
        Number.NaN,
        -0,
        -1,
        0.5,
        2 ** 53,
        8.64e15,
        Date.UTC(9999, 11, 31, 23, 59, 59, 999) + 1,
        "",
        "a b",
        "\ud800",
        "a\0",
        "ü",
        {},
        [],
        true,
      ];
      const maps: readonly object[] = [
        { customer_id: "\ud800" },
        { customer_id: "a\0" },
        { max_records: -0 },
        { region: "eu" },
        { contract_ids: ["k2", "k1"] },
        { constructor: ["a"] },
      ];
      const budgets = [
        { tools: { constructor: { calls: 1 } } },
        { tools: JSON.parse('{"__proto__":{"calls":1}}') as object },
        { calls: -1 },
        { calls: Number.NaN },
      ];
      const hostile = fc.oneof(
        fc.constantFrom<unknown>(...lists, ...values, ...maps, ...budgets, new Date(0), new Map(), () => 1),
        fc.anything(),
      );
      const ignored = ["resourceConstraints"]; // a list or text in its place is spread by the reference
      fc.assert(
        fc.property(fc.constantFrom(...Object.keys(PARENT)), hostile, (member, value) => {
          if (value === null || (ignored.includes(member) && !isPlainObject(value))) return;
          const asked = { [member]: value } as Narrowing;
          expect(outcome(() => attenuate(PARENT, asked, ORDER).envelope)).toStrictEqual(outcome(() => byWire(PARENT, asked)));
        }),
        { numRuns: 3000 },
      );
    });

    it("is looked at together with a parent that nobody has read", () => {
      const parent = { ...PARENT, allowedTools: ["b", "a", "b"], approvals: ["b", "a"] };
      expect(attenuate(parent, {}, ORDER).envelope).toMatchObject({ allowedTools: ["a", "b"], approvals: ["a", "b"] });
      for (const wrong of [
        { allowedTools: ["*"] },
        { agentId: "" },
        { expiresAt: Number.NaN },
        { maxDepth: 65 },
        { budgets: { calls: -1 } },
        { tenantId: undefined },
      ])
        expect(codeOf(() => attenuate({ ...PARENT, ...wrong } as Envelope, {}, ORDER))).toBe("envelope_malformed");
      const constraints = new Map(Object.entries(PARENT.resourceConstraints)) as unknown as Envelope["resourceConstraints"];
      expect(codeOf(() => attenuate({ ...PARENT, resourceConstraints: constraints }, {}, ORDER))).toBe("envelope_malformed");
      for (const customer_id of ["\ud800", "a\0"])
        expect(codeOf(() => attenuate({ ...PARENT, resourceConstraints: { ...PARENT.resourceConstraints, customer_id } }, {}, ORDER))).toBe(
          "envelope_malformed",
        );
    });
  });
});

describe("attenuate of an envelope that was made here", () => {
  const made = { ...JSON.parse(JSON.stringify(serializeEnvelope(PARENT))), resource_constraints: { case_ids: ["a"] } } as object;
  const orderWith = (kind: string): typeof ORDER => ({ ...ORDER, vocabulary: createVocabulary({ case_ids: kind }) });
  const [ours, same, other] = [orderWith("subset"), orderWith("subset"), orderWith("equal")];
  const parent = parseEnvelope(made, ours.vocabulary);

  it("takes constraints over that nobody names, and reads them again where they are compared by another vocabulary", () => {
    expect(attenuate(parent, {}, ours).envelope.resourceConstraints).toBe(parent.resourceConstraints);
    expect(attenuate(parent, {}, same).envelope.resourceConstraints).toEqual(parent.resourceConstraints);
    for (const order of [ORDER, other]) {
      for (const narrowing of [{}, { taskId: "task/1" }, { resourceConstraints: {} }]) {
        expect(codeOf(() => attenuate(parent, narrowing, order))).toBe("envelope_malformed");
        expect(codeOf(() => attenuate(attenuate(parent, {}, ours).envelope, narrowing, order))).toBe("envelope_malformed");
        expect(codeOf(() => attenuate(attenuate(parent, {}, same).envelope, narrowing, order))).toBe("envelope_malformed");
      }
    }
  });

  it("reads a copy of it again, whatever was put into the copy", () => {
    const copy = { ...parent, resourceConstraints: { ...parent.resourceConstraints, unknown: 1 } };
    expect(codeOf(() => attenuate(copy, {}, ours))).toBe("envelope_malformed");
    expect(attenuate({ ...parent }, {}, ours).envelope).toEqual(attenuate(parent, {}, ours).envelope);
  });
});

function isPlainObject(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)
  );
}
