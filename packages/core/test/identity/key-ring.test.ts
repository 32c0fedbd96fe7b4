import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { createKeyRing } from "../../src/identity/key-ring.ts";
import { readJwks } from "../../src/identity/jwks.ts";
import type { ListedKey } from "../../src/identity/key-source.ts";
import { listedAnchors } from "../../src/identity/listed-anchors.ts";
import { readPrivateKey } from "../../src/identity/private-key.ts";
import type { TrustAnchor } from "../../src/token/anchors.ts";
import { generatePrivateJwk } from "../../src/token/crypto.ts";
import { issueRoot } from "../../src/token/issue.ts";
import { generateKey, type SigningKey } from "../../src/token/key.ts";
import { createVerifier, type Verifier } from "../../src/token/verifier.ts";
import { codeOf, rejectionOf } from "../support/codes.ts";
import { verdict } from "../token/mint.ts";
import { ISSUER, jwks, NOW } from "./issuer.ts";

let holder: SigningKey;
const rootBy = async (key: SigningKey, at = NOW): Promise<readonly string[]> => {
  holder ??= await generateKey();
  const root = { issuer: ISSUER, holder: holder.public, tools: { "contracts.read": {} }, maxDepth: 1, expiresAt: at + 3600, now: at * 1000 };
  return (await issueRoot(root, key)).tokens;
};
const verifierOf = (anchors: () => readonly TrustAnchor[], at: () => number = () => NOW): Verifier<TrustAnchor> =>
  createVerifier({ anchors, audiences: ["https://pep.example"], replay: "deferred", now: () => at() * 1000 });

