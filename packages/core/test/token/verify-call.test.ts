import { describe, expect, it } from "vitest";
import { memoryReplay, type ReplayStore } from "../../src/token/replay.ts";
import { createVerifier } from "../../src/token/verifier.ts";
import { AUDIENCE, aat, callVerdict, chain, compact, headerOf, holder, NOW, optionsWith, pop, popClaims, verdict } from "./mint.ts";

const tokens = chain(2);

describe("a proof", () => {
  it.each([
    ["without `jti`", { jti: undefined }, "pop_invalid 7c 1"],
    ["with an empty `jti`", { jti: "" }, "pop_invalid 7c 1"],
    ["with a `jti` of 257 characters", { jti: "x".repeat(257) }, "pop_invalid 7c 1"],
    ["without `iat`", { iat: undefined }, "pop_invalid 7c 1"],
    ["without `aat_id`", { aat_id: undefined }, "pop_invalid 7c 1"],
    ["without `aat_hash`", { aat_hash: undefined }, "pop_invalid 7c 1"],
    ["without `hta`", { hta: undefined }, "pop_invalid 7c 1"],
    ["with a list of arguments", { hta: [] }, "pop_invalid 7c 1"],
    ["of another token's id", { aat_id: "root" }, "pop_invalid 7c 1"],
    ["of another token's hash", { aat_hash: "x" }, "pop_invalid 7c 1"],
    ["for another verifier", { aat_aud: `${AUDIENCE}/` }, "audience_mismatch 7d 1"],
    ["for a list of verifiers", { aat_aud: [AUDIENCE] }, "pop_invalid 7d 1"],
    ["for another tool", { aat_tool: "read_file " }, "pop_invalid 7e 1"],
    ["for other arguments", { hta: { path: "/b" } }, "pop_invalid 7f 1"],
    ["for more arguments", { hta: { path: "/a", x: null } }, "pop_invalid 7f 1"],
    ["from too long ago", { iat: NOW - 31 }, "pop_invalid 7g 1"],
    ["from the future", { iat: NOW + 31 }, "pop_invalid 7g 1"],
  ])("%s is refused", async (_, changes, expected) => {
    expect(await callVerdict(tokens, { proof: pop(tokens, changes) })).toBe(expected);
  });

  it("at either end of the window is taken", async () => {
    for (const iat of [NOW - 30, NOW + 30]) expect(await callVerdict(tokens, { proof: pop(tokens, { iat }) })).toBe("permitted");
  });

  it("signed by anybody but the holder of the leaf is refused, also by the holder of its parent", async () => {
    const key = holder(0);
    const proof = compact(headerOf(key, "aat-pop+jwt"), popClaims(tokens.at(-1) as string), key);
    expect(await callVerdict(tokens, { proof })).toBe("holder_mismatch 7b 1");
    // The leaf's holder cannot act under a prefix either.
    expect(await callVerdict(tokens.slice(0, 1), { proof: pop(tokens) })).toBe("holder_mismatch 7b 0");
  });

  it("may be as large as arguments may be, and no larger", async () => {
    const path = "x".repeat(262_000);
    const use = { tool: "read_file", argsText: JSON.stringify({ path }) };
    expect(await callVerdict(tokens, { use, proof: pop(tokens, { hta: { path } }) })).toBe("permitted");
    expect(await callVerdict(tokens, { use, proof: pop(tokens, { hta: { path }, more: path }) })).toBe("pop_invalid 7a 1");
    const longer = { tool: "read_file", argsText: JSON.stringify({ path: `${path}${"x".repeat(200)}` }) };
    expect(await callVerdict(tokens, { use: longer, proof: pop(tokens, { hta: JSON.parse(longer.argsText) as unknown }) })).toBe("argument_not_allowed 6b 1");
  });

  it("is no token, and a token is no proof", async () => {
    expect(await callVerdict(tokens, { proof: tokens[1] as string })).toBe("pop_invalid 7a 1");
    expect(await callVerdict([...tokens, pop(tokens)])).toBe("envelope_malformed 4a 2");
  });

  it("must name the verifier where that is demanded", async () => {
    expect(await callVerdict(tokens, { requirePopAudience: true })).toBe("audience_mismatch 7d 1");
    expect(await callVerdict(tokens, { requirePopAudience: true, proof: pop(tokens, { aat_aud: AUDIENCE }) })).toBe("permitted");
  });

  it("must carry a nonce that was given out where that is demanded", async () => {
    const isNonceValid = async (nonce: string): Promise<boolean> => nonce === "n1";
    expect(await callVerdict(tokens, { isNonceValid })).toBe("pop_invalid 7h 1");
    expect(await callVerdict(tokens, { isNonceValid, proof: pop(tokens, { nonce: "n2" }) })).toBe("pop_invalid 7h 1");
    expect(await callVerdict(tokens, { isNonceValid, proof: pop(tokens, { nonce: "n1" }) })).toBe("permitted");
    const unsure = async (): Promise<boolean> => "yes" as unknown as boolean;
    expect(await callVerdict(tokens, { isNonceValid: unsure, proof: pop(tokens, { nonce: "n1" }) })).toBe("pop_invalid 7h 1");
    const fails = (): Promise<boolean> => Promise.reject(new Error("unreachable"));
    expect(await callVerdict(tokens, { isNonceValid: fails, proof: pop(tokens, { nonce: "n1" }) })).toBe("state_unavailable 7i 1");
  });
});

