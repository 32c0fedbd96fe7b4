import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/data/canonical.ts";
import type { Json, JsonObject } from "../../src/data/json.ts";
import { trustAnchor } from "../../src/token/anchors.ts";
import { generateKey, type SigningKey } from "../../src/token/key.ts";
import { deriveToken, holdChain, issueRoot, type HeldChain, type NewChild, type NewRoot } from "../../src/token/issue.ts";
import { signPop } from "../../src/token/pop.ts";
import { readPresentation, writePresentation } from "../../src/token/presentation.ts";
import { createVerifier } from "../../src/token/verifier.ts";
import { codeOf, rejectionOf } from "../support/codes.ts";
import { AUDIENCE, ISSUER, NOW, optionsWith, verdict } from "./mint.ts";

const ISSUER_KEY = await generateKey();
const [ALICE, BOB, CAROL] = [await generateKey(), await generateKey("ES256"), await generateKey()];
const ANCHORS = [trustAnchor({ issuer: ISSUER, jwk: ISSUER_KEY.public.jwk as unknown as JsonObject })];
const now = NOW * 1000;

const RANGE = { constraint_type: "range", min: 0, max: 100 };
const TOOLS: JsonObject = {
  read_file: { path: { constraint_type: "one_of", values: ["/a", "/b"] }, head: { ...RANGE, optional: true } },
  search: {},
};

const rootWith = (changes: Partial<NewRoot> = {}, key: SigningKey = ISSUER_KEY): Promise<HeldChain> =>
  issueRoot({ issuer: ISSUER, holder: ALICE.public, tools: TOOLS, maxDepth: 3, expiresAt: NOW + 600, now, ...changes }, key);
const childOf = (parent: HeldChain, changes: Partial<NewChild> = {}, key: SigningKey = ALICE): Promise<HeldChain> =>
  deriveToken(parent, { holder: BOB.public, now, ...changes }, key);

const verify = async (chain: HeldChain): Promise<string> => verdict(await createVerifier(optionsWith({ anchors: () => ANCHORS })).verifyChain(chain.tokens));

async function call(chain: HeldChain, key: SigningKey, tool: string, args: JsonObject): Promise<string> {
  const pop = await signPop({ leaf: chain.leaf, tool, args, audience: AUDIENCE, now }, key);
  const read = readPresentation(JSON.parse(JSON.stringify(writePresentation({ chain: chain.tokens, pop }))));
  if (!read.verified) return verdict(read);
  const verifier = createVerifier(optionsWith({ anchors: () => ANCHORS, requirePopAudience: true }));
  return verdict(await verifier.verifyCall(read.presentation, { tool, argsText: JSON.stringify(args) }));
}

