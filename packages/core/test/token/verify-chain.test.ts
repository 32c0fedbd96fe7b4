import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/data/json.ts";
import { trustAnchor } from "../../src/token/anchors.ts";
import { createVerifier } from "../../src/token/verifier.ts";
import {
  ANCHOR,
  AUDIENCE,
  aat,
  callVerdict,
  chain,
  chainVerdict,
  child,
  childClaims,
  compact,
  headerOf,
  holder,
  ISSUER,
  ISSUER_PAIR,
  NOW,
  pair,
  root,
  rootClaims,
} from "./mint.ts";

const EXACT = (value: string): JsonObject => ({ constraint_type: "exact", value });

describe("a chain", () => {
  it.each([1, 2, 3, 9])("of %i tokens is verified, and so is every prefix of it", async (length) => {
    const tokens = chain(length);
    for (let end = 1; end <= length; end++) expect(await chainVerdict(tokens.slice(0, end))).toBe("permitted");
  });

  it("that is empty, too long or too large is refused before any signature is looked at", async () => {
    expect(await chainVerdict([])).toBe("envelope_malformed 1");
    expect(await chainVerdict(Array.from({ length: 10 }, () => "x"))).toBe("depth_exceeded 4f 9");
    expect(await chainVerdict(["x".repeat(65_537)])).toBe("envelope_malformed 2a 0");
    expect(await chainVerdict(Array.from({ length: 5 }, () => "x".repeat(60_000)))).toBe("envelope_malformed 2b 4");
    expect(await chainVerdict([7 as unknown as string])).toBe("envelope_malformed 2a 0");
  });

  it("without its root, in another order or with a gap is refused", async () => {
    const [a, b, c] = chain(3) as [string, string, string];
    expect(await chainVerdict([b, c])).toBe("envelope_signature_invalid 3b 0");
    expect(await chainVerdict([a, c])).toBe("envelope_signature_invalid 4b 1");
    expect(await chainVerdict([a, c, b])).toBe("envelope_signature_invalid 4b 1");
    expect(await chainVerdict([a, a])).toBe("envelope_signature_invalid 4b 1");
  });

  it("with one `jti` twice is refused", async () => {
    expect(await chainVerdict(chain(3, { 2: { jti: "root" } }))).toBe("chain_broken 2c 2");
  });

  it("hands back the anchor as it was configured, and every entry of every token as it was signed", async () => {
    const other = { type: "urn:ambit:envelope:1", purpose: "review", nested: { list: [1, null] } };
    const tokens = chain(2, { 0: { authorization_details: [other, aat()], extra: [1] }, 1: { authorization_details: [aat(), { ...other, purpose: "sub" }] } });
    const anchor = { ...ANCHOR, kind: "ambit" as const };
    const answer = await createVerifier({ anchors: () => [anchor], audiences: [AUDIENCE], replay: "deferred", now: () => NOW * 1000 }).verifyChain(tokens);
    if (!answer.verified) throw new Error("refused");
    expect(answer.chain.anchor).toBe(anchor);
    expect(answer.chain.tokens.map(({ claims }) => claims.details.filter(({ type }) => type === other.type))).toEqual([
      [other],
      [{ ...other, purpose: "sub" }],
    ]);
    expect(answer.chain.tokens[0]?.claims.signed).toMatchObject({ extra: [1] });
    expect(Object.isFrozen(answer.chain.leaf.claims.details[0])).toBe(true);
  });
});

