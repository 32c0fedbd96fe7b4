import { createHash } from "node:crypto";
import { afterEach, describe, expect, it, vi } from "vitest";
import fc from "fast-check";
import * as node from "../../src/token/crypto-node.ts";
import type { Algorithm, CryptoSource, PrivateJwk, PublicKey } from "../../src/token/crypto-source.ts";
import * as web from "../../src/token/crypto-web.ts";
import * as chosen from "../../src/token/crypto.ts";
import { hasVectors, vectorText } from "../support/vectors.ts";

// One suite for every source of cryptography: Node has WebCrypto too, so the one for browsers runs here as it does there.
const SOURCES: readonly (readonly [string, CryptoSource, CryptoSource])[] = [
  ["node:crypto", node, web],
  ["WebCrypto", web, node],
];
const ALGORITHMS: readonly Algorithm[] = ["Ed25519", "ES256"];

const bytesOf = (text: string, encoding: "hex" | "base64url" = "base64url"): Uint8Array => Uint8Array.from(Buffer.from(text, encoding));
const b64 = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");
/** The errors are the runtime's own, each with its own words. */
const isRejected = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => false,
    () => true,
  );
/** A public key as it comes out of `readPublicJwk`, but with nothing asked of it. */
const keyOf = ({ d: _, ...jwk }: Partial<PrivateJwk>): PublicKey =>
  ({ algorithm: jwk.kty === "OKP" ? "Ed25519" : "ES256", jwk, thumbprint: "" }) as unknown as PublicKey;

const RFC_8037: PrivateJwk = {
  crv: "Ed25519",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
  kty: "OKP",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};
