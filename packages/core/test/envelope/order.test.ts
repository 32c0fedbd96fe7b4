import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attenuate, meet, type Narrowing } from "../../src/envelope/attenuate.ts";
import { limitsOf } from "../../src/envelope/budgets.ts";
import type { Envelope } from "../../src/envelope/envelope.ts";
import { isNarrower, reasonsNotNarrower } from "../../src/envelope/is-narrower.ts";
import { AmbitError } from "../../src/errors.ts";
import { canonicalForm, DESIGN_ENVELOPE, ORDER, parse, variantsOf, wires } from "../support/envelopes.ts";

const envelopes = wires.map(parse);
const pairs = wires.chain((a) => fc.tuple(fc.constant(parse(a)), variantsOf(a).map(parse)));
const triples = wires.chain((a) =>
  variantsOf(a).chain((b) => fc.tuple(fc.constant(parse(a)), fc.constant(parse(b)), fc.oneof(variantsOf(b), variantsOf(a)).map(parse))),
);
const within = (child: Envelope, parent: Envelope): boolean => isNarrower(child, parent, ORDER);

/** The meet, or `undefined` where there is none. */
function tryMeet(a: Envelope, b: Envelope): Envelope | undefined {
  try {
    return meet(a, b, ORDER);
  } catch (error) {
    expect(error).toMatchObject({ code: "not_narrower" });
    return undefined;
  }
}

/** Runs a property, and fails when what it is about was met too rarely to mean anything. */
function holds<T>(values: fc.Arbitrary<T>, least: number, property: (value: T) => boolean, numRuns = 1000): void {
  let met = 0;
  fc.assert(
    fc.property(values, (value) => {
      if (property(value)) met += 1;
    }),
    { numRuns },
  );
  expect(met).toBeGreaterThan(least);
}

describe("the order of envelopes (I2)", () => {
  it("is reflexive", () => {
    fc.assert(
      fc.property(envelopes, (a) => {
        expect(reasonsNotNarrower(a, a, ORDER)).toStrictEqual([]);
      }),
    );
  });

  it("is transitive", () => {
    holds(triples, 20, ([c, b, a]) => {
      const isChain = within(a, b) && within(b, c);
      if (isChain) expect(within(a, c)).toBe(true);
      return isChain;
    });
    // Chains by construction, where random ones stop being chains early.
    holds(triples, 200, ([a, b, c]) => {
      const [ab, abc] = [tryMeet(a, b), tryMeet(a, b) === undefined ? undefined : tryMeet(tryMeet(a, b) as Envelope, c)];
      if (ab === undefined || abc === undefined) return false;
      expect([within(abc, ab), within(ab, a), within(abc, a)]).toStrictEqual([true, true, true]);
      return true;
    });
  });

  it("is antisymmetric on canonical forms", () => {
    holds(pairs, 20, ([a, b]) => {
      const isBoth = within(a, b) && within(b, a);
      if (isBoth) expect(canonicalForm(a)).toBe(canonicalForm(b));
      if (canonicalForm(a) === canonicalForm(b)) expect(isBoth).toBe(true);
      return isBoth;
    });
  });
});

describe("a map of money", () => {
  const spending = (budgets: unknown): Envelope => parse({ ...DESIGN_ENVELOPE, purpose: "review", budgets });
  const isChild = (child: unknown, parent: unknown): boolean => within(spending(child), spending(parent));

  it.each([
    ["a further currency", { EUR: 1, USD: 5 }, { EUR: 100 }, false],
    ["another currency", { USD: 5 }, { EUR: 100 }, false],
    ["any currency, where none may be spent", { EUR: 0 }, {}, false],
    ["more of a currency", { EUR: 101 }, { EUR: 100 }, false],
    ["less of a currency", { EUR: 1 }, { EUR: 100 }, true],
    ["a currency less", { EUR: 100 }, { EUR: 100, USD: 5 }, true],
    ["no currency", {}, { EUR: 100 }, true],
    ["currencies, where all may be spent", { EUR: 1, USD: 5 }, undefined, true],
    ["no map, where there is one", undefined, { EUR: 100 }, false],
    ["no map, where none may be spent", undefined, {}, false],
  ])("with %s", (_, child, parent, isNarrowed) => {
    const budgets = (money: unknown): object => (money === undefined ? {} : { money });
    const ofTool = (money: unknown): object => ({ tools: { toString: budgets(money) } });
    expect(isChild(budgets(child), budgets(parent))).toBe(isNarrowed);
    expect(isChild(ofTool(child), ofTool(parent))).toBe(isNarrowed);
  });

  it("is not like a map of rates, whose windows are limits of their own", () => {
    expect(isChild({ rate: { 60: 1, 3600: 5 } }, { rate: { 60: 1 } })).toBe(true);
    expect(isChild({ rate: { 3600: 5 } }, { rate: { 60: 1 } })).toBe(false);
  });
});