describe("a key ring", () => {
  it("signs with the current key and verifies what older ones signed, while it runs", async () => {
    let at = NOW;
    const ring = createKeyRing({ current: await generateKey(), now: () => at * 1000 });
    const verifier = verifierOf(
      listedAnchors(ring, () => ({ issuer: ISSUER })),
      () => at,
    );
    const old = await rootBy(ring.current());
    expect(verdict(await verifier.verifyChain(old))).toBe("permitted");
    at += 60;
    ring.rotate(await generateKey("ES256"));
    expect(ring.current().public.algorithm).toBe("ES256");
    expect(verdict(await verifier.verifyChain(old))).toBe("permitted");
    expect(verdict(await verifier.verifyChain(await rootBy(ring.current(), at)))).toBe("permitted");
    expect(ring.keys().map(({ notAfter }) => notAfter)).toStrictEqual([at, undefined]);
  });

  it("does not sign with a key that was rotated out, wherever the key was kept", async () => {
    const ring = createKeyRing({ current: await generateKey(), now: () => NOW * 1000 });
    const kept = ring.current();
    expect(await rejectionOf(kept.sign("text"))).toBe("nothing thrown");
    ring.rotate(await generateKey());
    expect(await rejectionOf(kept.sign("text"))).toBe("option_invalid");
    expect(await rejectionOf(rootBy(kept))).toBe("option_invalid");
    expect(await rejectionOf(ring.current().sign("text"))).toBe("nothing thrown");
  });

  it("verifies nothing that a retired key signs after its end, be it one second", async () => {
    const key = await generateKey();
    const ring = createKeyRing({ current: key, now: () => NOW * 1000 });
    const anchors = listedAnchors(ring, () => ({ issuer: ISSUER }));
    ring.rotate(await generateKey(), { overlap: 10 });
    const verifier = verifierOf(anchors, () => NOW + 20);
    // `key` itself, and not the ring's, is what somebody has who kept the file.
    expect(verdict(await verifier.verifyChain(await rootBy(key, NOW + 10)))).toBe("permitted");
    expect(verdict(await verifier.verifyChain(await rootBy(key, NOW + 11)))).toBe("envelope_signature_invalid 3k 0");
  });

  it("forgets what was verified under a key as soon as that is retired before it, or dropped", async () => {
    let at = NOW;
    const key = await generateKey();
    const ring = createKeyRing({ current: key, now: () => at * 1000 });
    const verifier = verifierOf(listedAnchors(ring, () => ({ issuer: ISSUER })));
    const [early, late] = [await rootBy(key, NOW), await rootBy(key, NOW + 20)];
    for (const chain of [early, late]) expect(verdict(await verifier.verifyChain(chain))).toBe("permitted");
    at = NOW + 5;
    const { kid } = ring.current();
    ring.rotate(await generateKey());
    expect(verdict(await verifier.verifyChain(early))).toBe("permitted");
    expect(verdict(await verifier.verifyChain(late))).toBe("envelope_signature_invalid 3k 0");
    ring.drop(kid);
    expect(verdict(await verifier.verifyChain(early))).toBe("envelope_signature_invalid 3b 0");
    expect(JSON.stringify(ring.toJwks())).not.toContain(kid);
  });

  it("lists an announced key before it signs, as the same anchor afterwards", async () => {
    const ring = createKeyRing({ current: await generateKey(), now: () => NOW * 1000 });
    const anchors = listedAnchors(ring, () => ({ issuer: ISSUER }));
    const next = await generateKey();
    const before = ring.current();
    ring.announce(next);
    ring.announce(next);
    expect(ring.current()).toBe(before);
    expect(ring.toJwks().keys).toHaveLength(2);
    const anchor = anchors()[1];
    ring.rotate(next);
    expect(ring.current().kid).toBe(next.public.thumbprint);
    expect(anchors()[1]).toBe(anchor);
  });

  it("comes back from what it published, and lets no old key begin again", async () => {
    const [first, second, third] = [await generateKey(), await generateKey(), await generateKey()];
    const ring = createKeyRing({ current: first, now: () => NOW * 1000 });
    ring.rotate(second);
    const previous = readJwks(JSON.stringify(ring.toJwks()), "jwks") as readonly ListedKey[];
    const again = createKeyRing({ current: second, previous, now: () => NOW * 1000 });
    expect(again.toJwks()).toStrictEqual(ring.toJwks());
    expect(codeOf(() => createKeyRing({ current: first, previous }))).toBe("option_invalid");
    expect(codeOf(() => again.rotate(first))).toBe("option_invalid");
    expect(codeOf(() => again.announce(first))).toBe("option_invalid");
    expect(codeOf(() => again.rotate(second))).toBe("option_invalid");
    expect(codeOf(() => again.drop(again.current().kid))).toBe("option_invalid");
    expect(again.current().public).toBe(second.public);
    again.rotate(third);
    expect(again.keys()).toHaveLength(3);
  });

  it.each<[string, (key: SigningKey, other: SigningKey) => unknown]>([
    ["one name for two keys", (key, other) => createKeyRing({ current: { ...key, kid: "a" } }).rotate({ ...other, kid: "a" })],
    ["one key under two names", (key) => createKeyRing({ current: { ...key, kid: "a" } }).announce({ ...key, kid: "b" })],
    ["a name that is no id", (key) => createKeyRing({ current: { ...key, kid: "a b" } })],
    ["a name that is empty", (key) => createKeyRing({ current: { ...key, kid: "" } })],
    [
      "one key twice in what was published before",
      (key, other) => {
        const { jwk } = other.public;
        const previous = readJwks(jwks({ ...jwk, kid: "a" }, { ...jwk, kid: "b" }), "jwks") as readonly ListedKey[];
        return createKeyRing({ current: key, previous });
      },
    ],
    ["a previous key of another kind", (key) => createKeyRing({ current: key, previous: [{ kid: "a" } as ListedKey] })],
    ["an overlap below nothing", (key, other) => createKeyRing({ current: key }).rotate(other, { overlap: -1 })],
    ["an overlap that is no number", (key, other) => createKeyRing({ current: key }).rotate(other, { overlap: Number.NaN })],
    ["a clock that is none", (key, other) => createKeyRing({ current: key, now: () => Number.NaN }).rotate(other)],
  ])("refuses %s", async (_, act) => {
    const [key, other] = [await generateKey(), await generateKey()];
    expect(codeOf(() => act(key, other))).toBe("option_invalid");
  });

  it("publishes names, algorithms and times, and the thumbprint where no name was given", async () => {
    const ring = createKeyRing({ current: { ...(await generateKey("ES256")), kid: "2026-a" }, now: () => NOW * 1000 });
    const next = await generateKey();
    ring.rotate(next);
    const [old, current] = ring.toJwks().keys;
    expect(old).toMatchObject({ kty: "EC", crv: "P-256", kid: "2026-a", alg: "ES256", use: "sig", exp: NOW });
    expect(current).toStrictEqual({ ...next.public.jwk, kid: next.public.thumbprint, alg: "Ed25519", use: "sig" });
  });
});