describe("a proof is taken once", () => {
  const use = { tool: "read_file", argsText: '{"path":"/a"}' };

  it("also when it comes many times at once", async () => {
    const verifier = createVerifier(optionsWith({ replay: memoryReplay(() => NOW * 1000) }));
    const answers = await Promise.all(Array.from({ length: 20 }, () => verifier.verifyCall({ chain: tokens, pop: pop(tokens) }, use)));
    expect(answers.map(verdict).toSorted()).toEqual([...Array.from({ length: 19 }, () => "pop_replayed 7i 1"), "permitted"].toSorted());
  });

  it("and not used up by a call that is denied", async () => {
    const verifier = createVerifier(optionsWith({ replay: memoryReplay(() => NOW * 1000) }));
    const presentation = { chain: tokens, pop: pop(tokens) };
    expect(verdict(await verifier.verifyCall(presentation, { ...use, argsText: '{"path":"/b"}' }))).toBe("pop_invalid 7f 1");
    expect(verdict(await verifier.verifyCall(presentation, use))).toBe("permitted");
    expect(verdict(await verifier.verifyCall(presentation, use))).toBe("pop_replayed 7i 1");
  });

  it("for each holder: another holder may use the same `jti`", async () => {
    const verifier = createVerifier(optionsWith({ replay: memoryReplay(() => NOW * 1000) }));
    for (const length of [1, 2, 3]) expect(verdict(await verifier.verifyCall({ chain: chain(length), pop: pop(chain(length)) }, use))).toBe("permitted");
  });

  it("for as long as it could be replayed, by the clock of the store", async () => {
    let now = 0;
    const store = memoryReplay(() => now, 2);
    expect([await store.take("a", 10), await store.take("a", 10), await store.take("b", 20)]).toEqual([true, false, true]);
    now = 10;
    expect(await store.take("a", 20)).toBe(false);
    await expect(store.take("c", 20)).rejects.toThrow("full");
    now = 11;
    expect([await store.take("c", 30), await store.take("b", 30)]).toEqual([true, false]);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("down")), "state_unavailable 7i 1"],
    ["answers with something that is not true", async () => "yes" as unknown as boolean, "pop_replayed 7i 1"],
  ])("or the call is denied when the store %s", async (_, take: ReplayStore["take"], expected) => {
    expect(await callVerdict(tokens, { replay: { take } })).toBe(expected);
  });

  it("by the caller when it wants to, by a key that is the holder's own", async () => {
    const answer = await createVerifier(optionsWith()).verifyCall({ chain: tokens, pop: pop(tokens) }, use);
    expect(answer).toMatchObject({ verified: true, replay: { key: `${holder(1).thumbprint}.proof`, until: (NOW + 30) * 1000 } });
  });
});