describe("meet", () => {
  it("is below both", () => {
    holds(pairs, 200, ([a, b]) => {
      const lower = tryMeet(a, b);
      if (lower === undefined) return false;
      expect([...reasonsNotNarrower(lower, a, ORDER), ...reasonsNotNarrower(lower, b, ORDER)]).toStrictEqual([]);
      return true;
    });
  });

  it("is the greatest of what is below both, and there is nothing below both where it refuses", () => {
    holds(triples, 50, ([a, b, c]) => {
      const lower = tryMeet(a, b);
      const candidates = [c, lower === undefined ? undefined : tryMeet(lower, c), tryMeet(c, b)].filter((candidate) => candidate !== undefined);
      let isMet = false;
      for (const candidate of candidates) {
        if (!within(candidate, a) || !within(candidate, b)) continue;
        expect(lower).toBeDefined();
        expect(reasonsNotNarrower(candidate, lower as Envelope, ORDER)).toStrictEqual([]);
        isMet = true;
      }
      return isMet;
    });
  });

  it("is commutative, associative and idempotent, the holder aside", () => {
    holds(triples, 100, ([a, b, c]) => {
      expect(canonicalForm(meet(a, a, ORDER))).toBe(canonicalForm(a));
      const [ab, ba, bc] = [tryMeet(a, b), tryMeet(b, a), tryMeet(b, c)];
      expect(ab && canonicalForm(ab)).toBe(ba && canonicalForm(ba));
      const left = ab && tryMeet(ab, c);
      const right = bc && tryMeet(a, bc);
      expect(left && canonicalForm(left)).toBe(right && canonicalForm(right));
      return left !== undefined;
    });
  });

  it("has the holder and the use of tools of the second", () => {
    const wire = {
      delegator_id: "u",
      tenant_id: "t",
      session_id: "s",
      task_id: "k",
      purpose: "review",
      resource_constraints: {},
      expires_at: "2026-05-12T18:30:00Z",
    };
    const a = parse({ ...wire, agent_id: "a", allowed_tools: ["x", "y"], may_delegate: ["z"] });
    const b = parse({ ...wire, agent_id: "b", allowed_tools: ["z"], may_delegate: ["x", "w"] });
    expect(meet(a, b, ORDER)).toMatchObject({ agentId: "b", allowedTools: ["z"], mayDelegate: ["x"] });
  });

  it("equals one of two envelopes exactly when that one is below the other", () => {
    holds(pairs, 50, ([a, b]) => {
      const lower = tryMeet(a, b);
      const isEqual = lower !== undefined && canonicalForm(lower) === canonicalForm(b);
      expect(isEqual).toBe(within(b, a));
      return isEqual;
    });
  });
});

