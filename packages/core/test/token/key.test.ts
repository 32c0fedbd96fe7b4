import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/data/json.ts";
import { generatePrivateJwk, verifySignature, type PublicKey } from "../../src/token/crypto.ts";
import { generateKey, publicKey, readPublicJwk, signingKey, thumbprintUri } from "../../src/token/key.ts";
import { codeOf, rejectionOf } from "../support/codes.ts";
import { hasVectors, vectorText } from "../support/vectors.ts";
import { pair } from "./mint.ts";

const b64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");
const okp = (x: unknown, more: object = {}): Json => ({ kty: "OKP", crv: "Ed25519", x, ...more }) as Json;

describe("a public key", () => {
  it("is the same object when its own JWK is read again, which nobody can change; a copy is read as what it is", () => {
    const { jwk } = pair();
    const key = readPublicJwk(jwk) as PublicKey;
    const own = key.jwk as unknown as Json;
    expect(readPublicJwk(own)).toBe(key);
    expect(Object.isFrozen(own)).toBe(true);
    expect(readPublicJwk({ ...(own as object), d: "x" } as Json)).toBe("the key has a private member");
    expect(readPublicJwk({ ...(own as object), use: "enc" } as Json)).toBe("the key is for something else");
    expect(readPublicJwk({ ...(own as object), x: b64("01".padEnd(64, "0")) } as Json)).toMatch(/small order/);
  });

  it("is not taken for one that was read before because its coordinates, or what they are written as, are the same", () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" }) as { readonly x: string; readonly y: string };
    const ed = pair().jwk as unknown as { readonly x: string };
    const [point, key] = [readPublicJwk({ kty: "EC", crv: "P-256", x: ec.x, y: ec.y }), readPublicJwk(okp(ed.x))];
    expect([point, key].every((one) => typeof one === "object")).toBe(true);
    for (const jwk of [
      okp(`${ec.x}.${ec.y}`),
      okp([ed.x]),
      okp(ec.x, { y: [ec.y] }),
      { kty: "EC", crv: "P-256", x: [ec.x], y: ec.y },
      { kty: "EC", crv: "P-256", x: ec.x, y: [ec.y] },
      { kty: "EC", crv: "P-256", x: ed.x },
      { kty: "EC", crv: "Ed25519", x: ed.x },
      { kty: "OKP", crv: "P-256", x: ed.x },
      { crv: "Ed25519", x: ed.x },
      okp(ed.x, { d: "x" }),
      okp(ed.x, { key_ops: ["sign"] }),
    ] as Json[]) {
      // A `y` that Ed25519 does not have is dropped, as are other members that say nothing.
      expect(typeof readPublicJwk(jwk) === "string" || readPublicJwk(jwk) === readPublicJwk(okp(ec.x))).toBe(true);
    }
  });

  it("is read with the thumbprint of RFC 7638, and nothing else of the JWK goes on", () => {
    // RFC 8037 appendix A.3.
    const key = readPublicJwk(
      okp("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", { kid: "k", use: "sig", key_ops: ["verify"], alg: "Ed25519", x5u: "https://evil.example" }),
    );
    expect(key).toMatchObject({ algorithm: "Ed25519", thumbprint: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" });
    expect(Object.keys((key as PublicKey).jwk)).toEqual(["crv", "kty", "x"]);
    expect(thumbprintUri(key as PublicKey)).toBe("urn:ietf:params:oauth:jwk-thumbprint:sha-256:kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
  });

  it.each([
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  ])("of small order or not canonical is refused: %s", (hex) => {
    expect(typeof readPublicJwk(okp(b64(hex)))).toBe("string");
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
  const p256 = pair("ES256").jwk;
  const x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
  it.each<[string, unknown]>([
    ["text", "key"],
    ["nothing", undefined],
    ["null", null],
    ["a list", []],
    ["RSA", rsa],
    ["a secret", { kty: "oct", k: "AAAA" }],
    ["Ed448", { kty: "OKP", crv: "Ed448", x }],
    ["X25519", { kty: "OKP", crv: "X25519", x }],
    ["P-384", { ...p256, crv: "P-384" }],
    ["secp256k1", { ...p256, crv: "secp256k1" }],
    ["of one kind with the curve of another", { ...p256, crv: "Ed25519" }],
    ["without x", okp(undefined)],
    ["with x in a list", okp([x])],
    ["padded", okp(`${x}=`)],
    ["with white space", okp(`${x.slice(0, 42)}\n`)],
    ["of the other alphabet", okp(x.replace("_", "/"))],
    ["with dangling bits", okp(`${x.slice(0, 42)}p`)],
    ["one byte short", okp(Buffer.alloc(31, 7).toString("base64url"))],
    ["one byte long", okp(Buffer.alloc(33, 7).toString("base64url"))],
    ["with a private part", okp(x, { d: x })],
    ["with a private part of another kind", okp(x, { p: "AA" })],
    ["for encryption", okp(x, { use: "enc" })],
    ["for another algorithm", okp(x, { alg: "EdDSA" })],
    ["for signing only", okp(x, { key_ops: ["sign"] })],
    ["off its curve", { ...p256, y: p256["x"] }],
    ["of P-256 with a zero in front", { ...p256, x: Buffer.concat([Buffer.alloc(1), Buffer.from(p256["x"] as string, "base64url")]).toString("base64url") }],
    ["without y", { kty: "EC", crv: "P-256", x: p256["x"] }],
  ])("that is %s is refused", (_, jwk) => {
    expect(typeof readPublicJwk(jwk as Json)).toBe("string");
    expect(codeOf(() => publicKey((jwk ?? null) as Json))).toBe("option_invalid");
  });

  it("is the same object when it is read again, and another one for another key", () => {
    expect(readPublicJwk(okp(x))).toBe(readPublicJwk(okp(x, { kid: "other" })));
    expect(readPublicJwk(okp(x))).not.toBe(readPublicJwk(pair().jwk));
  });
});

describe("a signing key", () => {
  it.each(["Ed25519", "ES256"] as const)("of %s signs what its public key verifies, and nothing of it can be read", async (algorithm) => {
    const key = await generateKey(algorithm);
    const signature = Buffer.from(await key.sign("text"));
    expect(signature).toHaveLength(64);
    expect(await verifySignature(key.public, "text", signature)).toBe(true);
    expect(await verifySignature(key.public, "text ", signature)).toBe(false);
    expect(JSON.stringify(key)).not.toContain('"d"');
  });

  it.each(["Ed25519", "ES256"] as const)("of %s comes back from its JWK", async (algorithm) => {
    const jwk = await generatePrivateJwk(algorithm);
    const key = await signingKey(jwk);
    expect(await verifySignature(key.public, "text", Buffer.from(await (await signingKey(jwk)).sign("text")))).toBe(true);
  });

  it("is refused when its public part belongs to another private part, without quoting it", async () => {
    for (const algorithm of ["Ed25519", "ES256"] as const) {
      const [one, other] = [await generatePrivateJwk(algorithm), await generatePrivateJwk(algorithm)];
      const mixed = signingKey({ ...one, d: other.d });
      expect(await rejectionOf(mixed)).toBe("option_invalid");
      await mixed.catch((error: unknown) => expect(JSON.stringify(error) + String(error)).not.toContain(other.d));
    }
    expect(await rejectionOf(signingKey({ ...(await generatePrivateJwk("Ed25519")), d: "x" }))).toBe("option_invalid");
    expect(await rejectionOf(signingKey(pair().jwk as never))).toBe("option_invalid");
  });
});

interface Group {
  readonly publicKey: { readonly pk: string };
  readonly tests: readonly { readonly tcId: number; readonly msg: string; readonly sig: string; readonly result: string }[];
}

describe.skipIf(!hasVectors("wycheproof"))("Wycheproof", () => {
  it("agrees on every Ed25519 signature over text", async () => {
    const { testGroups } = JSON.parse(vectorText("wycheproof/ed25519_test.json")) as { readonly testGroups: readonly Group[] };
    const counts = { valid: 0, invalid: 0, "not text": 0 };
    for (const { publicKey: key, tests } of testGroups) {
      const read = readPublicJwk(okp(b64(key.pk)));
      for (const { tcId, msg, sig, result } of tests) {
        const bytes = Buffer.from(msg, "hex");
        const text = bytes.toString("utf8");
        // What is signed here is always ASCII; other bytes cannot be asked about through this door.
        if (!Buffer.from(text, "utf8").equals(bytes)) {
          counts["not text"]++;
          continue;
        }
        const isValid = typeof read !== "string" && (await verifySignature(read, text, Buffer.from(sig, "hex")));
        expect(isValid, `tcId ${tcId}`).toBe(result === "valid");
        counts[isValid ? "valid" : "invalid"]++;
      }
    }
    expect(counts.valid + counts.invalid + counts["not text"]).toBe(151);
    expect(counts.valid).toBeGreaterThan(20);
    expect(counts.invalid).toBeGreaterThan(50);
  });
});
