import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as node from "../../src/data/base64url-node.ts";
import * as web from "../../src/data/base64url-web.ts";

const CODECS: readonly (readonly [string, typeof web])[] = [
  ["Buffer", node as typeof web],
  ["no Buffer", web],
];
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const plain = (bytes: Uint8Array | undefined): readonly number[] | undefined => (bytes === undefined ? undefined : [...bytes]);

describe.each(CODECS)("base64url with %s", (_, codec) => {
  it("writes and reads the texts of RFC 4648 section 10, without their padding", () => {
    for (const [text, encoded] of [
      ["", ""],
      ["f", "Zg"],
      ["fo", "Zm8"],
      ["foo", "Zm9v"],
      ["foob", "Zm9vYg"],
      ["fooba", "Zm9vYmE"],
      ["foobar", "Zm9vYmFy"],
    ] as const) {
      expect(codec.toBase64url(text)).toBe(encoded);
      expect(codec.fromUtf8(codec.fromBase64url(encoded) as Uint8Array)).toBe(text);
    }
    expect(codec.bytesToBase64url(Uint8Array.of(0xfb, 0xff, 0xbf))).toBe("-_-_");
    expect(codec.toBase64url("\u{1f511}")).toBe("8J-UkQ");
  });

  it("brings any bytes back, also those in the middle of a buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(plain(codec.fromBase64url(codec.bytesToBase64url(bytes)))).toEqual([...bytes]);
        expect(codec.bytesToBase64url(bytes.subarray(1))).toBe(Buffer.from([...bytes].slice(1)).toString("base64url"));
      }),
    );
  });

  it.each(["A", "AAAAA", "AA==", "AA=", "=", "AA\n", " AA", "A A", "AB", "AAB", "+_AA", "/_AA", "AA.A", "AÀA", "AAA\u0141", "\0AAA", "AA\ud800"])(
    "refuses a second spelling: %j",
    (text) => {
      expect(codec.fromBase64url(text)).toBeUndefined();
    },
  );

  it.each([
    ["half a character", [0xc3]],
    ["an overlong one", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["one beyond the last", [0xf4, 0x90, 0x80, 0x80]],
    ["no first byte", [0x80]],
  ])("reads no text out of bytes that are not UTF-8: %s", (_title, bytes) => {
    expect(codec.fromUtf8(Uint8Array.from(bytes))).toBeUndefined();
    expect(codec.fromUtf8(Uint8Array.from([0x61, ...bytes, 0x61]))).toBeUndefined();
  });

  it("keeps a byte order mark, which no JSON text begins with", () => {
    expect(codec.fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
  });
});

describe("base64url with and without Buffer", () => {
  const character = fc.oneof({ arbitrary: fc.constantFrom(...ALPHABET), weight: 20 }, fc.constantFrom("=", "+", "/", "\n", ".", "\0", "é", "Ł", "\ud800"));

  it("takes and refuses the same texts", () => {
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 40 }), (text) => {
        expect(plain(web.fromBase64url(text))).toEqual(plain(node.fromBase64url(text)));
      }),
      { numRuns: 3000 },
    );
    for (const last of ALPHABET) {
      for (const text of [last, `A${last}`, `AA${last}`, `AAA${last}`]) expect(plain(web.fromBase64url(text))).toEqual(plain(node.fromBase64url(text)));
    }
  });

  it("writes the same of any text, half a surrogate pair too, and reads the same out of any bytes", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => web.toBase64url(text) === node.toBase64url(text)));
    for (const text of ["\ud800", "a\udc00b", "\0", "\ufeff"]) expect(web.toBase64url(text)).toBe(node.toBase64url(text));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => web.fromUtf8(bytes) === node.fromUtf8(bytes)),
      { numRuns: 3000 },
    );
  });
});