describe("attenuate", () => {
  it("stays within the parent whatever is asked for, and throws in exact mode exactly when it had to narrow", () => {
    holds(pairs, 100, ([parent, asked]) => {
      const { agentId, allowedTools, resourceConstraints, budgets, expiresAt } = asked;
      const narrowing: Narrowing = { agentId, allowedTools, resourceConstraints, budgets, expiresAt };
      const { envelope, narrowed } = attenuate(parent, narrowing, ORDER);
      expect(reasonsNotNarrower(envelope, parent, ORDER)).toStrictEqual([]);
      const exact = (): unknown => attenuate(parent, narrowing, ORDER, { exact: true }).envelope;
      if (narrowed.length === 0) expect(exact()).toStrictEqual(envelope);
      else expect(exact).toThrow(expect.objectContaining({ code: "not_narrower" }));
      return narrowed.length > 0;
    });
  });

  it("refuses with a code, or stays within the parent, for narrowings that no type checker has seen", () => {
    const hostile = fc.constantFrom<unknown>(
      ...[null, Number.NaN, Infinity, -Infinity, -0, -1, 1.5, 2 ** 53, 8.64e15, 8.64e15 + 1, "", "\0", "\ud800", "*", "__proto__", "constructor"],
      ...[[], [null], ["*"], ["\ud800"], {}, JSON.parse('{"__proto__":{"calls":9}}'), new Date(0), new Map(), 1n, Symbol("s"), () => 1, true],
    );
    const members = ["agentId", "taskId", "purpose", "allowedTools", "mayDelegate", "deniedTools", "resourceConstraints", "budgets", "approvals", "maxDepth"];
    const narrowings = fc.dictionary(
      fc.constantFrom(...members, "expiresAt", "tenantId", "delegatorId", "sessionId", "unknown", "allowed_tools"),
      fc.oneof(hostile, fc.anything()),
      { maxKeys: 3 },
    );
    fc.assert(
      fc.property(envelopes, narrowings, (parent, narrowing) => {
        let child: Envelope;
        try {
          child = attenuate(parent, narrowing as Narrowing, ORDER).envelope;
        } catch (error) {
          expect(AmbitError.isInstance(error) ? error.code : error).toMatch(/^(envelope_malformed|not_narrower)$/);
          return;
        }
        expect(reasonsNotNarrower(child, parent, ORDER)).toStrictEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it("agrees with the check that was written apart from it, for children that state every dimension", () => {
    let isWithinCount = 0;
    holds(pairs, 100, ([parent, child]) => {
      const isStated =
        Object.keys(parent.resourceConstraints).every((key) => Object.hasOwn(child.resourceConstraints, key)) &&
        [...limitsOf(parent.budgets).keys()].every((name) => name.includes("money/") || limitsOf(child.budgets).has(name)) &&
        ["", ...Object.keys(parent.budgets.tools ?? {})].every((tool) => moneyOf(parent, tool) === undefined || moneyOf(child, tool) !== undefined);
      if (!isStated) return false;
      const isWithin = within(child, parent);
      isWithinCount += Number(isWithin);
      let exact: Envelope | undefined;
      try {
        exact = attenuate(parent, child, ORDER, { exact: true }).envelope;
      } catch (error) {
        expect(error).toMatchObject({ code: "not_narrower" });
      }
      expect(exact !== undefined).toBe(isWithin);
      if (exact !== undefined) expect(canonicalForm(exact)).toBe(canonicalForm(child));
      return !isWithin;
    });
    expect(isWithinCount).toBeGreaterThan(10);
  });

  it("fills in from the parent what a child leaves out, where the check would refuse it", () => {
    holds(pairs, 5, ([parent, child]) => {
      if (within(child, parent)) {
        expect(attenuate(parent, child, ORDER, { exact: true }).narrowed).toStrictEqual([]);
        return false;
      }
      const isOnlyAbsent = reasonsNotNarrower(child, parent, ORDER).every((reason) => isAbsent(reason, child));
      if (isOnlyAbsent) expect(within(attenuate(parent, child, ORDER, { exact: true }).envelope, parent)).toBe(true);
      return isOnlyAbsent;
    });
  });
});

/** The map of money of an envelope, or of one of its tools. */
function moneyOf({ budgets }: Envelope, tool: string): unknown {
  const { tools = {} } = budgets;
  return tool === "" ? budgets.money : Object.hasOwn(tools, tool) ? tools[tool]?.money : undefined;
}

function isAbsent(reason: string, child: Envelope): boolean {
  const name = /(?:resource_constraints|budgets)\.(.+)$/.exec(reason)?.[1];
  return name !== undefined && !Object.hasOwn(child.resourceConstraints, name) && !limitsOf(child.budgets).has(name) && !name.includes("money/");
}