describe("a root", () => {
  it.each([
    ["without `iat`", { iat: undefined }, "envelope_malformed 3b"],
    ["with `exp` as text", { exp: "9999999999" }, "envelope_malformed 3b"],
    ["at depth 1", { del_depth: 1 }, "chain_broken 3c"],
    ["at depth false", { del_depth: false }, "envelope_malformed 3c"],
    ["without a depth", { del_depth: undefined }, "envelope_malformed 3c"],
    ["with a `par_hash`", { par_hash: "x" }, "chain_broken 3d"],
    ["with an empty `par_hash`", { par_hash: "" }, "chain_broken 3d"],
    ["with a `par_hash` of null", { par_hash: null }, "envelope_malformed 3d"],
    ["that has expired", { exp: NOW }, "envelope_expired 3e"],
    ["from the future", { iat: NOW + 31 }, "envelope_not_yet_valid 3f"],
    ["that expires when it is issued", { iat: NOW + 20, exp: NOW + 20 }, "envelope_malformed 3g"],
    ["that lives too long", { exp: NOW - 300 + 7_776_001 }, "envelope_malformed 3h"],
    ["with a maximal depth over the limit", { del_max_depth: 9 }, "depth_exceeded 3i"],
    ["with a negative maximal depth", { del_max_depth: -1 }, "envelope_malformed 3i"],
    ["with an empty `jti`", { jti: "" }, "envelope_malformed 3j"],
    ["with a `jti` that is a number", { jti: 7 }, "envelope_malformed 3j"],
    ["with a `jti` of 257 characters", { jti: "x".repeat(257) }, "envelope_malformed 3j"],
    ["of another issuer", { iss: `${ISSUER}/` }, "chain_broken 3k"],
    ["with a list of issuers", { iss: [ISSUER] }, "envelope_malformed 3k"],
    ["without `cnf`", { cnf: undefined }, "envelope_malformed 3l"],
    ["with a thumbprint in place of the key", { cnf: { jkt: holder(0).thumbprint } }, "envelope_malformed 3l"],
    ["with a private key", { cnf: { jwk: { ...holder(0).jwk, d: "AAAA" } } }, "envelope_malformed 3l"],
    ["without `authorization_details`", { authorization_details: undefined }, "envelope_malformed 3m"],
    ["without an AAT entry", { authorization_details: [{ type: "other" }] }, "envelope_malformed 3m"],
    ["with two AAT entries", { authorization_details: [aat(), aat()] }, "envelope_malformed 3m"],
    ["with tools in a list", { authorization_details: [aat([])] }, "envelope_malformed 3m"],
    [
      "with an unknown constraint on a tool that nobody calls",
      { authorization_details: [aat({ read_file: {}, other: { a: { constraint_type: "regex" } } })] },
      "envelope_malformed 3n",
    ],
    ["with an optional `*`", { authorization_details: [aat({ t: { "*": { constraint_type: "wildcard", optional: false } } })] }, "envelope_malformed 3n"],
    ["with a `*` that is no wildcard", { authorization_details: [aat({ t: { "*": EXACT("a") } })] }, "envelope_malformed 3n"],
    ["with `aud` as a number", { aud: 7 }, "envelope_malformed 6c"],
  ])("%s is refused", async (_, changes, expected) => {
    expect(await chainVerdict([root(changes)])).toBe(`${expected} 0`);
  });

  it.each(["0.0", "0e0", "1e0", "-1", "0.5", "1e400"])(
    "with `del_depth` written as %s is refused: integers have no fraction and no exponent",
    async (depth) => {
      const text = JSON.stringify(rootClaims()).replace('"del_depth":0', `"del_depth":${depth}`);
      expect(await chainVerdict([compact(headerOf(ISSUER_PAIR), text, ISSUER_PAIR)])).toBe("envelope_malformed 3c 0");
    },
  );

  it("is as large as the limits say and no larger", async () => {
    const count = (length: number, of: (index: number) => string): JsonObject => Object.fromEntries(Array.from({ length }, (_, index) => [of(index), {}]));
    const details = (tools: JsonObject): object => ({ authorization_details: [aat(tools)] });
    const named = (length: number): JsonObject => ({ t: Object.fromEntries(Array.from({ length }, (_, index) => [`a${index}`, EXACT("x")])) });
    expect(await chainVerdict([root(details(count(256, String)))])).toBe("permitted");
    expect(await chainVerdict([root(details(count(257, String)))])).toBe("envelope_malformed 3m 0");
    expect(await chainVerdict([root(details(count(1, () => "x".repeat(256))))])).toBe("permitted");
    expect(await chainVerdict([root(details(count(1, () => "x".repeat(257))))])).toBe("envelope_malformed 3m 0");
    expect(await chainVerdict([root(details(named(64)))])).toBe("permitted");
    expect(await chainVerdict([root(details(named(65)))])).toBe("envelope_malformed 3n 0");
  });

  it("with claims that nobody knows is verified, whatever numbers they hold", async () => {
    const text = JSON.stringify(rootClaims()).replace('"jti"', '"x":1.0,"big":9007199254740993,"huge":1e999,"jti"');
    expect(await chainVerdict([compact(headerOf(ISSUER_PAIR), text, ISSUER_PAIR)])).toBe("permitted");
  });

  it("that names another algorithm than that of the key is refused, though the key has signed it", async () => {
    const token = compact({ ...headerOf(ISSUER_PAIR), alg: "ES256" }, rootClaims(), ISSUER_PAIR);
    expect(await chainVerdict([token])).toBe("envelope_signature_invalid 3a 0");
  });

  it("is of the anchor whose key and name it has, also where one key has two names and one name two keys", async () => {
    const second = pair("ES256");
    const anchors = [
      trustAnchor({ issuer: "https://first.example", jwk: ISSUER_PAIR.jwk }),
      trustAnchor({ issuer: ISSUER, jwk: second.jwk }),
      trustAnchor({ issuer: ISSUER, jwk: ISSUER_PAIR.jwk }),
    ];
    const byFirst = [root({ iss: "https://first.example" })];
    const bySecond = [compact(headerOf(second), rootClaims(), second)];
    expect(await chainVerdict([root()], { anchors: () => anchors })).toBe("permitted");
    expect(await chainVerdict(byFirst, { anchors: () => anchors })).toBe("permitted");
    expect(await chainVerdict(bySecond, { anchors: () => anchors })).toBe("permitted");
    const stolen = [compact(headerOf(second), rootClaims({ iss: "https://first.example" }), second)];
    expect(await chainVerdict(stolen, { anchors: () => anchors })).toBe("chain_broken 3k 0");
    expect(await chainVerdict(bySecond, { anchors: () => anchors, algorithms: ["Ed25519"] })).toBe("envelope_signature_invalid 3a 0");
    expect(await chainVerdict([root()], { anchors: () => [] })).toBe("envelope_signature_invalid 3a 0");
  });
});