describe("a private key", () => {
  it.each(["Ed25519", "ES256"] as const)("of %s is nowhere to be seen: serialised, inspected, spread, in an error", async (algorithm) => {
    const jwk = await generatePrivateJwk(algorithm);
    const key = await readPrivateKey(JSON.stringify({ ...jwk, kid: "k", key_ops: ["sign"], use: "sig" }));
    const ring = createKeyRing({ current: key, now: () => NOW * 1000 });
    const kept = ring.current();
    ring.rotate(await generateKey());
    const error = await kept.sign("text").catch((cause: unknown) => cause);
    for (const value of [key, ring, kept, ring.current(), ring.keys(), ring.toJwks(), error, listedAnchors(ring, () => ({ issuer: ISSUER }))()]) {
      const shown = [
        JSON.stringify(value),
        JSON.stringify({ ...(value as object) }),
        String(value),
        inspect(value, { showHidden: true, depth: null, getters: true }),
        JSON.stringify(Object.getOwnPropertyNames(value)),
      ].join("\n");
      expect(shown).not.toContain(jwk.d);
      expect(shown).not.toMatch(/"d"|\bd:/);
    }
    expect(() => structuredClone(key)).toThrow("could not be cloned");
  });

  it("has the name of its file, else its thumbprint", async () => {
    const jwk = await generatePrivateJwk("Ed25519");
    expect((await readPrivateKey(JSON.stringify({ ...jwk, kid: "k" }))).kid).toBe("k");
    const unnamed = await readPrivateKey(JSON.stringify(jwk));
    expect(unnamed.kid).toBe(unnamed.public.thumbprint);
  });

  it.each<[string, (jwk: object) => string]>([
    ["no JSON", () => "secret"],
    ["a list", (jwk) => JSON.stringify([jwk])],
    ["a public key", (jwk) => JSON.stringify({ ...jwk, d: undefined })],
    ["a `d` twice", (jwk) => `${JSON.stringify(jwk).slice(0, -1)},"d":"AAAA"}`],
    ["a `d` that is no text", (jwk) => JSON.stringify({ ...jwk, d: [1] })],
    ["a `d` of something else", (jwk) => JSON.stringify({ ...jwk, d: "AAAA" })],
    ["for encryption", (jwk) => JSON.stringify({ ...jwk, use: "enc" })],
    ["for deriving", (jwk) => JSON.stringify({ ...jwk, key_ops: ["deriveBits"] })],
    ["for another algorithm", (jwk) => JSON.stringify({ ...jwk, alg: "ES256" })],
    ["named with a line feed", (jwk) => JSON.stringify({ ...jwk, kid: "a\nb" })],
    ["symmetric", () => JSON.stringify({ kty: "oct", k: "AAAA", d: "AAAA" })],
  ])("that is %s is refused, and not quoted", async (_, write) => {
    const jwk = await generatePrivateJwk("Ed25519");
    const reading = readPrivateKey(write(jwk));
    expect(await rejectionOf(reading)).toBe("option_invalid");
    const error = await reading.catch((cause: unknown) => cause);
    expect(inspect(error, { showHidden: true, depth: null })).not.toContain(jwk.d);
  });
});