const RFC_7515: PrivateJwk = {
  crv: "P-256",
  d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
  kty: "EC",
  x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
};
const RFC_8032_TEST_2: PrivateJwk = {
  crv: "Ed25519",
  d: b64("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
  kty: "OKP",
  x: b64("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
};
/** Key, text and signature of the RFCs that define them. */
const SIGNED: readonly (readonly [string, PrivateJwk, string, Uint8Array])[] = [
  [
    "RFC 8032 section 7.1, test 1",
    RFC_8037,
    "",
    bytesOf("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b", "hex"),
  ],
  [
    "RFC 8032 section 7.1, test 2",
    RFC_8032_TEST_2,
    "r",
    bytesOf("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00", "hex"),
  ],
  [
    "RFC 8037 appendix A.4",
    RFC_8037,
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
    bytesOf("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
  ],
  [
    "RFC 7515 appendix A.3",
    RFC_7515,
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    bytesOf("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
  ],
];
/**
 * What the holder of RFC 8037's key can sign with the neutral element in place of a random point: S is then the hash times the key. OpenSSL 3.0 and
 * Chromium take it, OpenSSL 3.5 does not.
 */
function signedWithNeutralElement(text: string): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const sha512 = (...parts: readonly Uint8Array[]): Buffer => parts.reduce((digest, part) => digest.update(part), createHash("sha512")).digest();
  const numberOf = (bytes: Buffer): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  const scalar = sha512(bytesOf(RFC_8037.d)).subarray(0, 32);
  scalar[0] = (scalar[0] as number) & 0xf8;
  scalar[31] = ((scalar[31] as number) & 0x7f) | 0x40;
  const neutral = bytesOf("01".padEnd(64, "0"), "hex");
  const product = (numberOf(sha512(neutral, bytesOf(RFC_8037.x), Buffer.from(text))) * numberOf(scalar)) % order;
  return Buffer.concat([neutral, Buffer.from(product.toString(16).padStart(64, "0"), "hex").reverse()]);
}
const GENERATED = await Promise.all(ALGORITHMS.map(async (algorithm) => [algorithm, await node.generatePrivateJwk(algorithm)] as const));

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe.each(SOURCES)("cryptography of %s", (_, source, other) => {
  it.each(SIGNED)("verifies the signature of %s and no other", async (_title, jwk, text, signature) => {
    const key = keyOf(jwk);
    expect(await source.verifySignature(key, text, signature)).toBe(true);
    expect(await source.verifySignature(key, text, Buffer.from(signature))).toBe(true);
    expect(await source.verifySignature(key, `${text} `, signature)).toBe(false);
    for (let position = 0; position < 64; position++) {
      const changed = Uint8Array.from(signature);
      changed[position] = (changed[position] as number) ^ 1;
      expect(await source.verifySignature(key, text, changed), `byte ${position}`).toBe(false);
    }
  });

  it.each(SIGNED.filter(([, { kty }]) => kty === "OKP"))("signs as %s does", async (_title, jwk, text, signature) => {
    expect(Uint8Array.from(await (await source.signerOf("Ed25519", jwk))(text))).toEqual(signature);
  });

  it.each(ALGORITHMS)("makes keys of %s that sign here and there what here and there verifies", async (algorithm) => {
    const jwk = await source.generatePrivateJwk(algorithm);
    expect(Object.keys(jwk).sort()).toEqual(algorithm === "Ed25519" ? ["crv", "d", "kty", "x"] : ["crv", "d", "kty", "x", "y"]);
    expect(source.isUsable(keyOf(jwk))).toBe(true);
    for (const signing of [source, other]) {
      const signature = await (await signing.signerOf(algorithm, jwk))("täxt \u{1f511}");
      expect(signature).toHaveLength(64);
      for (const verifying of [source, other]) {
        expect(await verifying.verifySignature(keyOf(jwk), "täxt \u{1f511}", signature)).toBe(true);
        expect(await verifying.verifySignature(keyOf(jwk), "taxt \u{1f511}", signature)).toBe(false);
        expect(await verifying.verifySignature(keyOf(await source.generatePrivateJwk(algorithm)), "täxt \u{1f511}", signature)).toBe(false);
      }
    }
  });

  it.each(GENERATED)("refuses what is no signature of %s: another length, DER, zeros", async (algorithm, jwk) => {
    const signature = Buffer.from(await (await other.signerOf(algorithm, jwk))("text"));
    const key = keyOf(jwk);
    expect(await source.verifySignature(key, "text", signature)).toBe(true);
    const integer = (bytes: Buffer): Buffer => {
      const digits = bytes.subarray(
        Math.max(
          0,
          bytes.findIndex((byte) => byte !== 0),
        ),
      );
      const padded = (digits[0] as number) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits;
      return Buffer.concat([Buffer.of(2, padded.length), padded]);
    };
    const both = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
    const der = Buffer.concat([Buffer.of(0x30, both.length), both]);
    const wrong = [Buffer.alloc(0), signature.subarray(0, 63), Buffer.concat([signature, Buffer.of(0)]), Buffer.concat([signature, signature])];
    for (const bytes of [...wrong, der, Buffer.alloc(64), Buffer.alloc(64, 0xff)]) {
      expect(await source.verifySignature(key, "text", bytes), bytes.toString("hex")).toBe(false);
    }
  });

  it("refuses a signature of Ed25519 whose point is of small order, and asks nobody else", async () => {
    const signature = signedWithNeutralElement("text");
    const verify = vi.spyOn(crypto.subtle, "verify").mockResolvedValue(true);
    expect(await source.verifySignature(keyOf(RFC_8037), "text", signature)).toBe(false);
    expect(verify).not.toHaveBeenCalled();
  });

  it.each<[string, Partial<PrivateJwk>]>([
    ["another y", { ...RFC_7515, y: RFC_7515.x }],
    ["another x", { ...RFC_7515, x: b64("01".repeat(32)) }],
    ["zeros", { ...RFC_7515, x: b64("00".repeat(32)), y: b64("00".repeat(32)) }],
    ["ones", { ...RFC_7515, x: b64("ff".repeat(32)), y: b64("ff".repeat(32)) }],
  ])("neither has use for a point off P-256 nor verifies with it: %s", async (_title, jwk) => {
    const signature = await (await source.signerOf("ES256", RFC_7515))("text");
    expect(source.isUsable(keyOf(jwk))).toBe(false);
    expect(await source.verifySignature(keyOf(jwk), "text", signature)).toBe(false);
    expect(await source.verifySignature(keyOf(jwk), "text", signature)).toBe(false); // also when it was asked before
  });

  it("verifies nothing with 32 bytes that are no point on Ed25519", async () => {
    const signature = await (await source.signerOf("Ed25519", RFC_8037))("text");
    for (const hex of ["02".padEnd(64, "0"), "07".padEnd(64, "0"), "ab".repeat(32)]) {
      expect(await source.verifySignature(keyOf({ ...RFC_8037, x: b64(hex) }), "text", signature), hex).toBe(false);
    }
  });

  it.each<[string, Algorithm, unknown]>([
    ["a public key", "Ed25519", { crv: "Ed25519", kty: "OKP", x: RFC_8037.x }],
    ["a private part of another length", "Ed25519", { ...RFC_8037, d: "AAAA" }],
    ["a private part that is no base64url", "Ed25519", { ...RFC_8037, d: "!" }],
    ["a public key of P-256", "ES256", { ...RFC_7515, d: undefined }],
    ["a point off the curve", "ES256", { ...RFC_7515, y: RFC_7515.x }],
    ["no key", "ES256", {}],
  ])("makes no signer of %s", async (_title, algorithm, jwk) => {
    expect(await isRejected(source.signerOf(algorithm, jwk as PrivateJwk))).toBe(true);
  });

  it.each(GENERATED)("signs with a key of %s that says what it is for", async (algorithm, jwk) => {
    const wordy: object = { ...jwk, alg: algorithm, use: "sig", key_ops: ["verify"], ext: false };
    const signature = await (await source.signerOf(algorithm, wordy as PrivateJwk))("text");
    expect(await other.verifySignature(keyOf(jwk), "text", signature)).toBe(true);
  });

  it("hashes as FIPS 180-4 says, and the same of any text, half a surrogate pair and all lengths around a block", () => {
    expect(source.sha256("")).toBe("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
    expect(source.sha256("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    // RFC 8037 appendix A.3.
    expect(source.sha256(`{"crv":"Ed25519","kty":"OKP","x":"${RFC_8037.x}"}`)).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    for (let length = 0; length < 200; length++) expect(source.sha256("ä".repeat(length))).toBe(other.sha256("ä".repeat(length)));
    for (const text of ["\ud800", "a\udc00b", "\0", "\ufeff", "__proto__"]) expect(source.sha256(text)).toBe(other.sha256(text));
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => source.sha256(text) === other.sha256(text)));
  });

  it("makes ids that are UUIDs of version 7, ordered by time and never the same", () => {
    const milliseconds = 0x0123_4567_89ab;
    const id = source.freshId(milliseconds + 0.9);
    expect(id).toMatch(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(source.freshId(1)).toMatch(/^00000000-0001-7/);
    expect(source.freshId(milliseconds + 1) > id).toBe(true);
    expect(new Set(Array.from({ length: 1000 }, () => source.freshId(milliseconds))).size).toBe(1000);
  });
});

describe("the source that is chosen", () => {
  it("is node:crypto in a Node process", () => {
    expect(chosen.verifySignature).toBe(node.verifySignature);
    expect(chosen.sha256).toBe(node.sha256);
  });
});

describe("cryptography of WebCrypto", () => {
  it("imports a key once, also for verifications that run at the same time", async () => {
    const [, jwk, text, signature] = SIGNED[3] as (typeof SIGNED)[number];
    const [key, same] = [keyOf(jwk), keyOf(jwk)];
    const imports = vi.spyOn(crypto.subtle, "importKey");
    expect(await Promise.all([1, 2, 3].map(() => web.verifySignature(key, text, signature)))).toEqual([true, true, true]);
    expect(await web.verifySignature(key, text, signature)).toBe(true);
    expect(imports).toHaveBeenCalledTimes(1);
    expect(await web.verifySignature(same, text, signature)).toBe(true);
    expect(imports).toHaveBeenCalledTimes(2);
  });

  it.each<[string, object]>([
    ["does not have the algorithm", { subtle: { importKey: () => Promise.reject(new DOMException("no such algorithm", "NotSupportedError")) } }],
    ["is no secure context", {}],
    ["fails", { subtle: { importKey: async () => ({}), verify: () => Promise.reject(new DOMException("failed", "OperationError")) } }],
  ])("denies where the runtime %s", async (_title, broken) => {
    const [, jwk, text, signature] = SIGNED[0] as (typeof SIGNED)[number];
    vi.stubGlobal("crypto", broken);
    const key = keyOf(jwk);
    expect(await web.verifySignature(key, text, signature)).toBe(false);
    expect(await web.verifySignature(key, text, signature)).toBe(false);
    expect(await isRejected(web.generatePrivateJwk("Ed25519"))).toBe(true);
  });

  it("denies with a point off the curve and a signature of another length also where the runtime takes them", async () => {
    const [, jwk, text, signature] = SIGNED[3] as (typeof SIGNED)[number];
    vi.stubGlobal("crypto", { subtle: { importKey: async () => ({}), verify: async () => true } });
    expect(await web.verifySignature(keyOf(jwk), text, signature)).toBe(true);
    expect(await web.verifySignature(keyOf({ ...jwk, y: jwk.x } as PrivateJwk), text, signature)).toBe(false);
    for (const length of [0, 32, 63, 65]) expect(await web.verifySignature(keyOf(jwk), text, new Uint8Array(length).fill(1))).toBe(false);
  });
});

interface Ed25519Group {
  readonly publicKey: { readonly pk: string };
  readonly tests: readonly { readonly tcId: number; readonly msg: string; readonly sig: string; readonly result: string }[];
}
interface JwsGroup {
  readonly public?: PrivateJwk & { readonly alg?: string };
  readonly tests: readonly { readonly tcId: number; readonly jws: string; readonly result: string }[];
}

describe.skipIf(!hasVectors("wycheproof")).each(SOURCES)("Wycheproof with %s", (_, source) => {
  it("agrees on every Ed25519 signature over text", async () => {
    const { testGroups } = JSON.parse(vectorText("wycheproof/ed25519_test.json")) as { readonly testGroups: readonly Ed25519Group[] };
    const counts = { valid: 0, invalid: 0, "not text": 0 };
    for (const { publicKey, tests } of testGroups) {
      const key = keyOf({ crv: "Ed25519", kty: "OKP", x: b64(publicKey.pk) });
      for (const { tcId, msg, sig, result } of tests) {
        const text = Buffer.from(msg, "hex").toString("utf8");
        if (Buffer.from(text, "utf8").toString("hex") !== msg) {
          counts["not text"]++;
          continue;
        }
        const isValid = await source.verifySignature(key, text, bytesOf(sig, "hex"));
        expect(isValid, `tcId ${tcId}`).toBe(result === "valid");
        counts[isValid ? "valid" : "invalid"]++;
      }
    }
    expect(counts.valid + counts.invalid + counts["not text"]).toBe(151);
    expect(counts.valid).toBeGreaterThan(20);
    expect(counts.invalid).toBeGreaterThan(50);
  });

  it("agrees on every ES256 signature", async () => {
    const { testGroups } = JSON.parse(vectorText("wycheproof/json_web_signature_test.json")) as { readonly testGroups: readonly JwsGroup[] };
    const counts = { valid: 0, invalid: 0 };
    for (const { public: jwk, tests } of testGroups) {
      if (jwk?.alg !== "ES256") continue;
      for (const { tcId, jws, result } of tests) {
        const end = jws.lastIndexOf(".");
        const isValid = await source.verifySignature(keyOf(jwk), jws.slice(0, Math.max(0, end)), bytesOf(jws.slice(end + 1)));
        expect(isValid, `tcId ${tcId}`).toBe(result === "valid");
        counts[isValid ? "valid" : "invalid"]++;
      }
    }
    expect(counts.valid + counts.invalid).toBe(39);
    expect(counts.valid).toBeGreaterThan(0);
  });
});
