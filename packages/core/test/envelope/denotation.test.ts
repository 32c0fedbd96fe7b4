import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attenuate, meet } from "../../src/envelope/attenuate.ts";
import { isNarrower } from "../../src/envelope/is-narrower.ts";
import { serializeEnvelope } from "../../src/envelope/wire.ts";
import { ORDER, parse } from "../support/envelopes.ts";

/*
 * INVARIANT I2 by brute force: what an envelope allows, written once more from the table of DESIGN section 3.1, on the wire form and without any
 * code of `src`. Every question of a small universe is put to child and parent. The universe has, in every dimension, a value that no
 * envelope here names, so that "absent" and "everything that was named" differ.
 */
interface Question {
  readonly tool: string;
  readonly customer: string;
  readonly contracts: readonly string[];
  readonly path: string;
  readonly records: number;
  readonly dataClass: string;
  readonly score: number;
  readonly time: string;
}

const UNIVERSE = {
  tool: ["read", "write", "__proto__", "other"],
  customer: ["c1", "c2", "other"],
  contracts: [["k1"], ["k2"], ["k1", "other"]],
  path: ["/d", "/d/a", "/d/ab", "/other", "relative"],
  records: [1, 5, 1000],
  dataClass: ["x", "y", "other"],
  score: [0, 1, 5],
  time: ["2026-01-01T00:00:00.000Z", "2026-06-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"],
} as const;

const QUESTIONS: readonly Question[] = Object.entries(UNIVERSE).reduce<Record<string, unknown>[]>(
  (questions, [member, values]) => questions.flatMap((question) => values.map((value) => ({ ...question, [member]: value }))),
  [{}],
) as unknown as readonly Question[];

type Plain = Readonly<Record<string, unknown>>;

function allows(envelope: Plain, question: Question): boolean {
  const list = (member: string): readonly unknown[] => (envelope[member] ?? []) as readonly unknown[];
  const constraints = envelope["resource_constraints"] as Plain;
  const fits = (key: string, check: (constraint: never) => boolean): boolean => !(key in constraints) || check(constraints[key] as never);
  return (
    [...list("allowed_tools"), ...list("may_delegate")].indexOf(question.tool) !== -1 &&
    list("denied_tools").indexOf(question.tool) === -1 &&
    Date.parse(question.time) < Date.parse(envelope["expires_at"] as string) &&
    fits("customer_id", (one: unknown) => one === question.customer) &&
    fits("contract_ids", (many: readonly string[]) => question.contracts.filter((contract) => many.indexOf(contract) === -1).length === 0) &&
    fits("data_classes", (many: readonly string[]) => many.indexOf(question.dataClass) !== -1) &&
    fits("max_records", (most: number) => !(question.records > most)) &&
    fits("min_score", (least: number) => !(question.score < least)) &&
    fits("path_prefix", (prefixes: string | readonly string[]) =>
      [prefixes].flat().some((prefix) => (prefix === "/" && question.path.indexOf("/") === 0) || `${question.path}/`.indexOf(`${prefix}/`) === 0),
    )
  );
}

const denotation = (envelope: Plain): readonly Question[] => QUESTIONS.filter((question) => allows(envelope, question));

const some = <T>(values: readonly T[]): fc.Arbitrary<T[]> => fc.subarray([...values]);
const constraintArbitraries = {
  customer_id: fc.constantFrom<unknown>("c1", "c1", "c2", []),
  contract_ids: some(["k1", "k2"]),
  data_classes: some(["x", "y"]),
  max_records: fc.constantFrom(1, 5),
  min_score: fc.constantFrom(1, 5),
  path_prefix: fc.oneof(some(["/d", "/d/a", "/d/ab"]), fc.constantFrom("/", "/d")),
};
const constraints = fc.record(constraintArbitraries, { requiredKeys: [] });
const claims: fc.Arbitrary<Plain> = fc.record({
  delegator_id: fc.constant("u"),
  tenant_id: fc.constant("t"),
  session_id: fc.constant("s"),
  task_id: fc.constant("k"),
  purpose: fc.constant("review"),
  allowed_tools: fc.subarray(["read", "write", "__proto__"], { minLength: 1 }),
  may_delegate: some(["read", "write"]),
  denied_tools: fc.oneof({ weight: 4, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: some(["write"]) }),
  resource_constraints: constraints,
  expires_at: fc.constantFrom("2026-03-01T00:00:00Z", "2026-09-01T00:00:00Z"),
});

/** A child that keeps most of its parent: a few members and constraints of another envelope, or left out. */
const pairs = fc
  .tuple(claims, claims, some(["allowed_tools", "may_delegate", "denied_tools", "expires_at"]), some(Object.keys(constraintArbitraries)), fc.boolean())
  .map(([parent, other, members, keys, isSparse]): readonly [Plain, Plain] => {
    const pick = (from: Plain, names: readonly string[]): Plain => Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]]));
    const inherited = parent["resource_constraints"] as Plain;
    const kept = isSparse ? pick(inherited, Object.keys(inherited).slice(1)) : inherited;
    const mixed = { ...kept, ...pick(other["resource_constraints"] as Plain, keys) };
    return [parent, { ...parent, ...pick(other, members), resource_constraints: mixed }];
  });

describe("what an envelope allows, by brute force over a small universe", () => {
  it("asks every question", () => {
    expect(QUESTIONS).toHaveLength(4 * 3 * 3 * 5 * 3 * 3 * 3 * 3);
  });

  it("is never more for a child than for its parent, and whatever allows less is a child", () => {
    let [children, others] = [0, 0];
    fc.assert(
      fc.property(pairs, ([parent, child]) => {
        const [below, above] = [denotation(child), new Set(denotation(parent))];
        const isWithin = below.every((question) => above.has(question));
        const isChild = isNarrower(parse(child), parse(parent), ORDER);
        if (isChild) {
          expect(isWithin).toBe(true);
          children += 1;
        } else if (below.length > 0 && (parent["denied_tools"] as readonly string[]).length === 0) {
          // An envelope that allows nothing is within everything, and a deny list may deny what nobody reaches: both aside, the order is exact.
          expect(isWithin).toBe(false);
          others += 1;
        }
      }),
      { numRuns: 300 },
    );
    expect(Math.min(children, others)).toBeGreaterThan(30);
  });

  it("is for a meet exactly what both allow", () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const both = denotation(serializeEnvelope(meet(parse(a), parse(b), ORDER)));
        const inB = new Set(denotation(b));
        expect(both).toStrictEqual(denotation(a).filter((question) => inB.has(question)));
      }),
      { numRuns: 100 },
    );
  });

  it("only shrinks along a chain of attenuations, whatever each link asks for", () => {
    fc.assert(
      fc.property(claims, fc.array(claims, { minLength: 1, maxLength: 4 }), (root, links) => {
        let envelope = parse(root);
        let allowed = new Set(denotation(root));
        for (const link of links) {
          const { allowedTools, mayDelegate, deniedTools, resourceConstraints, expiresAt } = parse(link);
          envelope = attenuate(envelope, { allowedTools, mayDelegate, deniedTools, resourceConstraints, expiresAt }, ORDER).envelope;
          const next = denotation(serializeEnvelope(envelope));
          expect(next.every((question) => allowed.has(question))).toBe(true);
          allowed = new Set(next);
        }
      }),
      { numRuns: 100 },
    );
  });
});