describe("what is issued and derived", () => {
  it("is held as it was signed, in the order of JCS, and derived from in the same words", async () => {
    const tools = JSON.parse(JSON.stringify(TOOLS)) as Record<string, Json>;
    const root = await rootWith({ tools });
    delete tools["search"];
    const child = await childOf(root);
    for (const { tokens, leaf } of [root, child]) {
      const text = Buffer.from((tokens.at(-1) as string).split(".")[1] as string, "base64url").toString();
      expect(JSON.stringify(leaf.claims.signed)).toBe(text);
      expect(canonicalJson(JSON.parse(text) as JsonObject)).toBe(text);
    }
    expect([...(child.leaf.claims.tools?.keys() ?? [])]).toEqual(["read_file", "search"]);
    expect(await verify(child)).toBe("permitted");
  });

  it("is signed in the one order of JCS, whatever order it was asked for in", async () => {
    const tools = { b: { z: { min: 0, max: 9, constraint_type: "range" }, "10": RANGE, "9": RANGE }, a: {} };
    const textOf = ({ tokens }: HeldChain): string => Buffer.from(tokens.at(-1)?.split(".")[1] ?? "", "base64url").toString();
    const root = await rootWith({ tools, audience: [AUDIENCE], otherDetails: [{ type: "other", a: { d: 1, c: 2 } }] });
    for (const text of [textOf(root), textOf(await childOf(root))]) expect(text).toBe(canonicalJson(JSON.parse(text) as JsonObject));
    Object.defineProperty(Object.prototype, "toJSON", { value: () => "forged", configurable: true, writable: true });
    try {
      expect(textOf(await rootWith({ tools: { a: {} } }))).toContain('"tools":{"a":{}}');
    } finally {
      Reflect.deleteProperty(Object.prototype, "toJSON");
    }
  });

  it("is verified, and permits its holder what it says and nobody else anything", async () => {
    const root = await rootWith();
    const child = await childOf(root, {
      tools: { read_file: { path: { constraint_type: "exact", value: "/a" } } },
      audience: [AUDIENCE],
      expiresAt: NOW + 60,
      maxDepth: 2,
    });
    const grandchild = await deriveToken(child, { holder: CAROL.public, now }, BOB);
    expect([await verify(root), await verify(child), await verify(grandchild)]).toEqual(["permitted", "permitted", "permitted"]);
    expect(await call(root, ALICE, "search", { anything: [1] })).toBe("permitted");
    expect(await call(grandchild, CAROL, "read_file", { path: "/a" })).toBe("permitted");
    expect(await call(grandchild, CAROL, "read_file", { path: "/b" })).toBe("argument_not_allowed 6b 2");
    expect(await call(grandchild, CAROL, "read_file", { path: "/a", head: 1 })).toBe("argument_not_allowed 6b 2");
    expect(await call(grandchild, CAROL, "search", {})).toBe("tool_not_allowed 6b 2");
    expect(await call(grandchild, BOB, "read_file", { path: "/a" })).toMatch(/^pop_invalid 7a/); // another algorithm
    expect(await call(grandchild, ALICE, "read_file", { path: "/a" })).toBe("holder_mismatch 7b 2");
    // The parent goes on as it was.
    expect(await call(root, ALICE, "read_file", { path: "/b" })).toBe("permitted");
  });

  it("has an id of its own each time, a UUIDv7 of its time", async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, async () => (await rootWith()).leaf.claims.jti));
    expect(new Set(ids).size).toBe(50);
    for (const id of ids) expect(id).toMatch(/^018cc[0-9a-f]{3}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(Number.parseInt((ids[0] as string).replaceAll("-", "").slice(0, 12), 16)).toBe(now);
  });

  it("carries entries of other types and reads them back, frozen", async () => {
    const entry = { type: "urn:ambit:envelope:1", purpose: "review", list: [1, null, { a: "ü" }] };
    const child = await childOf(await rootWith({ otherDetails: [entry] }), { otherDetails: [{ ...entry, purpose: "sub" }] });
    expect(await verify(child)).toBe("permitted");
    expect(holdChain(child.tokens).leaf).toEqual(child.leaf);
    expect(holdChain(child.tokens).leaf.claims.details).toContainEqual({ ...entry, purpose: "sub" });
  });

  it("can be derived by whoever was handed the tokens, without having made them", async () => {
    const held = holdChain((await rootWith()).tokens);
    expect(await verify(await childOf(held))).toBe("permitted");
  });

  it("by a holder whose clock is behind is issued when its parent was", async () => {
    const root = await rootWith();
    const child = await childOf(root, { now: now - 20_000 });
    expect(child.leaf.claims.issuedAt).toBe(root.leaf.claims.issuedAt);
    expect(await verify(child)).toBe("permitted");
  });
});

describe("a root is not issued", () => {
  it.each<[string, Partial<NewRoot>, string]>([
    ["with a constraint that no verifier knows", { tools: { t: { a: { constraint_type: "regex", pattern: "." } } } }, "envelope_malformed"],
    [
      "with a Map in place of a constraint map, which JSON would make `{}`",
      { tools: { t: new Map([["a", 1]]) } as unknown as JsonObject },
      "envelope_malformed",
    ],
    ["with NaN, which JSON would make null", { tools: { t: { a: { constraint_type: "one_of", values: [Number.NaN] } } } }, "envelope_malformed"],
    ["with an undefined member", { tools: { t: undefined } as unknown as JsonObject }, "envelope_malformed"],
    ["with half of a surrogate pair", { tools: { "\ud800": {} } }, "envelope_malformed"],
    ["with a second AAT entry", { otherDetails: [{ type: "attenuating_agent_token", tools: {} }] }, "envelope_malformed"],
    ["with an audience that is no text", { audience: [7] as unknown as string[] }, "envelope_malformed"],
    ["that has expired", { expiresAt: NOW }, "envelope_expired"],
    ["with a time that is no whole second", { expiresAt: NOW + 0.5 }, "envelope_malformed"],
    ["that lives too long", { expiresAt: NOW + 7_776_001 }, "envelope_malformed"],
    ["deeper than the limit", { maxDepth: 9 }, "depth_exceeded"],
    ["with a negative depth", { maxDepth: -1 }, "envelope_malformed"],
    ["larger than a token may be", { otherDetails: [{ type: "x", text: "x".repeat(60_000) }] }, "envelope_malformed"],
  ])("%s", async (_, changes, code) => {
    expect(await rejectionOf(rootWith(changes))).toBe(code);
  });
});

describe("a child is not derived", () => {
  it.each<[string, Partial<NewChild>, string]>([
    ["with another tool", { tools: { write_file: {} } }, "not_narrower"],
    ["with a wider value", { tools: { read_file: { path: { constraint_type: "exact", value: "/c" } } } }, "not_narrower"],
    ["with an open map in place of a closed one", { tools: { read_file: {} } }, "not_narrower"],
    ["with a tool called like an inherited member", { tools: Object.fromEntries([["toString", {}]]) }, "not_narrower"],
    ["that expires later", { expiresAt: NOW + 601 }, "not_narrower"],
    ["that may be handed on further", { maxDepth: 4 }, "not_narrower"],
    ["that allows less than its own depth", { maxDepth: 0 }, "depth_exceeded"],
    ["that has expired", { expiresAt: NOW }, "envelope_expired"],
  ])("%s", async (_, changes, code) => {
    expect(await rejectionOf(childOf(await rootWith(), changes))).toBe(code);
  });

  it("by anybody but the holder, or when the parent may not be handed on", async () => {
    expect(await rejectionOf(childOf(await rootWith(), {}, BOB))).toBe("holder_mismatch");
    expect(await rejectionOf(childOf(await rootWith({ maxDepth: 0 })))).toBe("depth_exceeded");
  });

  it("of what cannot be read", () => {
    for (const tokens of [[], ["x"], ["a.b.c"]]) expect(codeOf(() => holdChain(tokens))).toBe("envelope_malformed");
  });
});

