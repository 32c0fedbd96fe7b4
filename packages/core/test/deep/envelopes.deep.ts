import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/data/json.ts";
import { attenuate, type Narrowing } from "../../src/envelope/attenuate.ts";
import type { Envelope } from "../../src/envelope/envelope.ts";
import { isNarrower } from "../../src/envelope/is-narrower.ts";
import { serializeEnvelope } from "../../src/envelope/wire.ts";
import { AmbitError } from "../../src/errors.ts";
import { widerDimensions } from "../spec/second-checker.ts";
import { ORDER, parse, variantsOf, wires, type Wire } from "../support/envelopes.ts";
import { casesOf, count, counted, say, SEED } from "./runs.ts";

const CASES = 300_000;

/** The purposes of `ORDER`, as the second checker wants them. */
const PURPOSES = ["review", "classify", "summarise", "classify_clauses", "other"];
const CATALOGUE = Object.fromEntries(PURPOSES.map((purpose) => [purpose, { parent: ORDER.purposes.parentOf(purpose) ?? null }]));

/** Written down in its one form, which is what the second checker reads. */
const wider = (child: Envelope, parent: Envelope): readonly string[] =>
  widerDimensions(serializeEnvelope(child), serializeEnvelope(parent), ORDER.vocabulary.kinds, CATALOGUE);

// One dimension at a time too: among pairs that differ in many, a dimension that is not looked at would hide behind the others.
const pairs: fc.Arbitrary<readonly [Wire, Wire]> = wires.chain((above) =>
  fc.tuple(
    fc.constant(above),
    fc.oneof(
      variantsOf(above),
      fc.tuple(wires, fc.constantFrom(...MEMBERS)).map(([other, member]) => ({ ...above, [member]: other[member] }) as Wire),
    ),
  ),
);
const MEMBERS = [
  ...["delegator_id", "tenant_id", "session_id", "task_id", "purpose", "agent_id", "allowed_tools", "may_delegate", "denied_tools"],
  ...["resource_constraints", "budgets", "approvals", "max_depth", "expires_at"],
];

/** fast-check says the path of a failure beside the seed, and repeats it by both. */
function forPairs(what: string, act: (parent: Envelope, child: Envelope) => void): void {
  const numRuns = casesOf(CASES);
  let [done, spoke] = [0, performance.now()];
  say(`${what}: ${numRuns} cases, seed ${SEED}`);
  fc.assert(
    fc.property(pairs, ([parent, child]) => {
      act(parse(parent), parse(child));
      if (++done % 64 !== 0 || performance.now() - spoke < 5000) return;
      spoke = performance.now();
      say(`${what}: ${done} of ${numRuns}`);
    }),
    { numRuns, seed: SEED },
  );
}

describe("envelopes", () => {
  it("are narrower exactly where the second checker finds no dimension that is wider", () => {
    const seen = new Map<string, number>();
    forPairs("order of envelopes", (parent, child) => {
      const dimensions = wider(child, parent);
      expect(isNarrower(child, parent, ORDER), dimensions.join(", ")).toBe(dimensions.length === 0);
      count(
        seen,
        dimensions.length === 0 ? "narrower" : dimensions.length === 1 ? `wider in ${String(dimensions[0]).replace(/\/.*/, "")} alone` : "wider in several",
      );
    });
    say(counted(seen));
    expect(seen.get("narrower")).toBeGreaterThan(casesOf(CASES) / 20);
    // Each dimension was once all that spoke against a child.
    expect(seen.size).toBeGreaterThan(18);
  });

  it("that were attenuated are narrower than their parent for both, whatever was asked for", () => {
    const seen = new Map<string, number>();
    forPairs("attenuation", (parent, asked) => {
      const { tenantId: _, delegatorId: _d, sessionId: _s, ...narrowing } = asked;
      const isExact = asked.maxDepth === 4;
      let child: Envelope;
      try {
        child = attenuate(parent, narrowing satisfies Narrowing, ORDER, { exact: isExact }).envelope;
      } catch (error) {
        if (!AmbitError.isInstance(error)) throw error;
        expect(error.code).toBe("not_narrower");
        count(seen, `refused${isExact ? ", exact" : ""}`);
        return;
      }
      expect(isNarrower(child, parent, ORDER)).toBe(true);
      expect(wider(child, parent)).toEqual([]);
      // What can be asked for by leaving it out is the parent's; all else is within what was asked for.
      const { resource_constraints: constraints, budgets, ...rest } = serializeEnvelope(asked);
      const own = serializeEnvelope(child);
      const filled = {
        ...rest,
        resource_constraints: { ...(own["resource_constraints"] as JsonObject), ...(constraints as JsonObject) },
        budgets: budgets ?? {},
      };
      const ids = { tenant_id: own["tenant_id"], delegator_id: own["delegator_id"], session_id: own["session_id"] };
      expect(widerDimensions(own, { ...filled, ...ids } as JsonObject, ORDER.vocabulary.kinds, CATALOGUE)).toEqual([]);
      count(seen, `attenuated${isExact ? ", exact" : ""}`);
    });
    say(counted(seen));
    expect(seen.size).toBe(4);
    for (const [name, times] of seen) expect(times, name).toBeGreaterThan(casesOf(CASES) / 100);
  });
});
