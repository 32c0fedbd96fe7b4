import { describe, expect, it } from "vitest";
import type { Order } from "../../src/envelope/order.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";
import { trustAnchor } from "../../src/token/anchors.ts";
import { verifyEnvelopes, type EnvelopeAnchor } from "../../src/token/profile/verify-envelope.ts";
import { createVerifier } from "../../src/token/verifier.ts";
import { hasVectors, vectorList } from "../support/vectors.ts";
import { AUDIENCE, compact, headerOf, holder, ISSUER, ISSUER_PAIR, childClaims, type Pair } from "../token/mint.ts";

/*
 * The traps of traps.test.ts as tokens: the parent's holder has taken them, and has signed them by hand, without a line of ours that would have
 * refused to. What stands in the way is the verifier alone.
 */
interface Trap {
  readonly id: string;
  readonly parent: Claims;
  readonly child_patch: Claims;
  readonly attenuates: boolean | "policy" | "ledger";
}
type Claims = Readonly<Record<string, unknown>>;

/** Seconds, as the traps count them: their parent expires at 1000. */
const NOW = 500;

const order = (parents: Readonly<Record<string, string | null>>): Order => ({
  vocabulary: createVocabulary({ region: "subset" }),
  purposes: { parentOf: (purpose) => (Object.hasOwn(parents, purpose) ? parents[purpose] : undefined), digest: "sha-256:traps" },
});
const WITH_TREE = order({ qbr: null, "qbr/finance": "qbr" });
const WITHOUT_TREE = order({ qbr: null, "qbr/finance": null });
const ANCHOR: EnvelopeAnchor = { ...trustAnchor({ issuer: ISSUER, jwk: ISSUER_PAIR.jwk }), kind: "ambit", tenants: new Set(["t1"]) };

/** The entry of our profile: `max_calls` is a budget here, a time is an instant, and what is absent is left out. */
function entryOf(claims: Claims, agent: string): Claims {
  const members = Object.entries(claims).flatMap(([member, value]): (readonly [string, unknown])[] => {
    if (value === "__absent__") return [];
    if (member === "max_calls") return [["budgets", { calls: value }]];
    return [[member, member === "expires_at" && typeof value === "number" ? new Date(value * 1000).toISOString() : value]];
  });
  const pins = { vocabulary: WITH_TREE.vocabulary.digest, purposes: WITH_TREE.purposes.digest };
  return { type: "urn:ambit:envelope:1", ...pins, agent_id: agent, ...Object.fromEntries(members) };
}

/** The entry of the draft: the tools that the claims name, whatever they are called. */
function toolsOf(claims: Claims): Claims {
  const names = claims["allowed_tools"];
  return { type: "attenuating_agent_token", tools: Object.fromEntries((Array.isArray(names) ? names : []).map((name) => [name as string, {}])) };
}

/** A token of these claims in both entries and in the draft's own claims; `drafted` says another thing there. */
function token(claims: Claims, drafted: Claims, own: Claims, key: Pair): string {
  const agent = own["del_depth"] === 0 ? "parent" : "child";
  const dated = { exp: drafted["expires_at"], del_max_depth: drafted["max_depth"], authorization_details: [toolsOf(drafted), entryOf(claims, agent)] };
  // JSON has no word for it, and every parser reads this number so.
  return compact(headerOf(key), JSON.stringify({ ...own, ...dated }).replaceAll('"__Infinity__"', "1e999"), key);
}

/** What the verifier says of a chain of two: `verified`, or code, step and position. */
async function verdict(parent: Claims, child: Claims, drafted: Claims, within: Order): Promise<string> {
  const claims = { jti: "root", iss: ISSUER, aud: AUDIENCE, iat: NOW - 100, cnf: { jwk: holder(0).jwk }, del_depth: 0 };
  const root = token(parent, parent, claims, ISSUER_PAIR);
  const leaf = token(child, drafted, childClaims(root, 1, { iat: NOW - 99 }), holder(0));
  const verifier = createVerifier<EnvelopeAnchor>({ anchors: () => [ANCHOR], audiences: [AUDIENCE], replay: "deferred", now: () => NOW * 1000 });
  const answer = await verifier.verifyChain([root, leaf]);
  const profile = answer.verified ? verifyEnvelopes(answer.chain, within) : answer;
  return profile.verified ? "verified" : `${profile.refusal.code} ${profile.refusal.step} ${String(profile.refusal.index)}`;
}

