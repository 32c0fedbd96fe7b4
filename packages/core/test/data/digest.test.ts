import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as node from "../../src/data/digest-node.ts";
import * as web from "../../src/data/digest-web.ts";
import { digestOf, saltedDigestOf } from "../../src/data/digest.ts";

const SOURCES = [
  ["node:crypto", node],
  ["no node:crypto", web],
] as const;

describe.each(SOURCES)("digests with %s", (_, digest) => {
  it("are those of FIPS 180-4 and RFC 4231", () => {
    expect(digest.sha256("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    // RFC 4231 section 4.3: the key is "Jefe".
    expect(digest.hmacSha256(Buffer.from("Jefe").toString("base64url"), "what do ya want for nothing?")).toBe(
      Buffer.from("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", "hex").toString("base64url"),
    );
  });

  it("come with random text of the size that is asked for, another one each time", () => {
    expect(digest.randomText()).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(digest.randomText(32)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(new Set(Array.from({ length: 100 }, () => digest.randomText(8))).size).toBe(100);
  });
});

describe("digests with and without node:crypto", () => {
  it("are the same of any text, half a surrogate pair too", () => {
    const text = fc.oneof(fc.string({ unit: "binary", maxLength: 200 }), fc.constantFrom("", "\ud800", "a\udc00b", "\0", "\ufeff", "__proto__"));
    fc.assert(fc.property(text, (each) => web.sha256(each) === node.sha256(each)));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), text, (key, each) => {
        const salt = Buffer.from(key).toString("base64url");
        return web.hmacSha256(salt, each) === node.hmacSha256(salt, each);
      }),
    );
  });

  it("take no second spelling of a key where one could be taken for another", () => {
    expect(() => web.hmacSha256("AB", "text")).toThrow(TypeError);
  });

  it("are of the canonical text", () => {
    expect(digestOf({ b: 1, a: [] })).toBe(`sha-256:${node.sha256('{"a":[],"b":1}')}`);
    expect(saltedDigestOf({ b: 1, a: [] }, "c2FsdA")).toBe(`hmac-sha-256:${node.hmacSha256("c2FsdA", '{"a":[],"b":1}')}`);
  });
});
