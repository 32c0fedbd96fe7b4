import { generateKeyPairSync } from "node:crypto";
import type { JWK } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { fixedKeys, readJwks } from "../../src/identity/jwks.ts";
import type { ListedKey } from "../../src/identity/key-source.ts";
import { codeOf } from "../support/codes.ts";
import { jwks, testKey, type TestKey } from "./issuer.ts";

const ALGORITHMS = ["RS256", "PS256", "ES256", "ES384", "ES512", "Ed25519"] as const;
const keys = new Map<string, TestKey>();
beforeAll(async () => {
  for (const alg of ALGORITHMS) keys.set(alg, await testKey(alg));
});
const keyOf = (alg: string): TestKey => keys.get(alg) as TestKey;
const read = (text: string, before?: readonly ListedKey[]): readonly ListedKey[] => {
  const answer = readJwks(text, "jwks", before);
  if (typeof answer === "string") throw new Error(answer);
  return answer;
};
const rsa = (bits: number, publicExponent = 65_537): JWK =>
  generateKeyPairSync("rsa", { modulusLength: bits, publicExponent }).publicKey.export({ format: "jwk" }) as JWK;

describe("a key set", () => {
  it("has keys of every kind that tokens are signed with; those of envelopes as envelopes want them", () => {
    const listed = read(jwks(...keys.values()));
    expect(listed.map(({ kid }) => kid)).toStrictEqual([...ALGORITHMS]);
    expect(listed.map(({ key }) => key?.algorithm)).toStrictEqual([undefined, undefined, "ES256", undefined, undefined, "Ed25519"]);
    expect(Object.keys(listed[0]?.jwk ?? {})).toStrictEqual(["kty", "e", "n"]);
  });

  const p256 = (changes: object): JWK => ({ ...keyOf("ES256").jwk, ...changes });
  it.each<[string, () => JWK]>([
    ["private", () => p256({ d: keyOf("ES256").jwk.x })],
    ["a secret", () => ({ kty: "oct", k: "AAAA", kid: "k" })],
    ["for encryption", () => p256({ use: "enc" })],
    ["for JWT-SVIDs", () => p256({ use: "jwt-svid" })],
    ["for signing only", () => p256({ key_ops: ["sign"] })],
    ["with operations that are no list", () => p256({ key_ops: "verify" })],
    ["revoked", () => p256({ revoked: { revoked_at: 1 } })],
    ["revoked, whatever that says", () => p256({ revoked: false })],
    ["of an unknown kind", () => p256({ kty: "AKP" })],
    ["of a kind that objects inherit", () => p256({ kty: "constructor", crv: "__proto__" })],
    ["on an unknown curve", () => p256({ crv: "secp256k1" })],
    ["off its curve", () => p256({ y: keyOf("ES256").jwk.x })],
    ["for an algorithm of another kind", () => p256({ alg: "RS256" })],
    ["for a symmetric algorithm", () => p256({ alg: "HS256" })],
    ["for an algorithm that is no text", () => p256({ alg: 1 })],
    ["named by a number", () => p256({ kid: 1 })],
    ["named by nothing", () => p256({ kid: "" })],
    ["named by a book", () => p256({ kid: "k".repeat(257) })],
    ["valid until a text", () => p256({ exp: "2030" })],
    ["valid from a fraction", () => p256({ nbf: 1.5 })],
    ["of small order", () => ({ kty: "OKP", crv: "Ed25519", x: Buffer.alloc(32).toString("base64url") })],
    ["padded", () => p256({ x: `${keyOf("ES256").jwk.x}=` })],
    ["without a modulus", () => ({ kty: "RSA", e: "AQAB" })],
    ["RSA of 1024 bits", () => rsa(1024)],
    ["RSA of too many bits", () => ({ kty: "RSA", e: "AQAB", n: Buffer.alloc(1100, 255).toString("base64url") })],
    ["RSA with the exponent 1", () => ({ ...rsa(2048), e: "AQ" })],
    ["RSA with an even exponent", () => ({ ...rsa(2048), e: "BA" })],
    ["RSA with an even modulus", () => ({ ...rsa(2048), n: Buffer.alloc(256, 254).toString("base64url") })],
  ])("leaves out a key that is %s, and keeps the others", (_, wrong) => {
    expect(read(jwks(wrong(), keyOf("Ed25519"))).map(({ kid }) => kid)).toStrictEqual(["Ed25519"]);
  });

  it.each([
    ["no JSON", "keys"],
    ["a list", "[]"],
    ["without keys", "{}"],
    ["with keys that are no list", '{"keys":{}}'],
    ["with `keys` twice", '{"keys":[],"keys":[]}'],
    ["with a member twice in a key", '{"keys":[{"kty":"RSA","kty":"EC"}]}'],
    ["with 101 keys", JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) })],
    ["nested deeply", `{"keys":${"[".repeat(1000)}${"]".repeat(1000)}}`],
    ["with a byte order mark", '\ufeff{"keys":[]}'],
  ])("that is %s is refused", (_, text) => {
    expect(typeof readJwks(text, "jwks")).toBe("string");
    expect(codeOf(() => fixedKeys(text))).toBe("option_invalid");
  });

  it("without any usable key is a list like any other, and no configuration", () => {
    expect(read('{"keys":[]}')).toStrictEqual([]);
    expect(codeOf(() => fixedKeys('{"keys":[null]}'))).toBe("option_invalid");
  });

  it("keeps the object of a key that is listed in the same words, in whatever order", () => {
    const [es, ed] = [keyOf("ES256"), keyOf("Ed25519")];
    const before = read(jwks(es, ed));
    const shuffled = Object.fromEntries(Object.entries(es.jwk).reverse()) as JWK;
    const after = read(jwks(ed, shuffled, shuffled), before);
    expect(after).toHaveLength(2);
    expect(after[0]).toBe(before[1]);
    expect(after[1]).toBe(before[0]);
    for (const change of [{ exp: 1 }, { nbf: 1 }, { kid: "other" }, { alg: "ES256" }]) {
      const changed = read(jwks({ ...es.jwk, ...change }), before);
      expect(changed).toHaveLength(1);
      expect(before).not.toContain(changed[0]);
    }
  });

  it("of a trust domain has the keys for JWT-SVIDs and no others", () => {
    const { jwk } = keyOf("ES256");
    const uses = ["jwt-svid", "x509-svid", "sig", undefined];
    const bundle = JSON.stringify({ spiffe_sequence: 1, keys: uses.map((use) => ({ ...jwk, use, kid: use ?? "none" })) });
    expect((readJwks(bundle, "spiffe-bundle") as readonly ListedKey[]).map(({ kid }) => kid)).toStrictEqual(["jwt-svid"]);
    expect(readJwks(jwks({ ...jwk, use: "jwt-svid", kid: undefined } as unknown as JWK), "spiffe-bundle")).toStrictEqual([]);
  });
});