const MALFORMED = "envelope_malformed profile 3 1";
const WIDER = "not_narrower profile 4 1";

/** What a trap comes to where the holder is consistent: where the draft has a word for it too, it says the same there, and is often refused for it. */
const REFUSALS: Readonly<Record<string, string>> = {
  "extra-tool": "not_narrower 4p1 1",
  "missing-tools": MALFORMED,
  "null-tools": MALFORMED,
  "string-tools": MALFORMED,
  star: "not_narrower 4p1 1",
  glob: "not_narrower 4p1 1",
  case: "not_narrower 4p1 1",
  substring: "not_narrower 4p1 1",
  "more-records": WIDER,
  "records-inf": MALFORMED,
  "records-neg": MALFORMED,
  "records-str": MALFORMED,
  "records-float": MALFORMED,
  "records-unsafe": MALFORMED,
  "records-array": MALFORMED,
  "constraints-missing": WIDER,
  "unknown-constraint": MALFORMED,
  "sibling-path": WIDER,
  "later-exp": "not_narrower 4h 1",
  "exp-string": "envelope_malformed 4b5 1",
  "other-session": WIDER,
  "more-calls": WIDER,
  "depth-neg": "envelope_malformed 4b4 1",
};

describe.skipIf(!hasVectors("hostile/attenuation-traps.json"))("a child token signed by hand", () => {
  const traps = vectorList<Trap>("hostile/attenuation-traps.json");
  const childOf = ({ parent, child_patch: patch }: Trap): Claims => ({ ...parent, ...patch });

  it("is made of every trap, and of nothing else", () => {
    expect(traps).toHaveLength(31);
    const ids = traps.filter(({ attenuates }) => attenuates === false).map(({ id }) => id);
    expect(Object.keys(REFUSALS).toSorted()).toEqual(ids.toSorted());
  });

  it.each(traps.filter(({ attenuates }) => attenuates === false))("$id is refused, in all that the token says", async (trap) => {
    const child = childOf(trap);
    expect(await verdict(trap.parent, child, child, WITH_TREE)).toBe(REFUSALS[trap.id]);
  });

  it.each(traps.filter(({ attenuates }) => attenuates === false))(
    "$id is refused in our entry alone, where the draft's is that of the parent",
    async (trap) => {
      const isOfOurs = ![MALFORMED, WIDER].includes(REFUSALS[trap.id] as string);
      // What the draft's entry has a word for must be the same in both: two answers to one question are two policies.
      expect(await verdict(trap.parent, childOf(trap), trap.parent, WITH_TREE)).toBe(isOfOurs ? MALFORMED : REFUSALS[trap.id]);
    },
  );

  it.each(traps.filter(({ attenuates }) => attenuates === true))("$id is no trap, and verifies", async (trap) => {
    const child = childOf(trap);
    expect(await verdict(trap.parent, child, child, WITH_TREE)).toBe("verified");
  });

  it.each(traps.filter(({ attenuates }) => attenuates === "policy"))("$id verifies only where the catalogue says so", async (trap) => {
    const child = childOf(trap);
    expect(await verdict(trap.parent, child, child, WITH_TREE)).toBe("verified");
    expect(await verdict(trap.parent, child, child, WITHOUT_TREE)).toBe(WIDER);
  });

  // The sum over all children is the ledger's to cap.
  it.each(traps.filter(({ attenuates }) => attenuates === "ledger"))("$id verifies, as far as a chain goes", async (trap) => {
    const child = childOf(trap);
    expect(await verdict(trap.parent, child, child, WITH_TREE)).toBe("verified");
  });
});
