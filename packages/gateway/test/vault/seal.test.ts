import { compactDecrypt, flattenedDecrypt } from "jose";
import { describe, expect, test } from "vitest";
import { seal, unseal } from "../../src/vault/seal.ts";
import { hasVectors, vectorText } from "../../../core/test/support/vectors.ts";

const KEY = new Uint8Array(32).fill(7);
const PLAIN = new TextEncoder().encode("hunter2");

describe("sealed bytes", () => {
  test("are a JWE that any JOSE library opens", async () => {
    const { plaintext, protectedHeader } = await compactDecrypt(await seal(PLAIN, KEY, { kind: "x" }), KEY);
    expect([Buffer.from(plaintext).toString(), protectedHeader]).toEqual(["hunter2", { alg: "dir", enc: "A256GCM", ambit: { kind: "x" } }]);
  });

  test("are others each time", async () => {
    expect(await seal(PLAIN, KEY, {})).not.toBe(await seal(PLAIN, KEY, {}));
  });

  test.each([
    ["another key", new Uint8Array(32), { kind: "x", version: 1 }],
    ["another kind", KEY, { kind: "y", version: 1 }],
    ["another version", KEY, { kind: "x", version: 2 }],
    ["one part less", KEY, { kind: "x" }],
    ["one part more", KEY, { kind: "x", version: 1, more: "" }],
    ["another order", KEY, { version: 1, kind: "x" }],
  ])("do not open with %s", async (_, key, bound) => {
    const sealed = await seal(PLAIN, KEY, { kind: "x", version: 1 });
    expect(Buffer.from(await unseal(sealed, KEY, { kind: "x", version: 1 })).toString()).toBe("hunter2");
    await expect(unseal(sealed, key, bound)).rejects.toThrow(/./);
  });

  test.each(["", ".", "....", ".....", "a.b.c.d.e"])("are not %j", async (text) => {
    await expect(unseal(text, KEY, {})).rejects.toThrow(/./);
  });
});

interface Group {
  readonly keySize: number;
  readonly ivSize: number;
  readonly tagSize: number;
  readonly tests: readonly {
    readonly tcId: number;
    readonly key: string;
    readonly iv: string;
    readonly aad: string;
    readonly msg: string;
    readonly ct: string;
    readonly tag: string;
    readonly result: string;
  }[];
}

/** A JWE always has a header or other data that is authenticated in a form of its own, so only the vectors without such data can be written as one. */
describe.skipIf(!hasVectors("wycheproof"))("Wycheproof's AES-GCM, through the JWE of jose", () => {
  test("opens what is valid, and nothing that is not or that has an IV of another length", async () => {
    const { testGroups } = JSON.parse(vectorText("wycheproof/aes_gcm_test.json")) as { readonly testGroups: readonly Group[] };
    const part = (hex: string): string => Buffer.from(hex, "hex").toString("base64url");
    let [valid, invalid] = [0, 0];
    for (const { keySize, ivSize, tagSize, tests } of testGroups) {
      if (keySize !== 256 || tagSize !== 128) continue;
      for (const { tcId, key, iv, aad, msg, ct, tag, result } of tests) {
        if (aad !== "") continue;
        const jwe = { unprotected: { alg: "dir", enc: "A256GCM" }, iv: part(iv), ciphertext: part(ct), tag: part(tag) };
        const opened = await flattenedDecrypt(jwe, Buffer.from(key, "hex")).then(
          ({ plaintext }) => Buffer.from(plaintext).toString("hex"),
          () => undefined,
        );
        const isValid = result === "valid" && ivSize === 96;
        expect(opened, `${tcId}`).toBe(isValid ? msg : undefined);
        if (isValid) valid++;
        else invalid++;
      }
    }
    expect([valid, invalid]).toEqual([21, 66]);
  });
});
