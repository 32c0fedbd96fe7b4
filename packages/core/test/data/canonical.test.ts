import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/data/canonical.ts";
import { digestOf, randomText, saltedDigestOf } from "../../src/data/digest.ts";
import { copyData, type Json } from "../../src/data/json.ts";
import { hasVectors, vectorFiles, vectorText } from "../support/vectors.ts";

describe.skipIf(!hasVectors("jcs"))("RFC 8785 vectors", () => {
  it.each(vectorFiles("jcs/input"))("%s comes out byte for byte", (file) => {
    const canonical = canonicalJson(JSON.parse(vectorText(`jcs/input/${file}`)) as Json);
    expect(canonical).toBe(vectorText(`jcs/output/${file}`).trim());
    const hex = vectorText(`jcs/outhex/${file.replace(".json", ".txt")}`);
    expect(Buffer.from(canonical).toString("hex")).toBe(hex.replaceAll(/\s/g, ""));
  });

  it("are all here", () => {
    expect(vectorFiles("jcs/input")).toHaveLength(6);
  });
});

describe("canonicalJson", () => {
  // RFC 8785 appendix B.
  it.each([
    [0, "0"],
    [-0, "0"],
    [5e-324, "5e-324"],
    [-5e-324, "-5e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [9007199254740992, "9007199254740992"],
    [295147905179352830000, "295147905179352830000"],
    [9.999999999999997e22, "9.999999999999997e+22"],
    [1e23, "1e+23"],
    [1e21, "1e+21"],
    [999999999999999700000, "999999999999999700000"],
    [9.999999999999997e-7, "9.999999999999997e-7"],
    [0.000001, "0.000001"],
    [333333333.3333332, "333333333.3333332"],
    [-0.0000033333333333333333, "-0.0000033333333333333333"],
    [1424953923781206.2, "1424953923781206.2"],
  ])("writes the number %d as %s", (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it("orders members by UTF-16 code units, not by code points", () => {
    expect(canonicalJson({ "\ufb33": 1, "😀": 2, a: 3, A: 4, "": 5 })).toBe('{"":5,"A":4,"a":3,"😀":2,"\ufb33":1}');
    expect(canonicalJson({ 10: 1, 9: 2 })).toBe('{"10":1,"9":2}');
  });

  it("reads an own member called `__proto__` as any other", () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":2}') as Json)).toBe('{"__proto__":2,"b":1}');
  });

  it("gives one text for one value, however it was written, and different texts for different values", () => {
    const shuffle = (value: Json): Json => {
      if (Array.isArray(value)) return (value as readonly Json[]).map(shuffle);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, member]) => [key, shuffle(member as Json)]),
      );
    };
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [left, right] = [a, b] as Json[];
        const text = canonicalJson(left as Json);
        expect(canonicalJson(shuffle(left as Json))).toBe(text);
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text);
        // JSON.stringify of sorted members is what makes them equal; −0 and 0 are one value.
        const isSame = JSON.stringify(sorted(left as Json)) === JSON.stringify(sorted(right as Json));
        expect(canonicalJson(right as Json) === text).toBe(isSame);
      }),
    );
  });
});

describe("data that is in order already", () => {
  /** RFC 8785, member by member. */
  const reference = (value: Json): string => {
    if (Array.isArray(value)) return `[${(value as readonly Json[]).map(reference).join(",")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const names = Object.keys(value).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${reference((value as { readonly [name: string]: Json })[name] as Json)}`).join(",")}}`;
  };
  const name = fc.oneof(
    fc.constantFrom("__proto__", "constructor", "toJSON", "", "0", "9", "10", "01", "-1", "4294967296", "a", "B", "\ufb33", "😀"),
    fc.string(),
  );
  const { data } = fc.letrec<{ data: Json; list: readonly Json[]; object: Json }>((tie) => ({
    data: fc.oneof({ maxDepth: 4 }, fc.constantFrom<Json>(null, true, 0, -0, 1e21, 0.5, "", "\u0000", "\ud800", '"', "\\"), tie("list"), tie("object")),
    list: fc.array(tie("data"), { maxLength: 4 }),
    object: fc.array(fc.tuple(name, tie("data")), { maxLength: 5 }).map((members) => Object.fromEntries(members as [string, Json][])),
  }));

  it("has the same text as data that is not", () => {
    fc.assert(
      fc.property(data, (value) => {
        expect(canonicalJson(value)).toBe(reference(value));
      }),
      { numRuns: 2000 },
    );
  });

  it("is never asked for another value than it is", () => {
    Object.defineProperty(Object.prototype, "toJSON", { value: () => "forged", configurable: true, writable: true });
    try {
      expect(canonicalJson({ a: [1, { b: 2 }] })).toBe('{"a":[1,{"b":2}]}');
    } finally {
      Reflect.deleteProperty(Object.prototype, "toJSON");
    }
    expect(canonicalJson({ a: 1, toJSON: 2 })).toBe('{"a":1,"toJSON":2}');
  });

  it("is left as it is when its text is written in another order", () => {
    const value = { b: { d: 1, c: [{ z: 1, y: 2 }] }, a: 0 };
    expect(canonicalJson(value)).toBe('{"a":0,"b":{"c":[{"y":2,"z":1}],"d":1}}');
    expect(JSON.stringify(value)).toBe('{"b":{"d":1,"c":[{"z":1,"y":2}]},"a":0}');
  });
});

function sorted(value: Json): unknown {
  if (Array.isArray(value)) return { list: (value as readonly Json[]).map(sorted) };
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .map(([key, member]): [string, unknown] => [key, sorted(member as Json)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

describe("digests", () => {
  it("are SHA-256 of the canonical text", () => {
    expect(digestOf({})).toBe("sha-256:RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o"); // printf '{}' | openssl dgst -sha256
    expect(digestOf({ b: 1, a: [null, "ü"] })).toBe(digestOf({ a: [null, "ü"], b: 1 }));
    expect(digestOf([])).not.toBe(digestOf({}));
  });

  it("with a salt say nothing to who does not have it", () => {
    const [salt, other] = [randomText(32), randomText(32)];
    expect(saltedDigestOf("a", salt)).toBe(saltedDigestOf("a", salt));
    expect(saltedDigestOf("a", salt)).not.toBe(saltedDigestOf("a", other));
    expect(saltedDigestOf("a", salt)).toMatch(/^hmac-sha-256:[\w-]{43}$/);
  });

  it("random text is as long as asked for and does not repeat", () => {
    const texts = Array.from({ length: 1000 }, () => randomText(9));
    expect(new Set(texts).size).toBe(1000);
    expect(texts.every((text) => /^[\w-]{12}$/.test(text))).toBe(true);
  });

  it("of arguments do not depend on how the arguments were built", () => {
    const [a, b] = [copyData({ x: 1, y: [-0] }, "argument_not_allowed", "x"), copyData(JSON.parse('{"y":[0],"x":1.0}'), "argument_not_allowed", "x")];
    expect(digestOf(a)).toBe(digestOf(b));
  });
});
