import { describe, expect, it } from "vitest";
import { trustAnchor, type TrustAnchor } from "../../src/token/anchors.ts";
import { explain } from "../../src/token/reason.ts";
import { TOKEN_LIMITS, tokenLimits, type TokenLimits } from "../../src/token/limits.ts";
import { createLru } from "../../src/token/lru.ts";
import { createVerifier, type VerifierOptions } from "../../src/token/verifier.ts";
import { codeOf } from "../support/codes.ts";
import { aat, ANCHOR, chain, ISSUER, ISSUER_PAIR, NOW, optionsWith, pair, pop, verdict } from "./mint.ts";

const tokens = chain(3);

describe("a chain that was verified before", () => {
  it("is the same object again", async () => {
    const verifier = createVerifier(optionsWith());
    const [first, again] = [await verifier.verifyChain(tokens), await verifier.verifyChain([...tokens])];
    if (!first.verified || !again.verified) throw new Error("refused");
    expect(again.chain).toBe(first.chain);
    const never = createVerifier(optionsWith({ cachedChains: 0 }));
    const [one, two] = [await never.verifyChain(tokens), await never.verifyChain(tokens)];
    if (!one.verified || !two.verified) throw new Error("refused");
    expect(two.chain).not.toBe(one.chain);
  });

  it("is refused as soon as its leaf has expired, or its time is no longer here", async () => {
    let now = NOW * 1000;
    const verifier = createVerifier(optionsWith({ now: () => now }));
    expect(verdict(await verifier.verifyChain(tokens))).toBe("permitted");
    now = (NOW + 3598) * 1000 - 1;
    expect(verdict(await verifier.verifyChain(tokens))).toBe("permitted");
    now = (NOW + 3598) * 1000;
    expect(verdict(await verifier.verifyChain(tokens))).toBe("envelope_expired 4i 2");
    now = (NOW - 300 - 29) * 1000;
    expect(verdict(await verifier.verifyChain(tokens))).toBe("envelope_not_yet_valid 4k 2");
    now = Number.NaN;
    expect(verdict(await verifier.verifyChain(tokens))).toBe("envelope_expired 3e 0");
  });

  it("is refused as soon as its anchor is gone, and is of the new one when that changes", async () => {
    let anchors: readonly TrustAnchor[] = [ANCHOR];
    const verifier = createVerifier(optionsWith({ anchors: () => anchors }));
    expect(verdict(await verifier.verifyChain(tokens))).toBe("permitted");
    anchors = [trustAnchor({ issuer: ISSUER, jwk: pair().jwk })];
    expect(verdict(await verifier.verifyChain(tokens))).toBe("envelope_signature_invalid 3b 0");
    anchors = [trustAnchor({ issuer: ISSUER, jwk: ISSUER_PAIR.jwk })];
    const answer = await verifier.verifyChain(tokens);
    expect(answer.verified && answer.chain.anchor === anchors[0]).toBe(true);
  });

  it("is asked about anew whether it is revoked, and denied when nobody can tell", async () => {
    let findRevoked: NonNullable<VerifierOptions<TrustAnchor>["findRevoked"]> = async () => -1;
    const asked: string[] = [];
    const verifier = createVerifier(
      optionsWith({
        findRevoked: (verified) => {
          asked.push(verified.leaf.claims.jti);
          return findRevoked(verified);
        },
      }),
    );
    expect(verdict(await verifier.verifyChain(tokens))).toBe("permitted");
    findRevoked = async ({ tokens: all }) => all.findIndex(({ claims }) => claims.jti === "root");
    expect(verdict(await verifier.verifyChain(tokens))).toBe("envelope_revoked after 5 0");
    expect(verdict(await verifier.verifyCall({ chain: tokens, pop: pop(tokens) }, { tool: "read_file", argsText: '{"path":"/a"}' }))).toBe(
      "envelope_revoked after 5 0",
    );
    findRevoked = () => Promise.reject(new Error("down"));
    expect(verdict(await verifier.verifyChain(tokens))).toBe("state_unavailable after 5 2");
    const noAnswers: readonly unknown[] = [undefined, false, NaN, -2, 0.5, tokens.length, "0"];
    for (const answer of noAnswers) {
      findRevoked = async () => answer as number;
      expect(verdict(await verifier.verifyChain(tokens))).toBe("state_unavailable after 5 2");
    }
    expect(asked).toHaveLength(4 + noAnswers.length);
  });

  it("is the whole chain: the same leaf below other tokens is verified as what it is", async () => {
    const verifier = createVerifier(optionsWith());
    expect(verdict(await verifier.verifyChain(tokens))).toBe("permitted");
    const [root, middle, leaf] = tokens as [string, string, string];
    const flipped = `${root.slice(0, -4)}${root.at(-4) === "A" ? "B" : "A"}${root.slice(-3)}`;
    expect(verdict(await verifier.verifyChain([flipped, middle, leaf]))).toBe("envelope_signature_invalid 3b 0");
    expect(verdict(await verifier.verifyChain([leaf]))).toBe("envelope_signature_invalid 3b 0");
    expect(verdict(await verifier.verifyChain([root, leaf]))).toBe("envelope_signature_invalid 4b 1");
    expect(verdict(await verifier.verifyChain([root, middle, middle, leaf]))).toMatch(/^envelope_signature_invalid/);
    expect(verdict(await verifier.verifyChain(tokens))).toBe("permitted");
  });

  it("is verified anew when it is a long one: what is remembered is bounded", async () => {
    const long = chain(2, { 0: { more: "x".repeat(25_000) } });
    const verifier = createVerifier(optionsWith());
    const [first, again] = [await verifier.verifyChain(long), await verifier.verifyChain(long)];
    if (!first.verified || !again.verified) throw new Error("refused");
    expect(again.chain).not.toBe(first.chain);
  });

  it("needs a proof for each call all the same", async () => {
    const verifier = createVerifier(optionsWith());
    expect(verdict(await verifier.verifyChain(tokens))).toBe("permitted");
    const use = { tool: "read_file", argsText: '{"path":"/a"}' };
    expect(verdict(await verifier.verifyCall({ chain: tokens, pop: pop(tokens.slice(0, 1)) }, use))).toBe("holder_mismatch 7b 2");
    expect(verdict(await verifier.verifyCall({ chain: tokens, pop: "" }, use))).toBe("pop_invalid 7a 2");
  });
});