describe("the arguments of a call", () => {
  const open = chain(1, { 0: { authorization_details: [aat({ read_file: {} })] } });
  const call = (argsText: string, hta: unknown = JSON.parse(argsText)): Promise<string> =>
    callVerdict(open, { proof: pop(open, { hta }), use: { tool: "read_file", argsText } });

  it("count as values: order, white space and spelling of numbers do not matter", async () => {
    expect(await call('{ "b" : 1.0e1, "a":"\\u0061" }', { a: "a", b: 10 })).toBe("permitted");
    expect(await call("{}", {})).toBe("permitted");
  });

  it.each([
    ["a member twice", '{"a":1,"a":1}', { a: 1 }],
    ["a number that is not exact", '{"a":9007199254740993}', { a: 9007199254740992 }],
    ["a number that is too large", '{"a":1e999}', { a: null }],
    ["half of a surrogate pair", '{"a":"\\ud800"}', { a: "\ufffd" }],
    ["something after them", "{} {}", {}],
    ["no object", "[]", []],
    ["no JSON", "{'a':1}", {}],
    ["nothing", "", {}],
  ])("with %s are refused", async (_, text, hta) => {
    expect(await call(text, hta)).toMatch(/^argument_not_allowed 6b|^pop_invalid 7c/);
  });

  it("of the proof are not taken for others because a number of them is not exact", async () => {
    const claims = JSON.stringify(popClaims(open[0] as string, { hta: { a: "N" } }));
    const proofWith = (number: string): string => compact(headerOf(holder(0), "aat-pop+jwt"), claims.replace('"N"', number), holder(0));
    expect(await callVerdict(open, { proof: proofWith("9007199254740993"), use: { tool: "read_file", argsText: '{"a":9007199254740992}' } })).toBe(
      "pop_invalid 7f 0",
    );
    expect(await callVerdict(open, { proof: proofWith("9007199254740993"), use: { tool: "read_file", argsText: '{"a":null}' } })).toBe("pop_invalid 7f 0");
    expect(await callVerdict(open, { proof: proofWith("9007199254740994.0"), use: { tool: "read_file", argsText: '{"a":9007199254740994}' } })).toBe(
      "permitted",
    );
  });

  it("without their text are refused where what was written cannot be told", async () => {
    const parsed = (args: unknown, hta: unknown): Promise<string> => callVerdict(open, { proof: pop(open, { hta }), use: { tool: "read_file", args } });
    expect(await parsed({ a: [1, "x", null] }, { a: [1, "x", null] })).toBe("permitted");
    expect(await parsed({ a: 2 ** 53 }, { a: 2 ** 53 })).toBe("argument_not_allowed 6b 0");
    expect(await parsed({ a: () => 1 }, { a: null })).toBe("argument_not_allowed 6b 0");
    expect(await parsed([], {})).toBe("argument_not_allowed 6b 0");
    expect(await parsed(undefined, {})).toBe("argument_not_allowed 6b 0");
  });

  it("are within the map of the leaf: each named one, and no other", async () => {
    const map = { path: { constraint_type: "one_of", values: ["/a", "/b"] }, head: { constraint_type: "range", max: 10, optional: true } };
    const closed = chain(1, { 0: { authorization_details: [aat({ read_file: map, open: { ...map, "*": { constraint_type: "wildcard" } } })] } });
    const ask = (tool: string, hta: object): Promise<string> =>
      callVerdict(closed, { proof: pop(closed, { aat_tool: tool, hta }), use: { tool, argsText: JSON.stringify(hta) } });
    expect(await ask("read_file", { path: "/a" })).toBe("permitted");
    expect(await ask("read_file", { path: "/a", head: 10 })).toBe("permitted");
    for (const hta of [
      {},
      { head: 1 },
      { path: "/c" },
      { path: ["/a"] },
      { path: "/a", head: 11 },
      { path: "/a", head: null },
      { path: "/a", tail: 1 },
      { path: "/a", "*": 1 },
    ]) {
      expect(await ask("read_file", hta)).toBe("argument_not_allowed 6b 0");
    }
    expect(await ask("open", { path: "/a", tail: 1, "*": 1 })).toBe("permitted");
    expect(await ask("open", { path: "/c", tail: 1 })).toBe("argument_not_allowed 6b 0");
    expect(await ask("Read_file", { path: "/a" })).toBe("tool_not_allowed 6b 0");
  });
});
