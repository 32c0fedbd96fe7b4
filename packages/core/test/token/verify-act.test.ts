import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { trustAnchor, type TrustAnchor } from "../../src/token/anchors.ts";
import { createVerifier, type VerifierOptions } from "../../src/token/verifier.ts";
import type { Act } from "../../src/token/verify-act.ts";
import { ANCHOR, AUDIENCE, chain, compact, headerOf, holder, ISSUER, ISSUER_PAIR, NOW, optionsWith, pair, pop, popClaims, verdict, type Pair } from "./mint.ts";

const tokens = chain(3);
const END: Act = { name: "ambit:end", args: { reason: "done" } };
const ended = { aat_tool: END.name, hta: END.args };

/** The proof of a key for the token at that position. */
function proofBy(key: Pair, position: number, changes: object = {}, typ = "aat-pop+jwt"): string {
  return compact(headerOf(key, typ), popClaims(tokens[position] as string, { ...ended, ...changes }), key);
}

/** Who asked, as the position of the token; else the code and the step. */
async function asker(proof: string, changes: Partial<VerifierOptions<TrustAnchor>> = {}, texts: readonly string[] = tokens): Promise<string> {
  const answer = await createVerifier(optionsWith(changes)).verifyAct({ chain: texts, pop: proof }, END);
  return answer.verified ? `token ${answer.chain.tokens.indexOf(answer.by)}` : verdict(answer);
}

describe("an act", () => {
  it("may be asked for by the holder of the leaf, and by that of any token above it", async () => {
    for (const position of [0, 1, 2]) expect(await asker(proofBy(holder(position), position))).toBe(`token ${position}`);
  });

  it("may not be asked for by a stranger, nor by the issuer of the root", async () => {
    for (const key of [pair(), holder(7), ISSUER_PAIR, pair("ES256")]) {
      for (const position of [0, 1, 2]) {
        expect(await asker(proofBy(key, position))).toBe(key.alg === "ES256" ? "pop_invalid 7a 2" : "holder_mismatch 7b 2");
      }
    }
  });

  it("may not be asked for by a holder with a token of the chain that is another's", async () => {
    for (const [key, position] of [
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 2],
      [2, 0],
      [2, 1],
    ] as const) {
      expect(await asker(proofBy(holder(key), position))).toBe(`holder_mismatch 7b ${key === 2 ? 1 : 2}`);
    }
  });

  it("is by the token that the proof names, where one key holds several of a chain", async () => {
    const same = { cnf: { jwk: holder(0).jwk } };
    const [first] = chain(1) as [string];
    const texts = [first, ...chain(2, { 1: same }).slice(1)];
    const proofOf = (position: number, changes: object = {}): string =>
      compact(headerOf(holder(0), "aat-pop+jwt"), popClaims(texts[position] as string, { ...ended, ...changes }), holder(0));
    expect(await asker(proofOf(0), {}, texts)).toBe("token 0");
    expect(await asker(proofOf(1), {}, texts)).toBe("token 1");
    const { aat_hash: hashOfOther } = popClaims(texts[1] as string) as { readonly aat_hash: string };
    expect(await asker(proofOf(0, { aat_hash: hashOfOther }), {}, texts)).toBe("pop_invalid 7c 1");
    expect(await asker(proofOf(0, { aat_id: "child-1" }), {}, texts)).toBe("pop_invalid 7c 1");
    expect(await asker(proofOf(0, { aat_id: "another", aat_hash: "another" }), {}, texts)).toBe("pop_invalid 7c 1");
  });

  it.each([
    ["another act", { aat_tool: "ambit:continue" }, "pop_invalid 7e"],
    ["a tool of the chain", { aat_tool: "read_file" }, "pop_invalid 7e"],
    ["the act in another case", { aat_tool: "ambit:End" }, "pop_invalid 7e"],
    ["other arguments", { hta: { reason: "failed" } }, "pop_invalid 7f"],
    ["an argument more", { hta: { reason: "done", more: 1 } }, "pop_invalid 7f"],
    ["no arguments", { hta: {} }, "pop_invalid 7f"],
    ["arguments that are no object", { hta: [] }, "pop_invalid 7c"],
    ["another verifier", { aat_aud: "https://tools.example.org" }, "audience_mismatch 7d"],
    ["no time", { iat: undefined }, "pop_invalid 7c"],
    ["31 seconds ago", { iat: NOW - 31 }, "pop_invalid 7g"],
    ["31 seconds from now", { iat: NOW + 31 }, "pop_invalid 7g"],
  ])("is not proven by a proof for %s, whoever signs it", async (_, changes, refusal) => {
    for (const position of [0, 1, 2]) {
      // An ancestor's proof that is of no form is refused as what it is to the leaf.
      const expected = position < 2 && refusal === "pop_invalid 7c" ? "holder_mismatch 7b 2" : `${refusal} ${position}`;
      expect(await asker(proofBy(holder(position), position, changes))).toBe(expected);
    }
  });

  it("is proven within the window, and for this verifier where the proof says so", async () => {
    for (const changes of [{ iat: NOW - 30 }, { iat: NOW + 30 }, { aat_aud: AUDIENCE }]) expect(await asker(proofBy(holder(1), 1, changes))).toBe("token 1");
    expect(await asker(proofBy(holder(1), 1), { requirePopAudience: true })).toBe("audience_mismatch 7d 1");
    expect(await asker(proofBy(holder(1), 1, { aat_aud: AUDIENCE }), { requirePopAudience: true })).toBe("token 1");
  });

  it("is not proven by a proof for a call, by a token, nor by anything that is no proof", async () => {
    expect(await asker(pop(tokens))).toBe("pop_invalid 7e 2");
    expect(await asker(proofBy(holder(2), 2, {}, "aat+jwt"))).toBe("pop_invalid 7a 2");
    for (const proof of ["", "..", "a.b.c", tokens[2] as string, "\0", "__proto__", proofBy(holder(2), 2).slice(0, -1)]) {
      expect(await asker(proof)).toMatch(/^(pop_invalid 7a|holder_mismatch 7b) 2$/);
    }
  });

  it("is asked for of a chain that verifies; that it is revoked is no reason to refuse its end", async () => {
    const proof = proofBy(holder(2), 2);
    expect(await asker(proof, { findRevoked: async () => 0 })).toBe("token 2");
    expect(await asker(proof, { anchors: () => [] })).toBe("envelope_signature_invalid 3a 0");
    expect(await asker(proof, { now: () => (NOW + 3600) * 1000 })).toBe("envelope_expired 3e 0");
    expect(await asker(proof, {}, tokens.slice(0, 2))).toBe("holder_mismatch 7b 1");
  });
});

