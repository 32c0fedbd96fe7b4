import { describe, expect, it } from "vitest";
import { attenuate } from "../../src/envelope/attenuate.ts";
import { isNarrower } from "../../src/envelope/is-narrower.ts";
import type { Order } from "../../src/envelope/order.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";
import { parseEnvelope } from "../../src/envelope/wire.ts";
import { AmbitError } from "../../src/errors.ts";
import { hasVectors, vectorList } from "../support/vectors.ts";

interface Trap {
  readonly id: string;
  readonly parent: Readonly<Record<string, unknown>>;
  readonly child_patch: Readonly<Record<string, unknown>>;
  readonly attenuates: boolean | "policy" | "ledger";
}

// The catalogue has `qbr/finance` below `qbr`; a name that looks like a path is no sub-purpose by itself.
const order = (parents: Readonly<Record<string, string | null>>): Order => ({
  vocabulary: createVocabulary({ region: "subset" }),
  purposes: { parentOf: (purpose) => (Object.hasOwn(parents, purpose) ? parents[purpose] : undefined), digest: "" },
});
const WITH_TREE = order({ qbr: null, "qbr/finance": "qbr" });
const WITHOUT_TREE = order({ qbr: null, "qbr/finance": null });

/** The vector's spelling in ours: `max_calls` is a budget, a time is an instant, what cannot be written in JSON is spelled out. */
function toWire(claims: Readonly<Record<string, unknown>>): unknown {
  const entries = Object.entries(claims).flatMap(([member, value]): [string, unknown][] => {
    if (value === "__absent__") return [];
    if (member === "max_calls") return [["budgets", { calls: value }]];
    if (member === "expires_at" && typeof value === "number") return [[member, new Date(value * 1000).toISOString()]];
    return [[member, revive(value)]];
  });
  return { agent_id: "a", ...Object.fromEntries(entries) };
}

function revive(value: unknown): unknown {
  if (value === "__Infinity__") return Infinity;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, revive(member)]));
}

/** Why a child is not accepted, or `undefined`. Asks both: the check of the verifier, and the attenuation of the issuer. */
function refusal({ parent, child_patch }: Trap, within: Order): string | undefined {
  try {
    const above = parseEnvelope(toWire(parent), within.vocabulary);
    const below = parseEnvelope(toWire({ ...parent, ...child_patch }), within.vocabulary);
    if (!isNarrower(below, above, within)) {
      // A constraint that is left out is the one thing that the issuer fills in; the verifier has refused it above.
      const isLeftOut = Object.keys(above.resourceConstraints).some((key) => !Object.hasOwn(below.resourceConstraints, key));
      if (!isLeftOut) expect(() => attenuate(above, below, within, { exact: true })).toThrow(expect.objectContaining({ code: "not_narrower" }));
      return "not_narrower";
    }
    expect(attenuate(above, below, within, { exact: true }).envelope).toStrictEqual(below);
    return undefined;
  } catch (error) {
    if (!AmbitError.isInstance(error)) throw error;
    return error.code;
  }
}

const MALFORMED = /^(missing-tools|null-tools|string-tools|star|glob|records-.*|unknown-constraint|exp-string|depth-neg)$/;

describe.skipIf(!hasVectors("hostile/attenuation-traps.json"))("attenuation traps", () => {
  const traps = vectorList<Trap>("hostile/attenuation-traps.json");

  it("are all here", () => {
    expect(traps).toHaveLength(31);
  });

  it.each(traps.filter(({ attenuates }) => attenuates === true))("$id is a child", (trap) => {
    expect(refusal(trap, WITH_TREE)).toBeUndefined();
  });

  it.each(traps.filter(({ attenuates }) => attenuates === false))("$id is refused", (trap) => {
    expect(refusal(trap, WITH_TREE)).toBe(MALFORMED.test(trap.id) ? "envelope_malformed" : "not_narrower");
  });

  it.each(traps.filter(({ attenuates }) => attenuates === "policy"))("$id is a child only where the catalogue says so", (trap) => {
    expect(refusal(trap, WITH_TREE)).toBeUndefined();
    expect(refusal(trap, WITHOUT_TREE)).toBe("not_narrower");
  });

  // The sum over all children is the ledger's to cap: the store's contract, not the order's.
  it.each(traps.filter(({ attenuates }) => attenuates === "ledger"))("$id is a child as far as the order goes", (trap) => {
    expect(refusal(trap, WITH_TREE)).toBeUndefined();
  });
});