describe("a child", () => {
  const parent = root();
  it.each([
    ["without `jti`", { jti: undefined }, "envelope_malformed 4b1"],
    ["without a key", { cnf: {} }, "envelope_malformed 4b2"],
    ["without `authorization_details`", { authorization_details: {} }, "envelope_malformed 4b3"],
    ["at depth true", { del_depth: true }, "envelope_malformed 4b4"],
    ["without a maximal depth", { del_max_depth: undefined }, "envelope_malformed 4b4"],
    ["without `iss`", { iss: undefined }, "envelope_malformed 4b5"],
    ["without `par_hash`", { par_hash: undefined }, "chain_broken 4b5"],
    ["with a `par_hash` that is a number", { par_hash: 1 }, "envelope_malformed 4b5"],
    ["with an `iat` that is no integer", { iat: NOW - 0.5 }, "envelope_malformed 4b5"],
    ["that names the root's issuer", { iss: ISSUER }, "chain_broken 4c"],
    ["at depth 2", { del_depth: 2 }, "chain_broken 4d"],
    ["at depth 0", { del_depth: 0 }, "chain_broken 4d"],
    ["that raises the maximal depth", { del_max_depth: 9 }, "not_narrower 4g"],
    ["that outlives its parent", { exp: NOW + 3601 }, "not_narrower 4h"],
    ["that has expired", { exp: NOW }, "envelope_expired 4i"],
    ["issued before its parent", { iat: NOW - 301 }, "chain_broken 4j"],
    ["from the future", { iat: NOW + 31 }, "envelope_not_yet_valid 4k"],
    ["that expires before it is issued", { iat: NOW + 20, exp: NOW + 10 }, "envelope_malformed 4l"],
    ["deeper than it allows itself", { del_max_depth: 0 }, "depth_exceeded 4m"],
    ["with two AAT entries", { authorization_details: [aat(), aat()] }, "envelope_malformed 4n"],
    [
      "with a constraint that is not well-formed",
      { authorization_details: [aat({ read_file: { path: { constraint_type: "all", constraints: [] } } })] },
      "envelope_malformed 4o",
    ],
    ["with another tool", { authorization_details: [aat({ write_file: {} })] }, "not_narrower 4p1"],
    ["that lets all arguments through", { authorization_details: [aat({ read_file: {} })] }, "not_narrower 4p2"],
    ["with an argument more", { authorization_details: [aat({ read_file: { path: EXACT("a"), mode: EXACT("r") } })] }, "not_narrower 4p2"],
    ["that makes an argument optional", { authorization_details: [aat({ read_file: { path: { ...EXACT("a"), optional: true } } })] }, "not_narrower 4p3"],
    ["of another parent", { par_hash: "x" }, "chain_broken 4q"],
  ])("%s is refused", async (_, changes, expected) => {
    expect(await chainVerdict([parent, child(parent, 1, changes)])).toBe(`${expected} 1`);
  });

  it("that lets an argument through under `*` which its parent constrains is refused; one that forbids it is not", async () => {
    const open = { "*": { constraint_type: "wildcard" } };
    const parentMap = root({ authorization_details: [aat({ t: { path: { ...EXACT("a"), optional: true }, ...open } })] });
    const derived = (map: JsonObject): Promise<string> => chainVerdict([parentMap, child(parentMap, 1, { authorization_details: [aat({ t: map })] })]);
    expect(await derived(open)).toBe("not_narrower 4p2 1");
    expect(await derived({})).toBe("not_narrower 4p2 1");
    expect(await derived({ path: EXACT("a"), ...open })).toBe("permitted");
    expect(await derived({ other: EXACT("b") })).toBe("permitted");
  });

  it("of a parent that may not be handed on is refused", async () => {
    const terminal = root({ del_max_depth: 0 });
    expect(await chainVerdict([terminal, child(terminal, 1, { del_max_depth: 1 })])).toBe("depth_exceeded 4e 1");
  });

  it("with no AAT entry is a dead end: it can stand in a chain but not at its end, and hands nothing on", async () => {
    const tokens = chain(2, { 1: { authorization_details: [] } });
    expect(await chainVerdict(tokens)).toBe("permitted");
    expect(await callVerdict(tokens)).toBe("tool_not_allowed 6a 1");
    expect(await chainVerdict(chain(3, { 1: { authorization_details: [] } }))).toBe("not_narrower 4p1 2");
    expect(await chainVerdict(chain(3, { 1: { authorization_details: [] }, 2: { authorization_details: [aat({})] } }))).toBe("permitted");
  });

  it("signed by anybody but the parent's holder is refused", async () => {
    const tokens = [parent, compact(headerOf(ISSUER_PAIR), childClaims(parent, 1), ISSUER_PAIR)];
    expect(await chainVerdict(tokens)).toBe("envelope_signature_invalid 4b 1");
  });

  it("can be held and signed with keys of either algorithm, and never with the other one's name", async () => {
    const [first, second] = [pair("ES256"), pair()];
    const top = root({ cnf: { jwk: first.jwk } });
    const claims = childClaims(top, 1, { iss: `urn:ietf:params:oauth:jwk-thumbprint:sha-256:${first.thumbprint}`, cnf: { jwk: second.jwk } });
    expect(await chainVerdict([top, compact(headerOf(first), claims, first)])).toBe("permitted");
    expect(await chainVerdict([top, compact({ ...headerOf(first), alg: "Ed25519" }, claims, first)])).toBe("envelope_signature_invalid 4a 1");
    expect(await chainVerdict([top, compact(headerOf(first), claims, first)], { algorithms: ["Ed25519"] })).toBe("envelope_signature_invalid 4a 1");
  });
});

describe("audiences", () => {
  it("of every token must name this verifier exactly; none is removed by a child", async () => {
    const other = `${AUDIENCE}/`;
    expect(await callVerdict(chain(2, { 0: { aud: [other, AUDIENCE] }, 1: { aud: AUDIENCE } }))).toBe("permitted");
    expect(await callVerdict(chain(2, { 0: { aud: other } }))).toBe("audience_mismatch 6c 0");
    expect(await callVerdict(chain(2, { 0: { aud: AUDIENCE }, 1: { aud: [other] } }))).toBe("audience_mismatch 6c 1");
    expect(await callVerdict(chain(1, { 0: { aud: [] } }))).toBe("audience_mismatch 6c 0");
  });

  it("can be demanded", async () => {
    expect(await callVerdict(chain(2), { requireChainAudience: true })).toBe("audience_mismatch 6c 1");
    expect(await callVerdict(chain(2, { 0: { aud: AUDIENCE } }), { requireChainAudience: true })).toBe("permitted");
  });
});