describe("a chain that is recognised", () => {
  const later = { now: () => (NOW + 1_000_000) * 1000 };
  const recognised = async (texts: readonly string[], changes: Partial<VerifierOptions<TrustAnchor>> = {}): Promise<string> =>
    verdict(await createVerifier(optionsWith({ ...later, ...changes })).recognise(texts));

  it("is one that has expired, or was revoked, since", async () => {
    expect(verdict(await createVerifier(optionsWith(later)).verifyChain(tokens))).toBe("envelope_expired 3e 0");
    expect(await recognised(tokens)).toBe("permitted");
    expect(await recognised(tokens, { findRevoked: async () => 0 })).toBe("permitted");
    expect(await recognised(tokens, { now: () => NOW * 1000 })).toBe("permitted");
  });

  it("is the same as it was when it was verified, and authorizes nothing", async () => {
    let now = NOW * 1000;
    const verifier = createVerifier(optionsWith({ now: () => now }));
    const first = await verifier.verifyChain(tokens);
    now = later.now();
    const again = await verifier.recognise(tokens);
    if (!first.verified || !again.verified) throw new Error("refused");
    expect(again.chain).toBe(first.chain);
    const use = { tool: "read_file", argsText: '{"path":"/a"}' };
    expect(verdict(await verifier.verifyCall({ chain: tokens, pop: pop(tokens) }, use))).toBe("envelope_expired 3e 0");
    expect(verdict(await verifier.verifyAct({ chain: tokens, pop: pop(tokens) }, END))).toBe("envelope_expired 3e 0");
  });

  it("is none that somebody changed, cut in another way, or signed with another key", async () => {
    const [first, second, third] = tokens as [string, string, string];
    const forged = (token: string): string => `${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(86)}`;
    for (const texts of [
      [forged(first), second, third],
      [first, forged(second), third],
      [first, second, forged(third)],
      [first, third],
      [second, third],
      [third, second, first],
      [...tokens, third],
    ]) {
      expect(await recognised(texts)).not.toBe("permitted");
      expect(await recognised(texts, { now: () => NOW * 1000 })).not.toBe("permitted");
    }
  });

  it("is none whose leaf says a time at which the others were not there yet", async () => {
    expect(await recognised(chain(2, { 1: { iat: NOW - 301 } }))).toBe("chain_broken 4j 1");
    expect(await recognised(chain(2, { 1: { iat: NOW + 3600 } }))).toBe("envelope_expired 3e 0");
  });

  it("is none of an anchor that was removed, also when it was verified before", async () => {
    let anchors: readonly TrustAnchor[] = [ANCHOR];
    const verifier = createVerifier(optionsWith({ anchors: () => anchors }));
    expect(verdict(await verifier.recognise(tokens))).toBe("permitted");
    expect(verdict(await verifier.verifyChain(tokens))).toBe("permitted");
    anchors = [];
    expect(verdict(await verifier.recognise(tokens))).toBe("envelope_signature_invalid 3a 0");
    anchors = [trustAnchor({ issuer: ISSUER, jwk: pair().jwk })];
    expect(verdict(await verifier.recognise(tokens))).toBe("envelope_signature_invalid 3b 0");
  });

  it("is no garbage, which is refused and never thrown", async () => {
    const [first] = tokens as [string];
    for (const texts of [[], [""], ["."], ["a.b.c"], [first, ""], [first, "__proto__"], [first, `${first}=`], [1], [null], [{}], [first, undefined]]) {
      expect(await recognised(texts as readonly string[])).toMatch(/^envelope_malformed/);
    }
    const unclaimed = compact(headerOf(ISSUER_PAIR), { iat: NOW }, ISSUER_PAIR);
    expect(await recognised([unclaimed])).toBe("envelope_malformed 4b 0");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 4 }), async (texts) => {
        expect(await recognised(texts)).not.toBe("permitted");
        expect(await asker(texts[0] ?? "")).not.toMatch(/^token/);
      }),
    );
  });
});