describe("a narrower constraint is written in the form that shows it", () => {
  const any = (...constraints: readonly JsonObject[]): JsonObject => ({ constraint_type: "any", constraints });
  const all = (...constraints: readonly JsonObject[]): JsonObject => ({ constraint_type: "all", constraints });
  const exact = (value: string | number): JsonObject => ({ constraint_type: "exact", value });
  const range = (min: number, max: number): JsonObject => ({ constraint_type: "range", min, max });

  it.each<[string, JsonObject, JsonObject]>([
    ["an exact below an any", any({ constraint_type: "one_of", values: ["x", "y"] }, exact("z")), exact("y")],
    ["a range below an all of two", all(range(0, 50), range(10, 100)), range(20, 30)],
    ["an exact below an any inside an all", all(any(exact(1), exact(2)), range(0, 9)), exact(2)],
    ["an exact below an all inside an any", any(all(range(0, 9)), exact("x")), exact(5)],
    ["with its optional kept", any(exact("x")), { ...exact("x"), optional: false }],
  ])("%s", async (_, parent, wanted) => {
    const root = await rootWith({ tools: { t: { a: parent } } });
    const child = await childOf(root, { tools: { t: { a: wanted } } });
    expect(await verify(child)).toBe("permitted");
    const value = wanted["value"] ?? 25;
    expect(await call(child, BOB, "t", { a: value })).toBe("permitted");
    expect(await call(child, BOB, "t", { a: "other" })).toBe("argument_not_allowed 6b 1");
  });

  it("but what is wider stays refused", async () => {
    const root = await rootWith({ tools: { t: { a: any(exact("x"), all(range(0, 9))) } } });
    for (const wanted of [exact("y"), range(0, 10), { constraint_type: "wildcard" }])
      expect(await rejectionOf(childOf(root, { tools: { t: { a: wanted } } }))).toBe("not_narrower");
  });
});

describe("a presentation", () => {
  it("is read as it was written, members that nobody knows ignored", () => {
    expect(readPresentation({ aat_chain: ["a"], aat_pop: "b", more: 1 })).toEqual({ verified: true, presentation: { chain: ["a"], pop: "b" } });
  });

  it.each([
    [null],
    [[]],
    ["x"],
    [{}],
    [{ aat_chain: "a", aat_pop: "b" }],
    [{ aat_chain: [1], aat_pop: "b" }],
    [{ aat_chain: ["a"] }],
    [Object.create({ aat_chain: ["a"], aat_pop: "b" })],
  ])("that is %j is refused", (json) => {
    expect(readPresentation(json).verified).toBe(false);
  });
});

it("derived chains of any shape are verified, and what is derived never permits what its parent does not", async () => {
  const value = fc.constantFrom("a", "b", "c", 1, 2);
  const constraint = fc.oneof(
    fc.record({ constraint_type: fc.constant("exact"), value }),
    fc.record({ constraint_type: fc.constant("one_of"), values: fc.uniqueArray(value, { minLength: 1 }) }),
    fc.record({ constraint_type: fc.constant("range"), max: fc.constantFrom(1, 2) }),
    fc.record({ constraint_type: fc.constant("wildcard") }),
  );
  const entry = fc.tuple(constraint, fc.boolean()).map(([bare, optional]) => (optional ? { ...bare, optional } : bare));
  const map = fc.dictionary(fc.constantFrom("x", "y", "toString"), entry, { maxKeys: 3 });
  const tools = fc.dictionary(fc.constantFrom("t", "u"), map, { minKeys: 1, maxKeys: 2 });
  const call_ = fc.record({ tool: fc.constantFrom("t", "u"), args: fc.dictionary(fc.constantFrom("x", "y", "z", "toString"), value, { maxKeys: 3 }) });
  let derived = 0;
  await fc.assert(
    fc.asyncProperty(tools, tools, call_, fc.boolean(), async (parentTools, childTools, { tool, args }, isSame) => {
      const root = await rootWith({ tools: parentTools as unknown as JsonObject });
      const child = await childOf(root, { tools: (isSame ? parentTools : childTools) as unknown as JsonObject }).catch(() => undefined);
      if (child === undefined) return;
      derived++;
      expect(await verify(child)).toBe("permitted");
      if ((await call(child, BOB, tool, args)) === "permitted") expect(await call(root, ALICE, tool, args)).toBe("permitted");
    }),
    { numRuns: 300 },
  );
  expect(derived).toBeGreaterThan(100);
});