describe("a map with room for two", () => {
  it("forgets what was used least recently", () => {
    const lru = createLru<string, number>(2);
    lru.set("a", 1);
    lru.set("b", 2);
    expect(lru.get("a")).toBe(1);
    lru.set("c", 3);
    expect(["a", "b", "c"].map((key) => lru.get(key))).toEqual([1, undefined, 3]);
  });
});

describe("options", () => {
  it.each<[string, Partial<VerifierOptions<TrustAnchor>>]>([
    ["no audience", { audiences: [] }],
    ["an empty audience", { audiences: [""] }],
    ["a negative cache", { cachedChains: -1 }],
    ["a depth below that of the draft", { limits: { delegationDepth: 7 } }],
    ["a limit that is no number", { limits: { popWindow: Number.NaN } }],
    ["a limit that is not there", { limits: { other: 1 } as unknown as Partial<TokenLimits> }],
    ["a limit called like an inherited member", { limits: { toString: 1 } as unknown as Partial<TokenLimits> }],
    ["an unbounded lifetime", { limits: { tokenLifetime: Number.POSITIVE_INFINITY } }],
  ])("with %s are refused", (_, changes) => {
    expect(codeOf(() => createVerifier(optionsWith(changes)))).toBe("option_invalid");
  });

  it("have the limits that the draft recommends", () => {
    expect(tokenLimits({ popWindow: 10 })).toEqual({ ...TOKEN_LIMITS, popWindow: 10 });
    expect(TOKEN_LIMITS).toMatchObject({
      tokenBytes: 65_536,
      chainBytes: 262_144,
      issuedAtSkew: 30,
      tokenLifetime: 7_776_000,
      constraintDepth: 32,
      popWindow: 30,
    });
  });

  it.each([
    ["no object", "x"],
    ["without an issuer", { jwk: ISSUER_PAIR.jwk }],
    ["with an issuer that is no URI", { issuer: "auth", jwk: ISSUER_PAIR.jwk }],
    ["without a key", { issuer: ISSUER }],
    ["with a member that nobody knows", { issuer: ISSUER, jwk: ISSUER_PAIR.jwk, kind: "aat" }],
    ["with a kid that is no text", { issuer: ISSUER, jwk: ISSUER_PAIR.jwk, kid: 1 }],
  ])("have no anchor that is %s", (_, json) => {
    expect(codeOf(() => trustAnchor(json as never))).toBe("option_invalid");
  });
});

describe("explain", () => {
  const explained = async (changes: { readonly [position: number]: object }): Promise<string> => {
    const answer = await createVerifier(optionsWith()).verifyChain(chain(3, changes));
    return answer.verified ? "permitted" : explain(answer.refusal);
  };
  const tools = (constraint: object): object => ({ authorization_details: [aat({ export: { limit: constraint } } as never)] });
  const range = (max: number): object => ({ constraint_type: "range", max });

  it("says what the child may not have because of what the parent has", async () => {
    expect(await explained({ 0: tools(range(100)), 1: tools(range(50)), 2: tools(range(60)) })).toBe(
      [
        "refused: not_narrower (draft step 4p4, token 2)",
        "  child 2 may not have tool `export` with `limit` as range [−∞, 60]",
        "    because parent 1 allows it only as range [−∞, 50]",
        "      because range [−∞, 60] is wider than range [−∞, 50]",
      ].join("\n"),
    );
  });

  it("goes into the clauses of a composite", async () => {
    const any = (...constraints: readonly object[]): object => ({ constraint_type: "any", constraints });
    const text = await explained({
      0: tools(any(range(10), { constraint_type: "exact", value: "x" })),
      1: tools(any(range(5), range(11))),
      2: tools(range(1)),
    });
    expect(text.split("\n").slice(2)).toEqual([
      "    because parent 0 allows it only as any of 2 clauses (range, exact)",
      "      because 1 clauses of any of 2 clauses (range, range) are within no clause of any of 2 clauses (range, exact)",
      "        because range [−∞, 11] is wider than range [−∞, 10]",
      '        because range [−∞, 11] is not provably within exact `"x"`',
    ]);
  });

  it("keeps somebody else's words on one line, short and whole", async () => {
    const text = await explained({ 1: { authorization_details: [aat({ [`a\n\u202erefused: nothing${"😀".repeat(90)}`]: {} } as never)] } });
    expect(text.split("\n")).toHaveLength(3);
    expect(text).not.toContain("\u202e");
    expect(text.isWellFormed()).toBe(true);
    expect(text.length).toBeLessThan(400);
  });

  it("never repeats a value of the call", async () => {
    const closed = chain(1, { 0: { authorization_details: [aat({ read_file: { path: { constraint_type: "exact", value: "/a" } } })] } });
    const answer = await createVerifier(optionsWith()).verifyCall(
      { chain: closed, pop: pop(closed, { hta: { path: "secret" } }) },
      { tool: "read_file", argsText: '{"path":"secret"}' },
    );
    expect(JSON.stringify(answer)).not.toContain("secret");
    expect(verdict(answer)).toBe("argument_not_allowed 6b 0");
  });
});
