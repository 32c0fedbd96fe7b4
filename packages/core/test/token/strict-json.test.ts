import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/data/canonical.ts";
import type { Json } from "../../src/data/json.ts";
import { exactNumber } from "../../src/token/decimal.ts";
import { isExact, parseJson } from "../../src/token/strict-json.ts";

function valueOf(text: string): unknown {
  const parsed = parseJson(text);
  return typeof parsed === "string" ? `refused: ${parsed}` : parsed.value;
}
const isRefused = (text: string): boolean => typeof parseJson(text) === "string";

describe("parseJson", () => {
  it("reads what JSON.parse reads, and freezes it", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, "\t"), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), undefined, indent);
        const parsed = parseJson(text);
        // fast-check writes lone surrogates and NUL, which JSON.parse lets through.
        if (typeof parsed === "string") return expect(/\\u0000|\\ud[89a-f]/i.test(text)).toBe(true);
        // −0 is 0 here, as it is in the canonical text.
        expect(canonicalJson(parsed.value)).toBe(canonicalJson(JSON.parse(text) as Json));
        expect(typeof parsed.value !== "object" || Object.isFrozen(parsed.value)).toBe(true);
        return undefined;
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses whatever JSON.parse refuses", () => {
    const nearly = fc.tuple(
      fc.json({ maxDepth: 3 }),
      fc.nat(),
      fc.constantFrom("", ",", '"', "\\", "{", "]", ":", "0", "-", "e", ".", "\n", "\u0001", "tru", "\ufeff"),
    );
    fc.assert(
      fc.property(nearly, ([json, position, insert]) => {
        const at = position % (json.length + 1);
        const text = json.slice(0, at) + insert + json.slice(at + (position % 2));
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        if (!isJson) expect(isRefused(text)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['{"a":1,"a":1}', "a name twice"],
    ['{"a":1,"\\u0061":2}', "a name twice, once escaped"],
    ['{"x":{"a":1,"b":2,"a":3}}', "a name twice further in"],
    ['{"__proto__":1,"__proto__":2}', "`__proto__` twice"],
    ["\ufeff{}", "a byte order mark"],
    ["{} ", "nothing wrong with white space after", false],
    ["{}\u00a0", "another kind of space"],
    ["[1,]", "a comma too many"],
    ["[01]", "a leading zero"],
    ["[+1]", "a plus"],
    ["[1.]", "a point without digits"],
    ["[.5]", "digits without a zero"],
    ["[NaN]", "NaN"],
    ["[Infinity]", "Infinity"],
    ["[0x10]", "hexadecimal digits"],
    ['["\\x41"]', "an unknown escape"],
    ['["\u0001"]', "a control character"],
    ['["\\u0000"]', "NUL"],
    ['["\\ud83d"]', "half of a pair"],
    ['["\\ude00\\ud83d"]', "halves in the wrong order"],
    ['["\\ud83d\\ude00"]', "nothing wrong with a whole pair", false],
    ["['a']", "single quotes"],
    ["[1]//", "a comment"],
    ["", "nothing"],
    ['"', "half a text"],
    ['"\\', "a text that ends in an escape"],
    ["undefined", "no JSON"],
    ["nul", "half a word"],
  ])("%j has %s", (text, _, refused = true) => {
    expect(isRefused(text)).toBe(refused);
  });

  it("keeps `__proto__` a member", () => {
    const value = valueOf('{"__proto__":{"polluted":1},"a":2}') as object;
    expect(Object.keys(value)).toEqual(["__proto__", "a"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(JSON.stringify(value)).toBe('{"__proto__":{"polluted":1},"a":2}');
  });

  it("holds its limits, however deep or wide the text is, in no time", () => {
    const began = performance.now();
    expect(isRefused("[".repeat(128) + "]".repeat(128))).toBe(false);
    expect(isRefused("[".repeat(129) + "]".repeat(129))).toBe(true);
    expect(isRefused("[".repeat(262_144))).toBe(true);
    expect(isRefused('{"a":'.repeat(50_000))).toBe(true);
    expect(isRefused(`[${"0,".repeat(9_998)}0]`)).toBe(false);
    expect(isRefused(`[${"0,".repeat(9_999)}0]`)).toBe(true);
    const wide = (count: number): string => JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`m${index}`, 0])));
    expect([isRefused(wide(1024)), isRefused(wide(1025))]).toEqual([false, true]);
    expect(isRefused(`["${"a".repeat(262_144)}`)).toBe(true);
    expect(isRefused(`["${"\\".repeat(262_143)}`)).toBe(true);
    expect(isRefused(`[${"9".repeat(262_144)}`)).toBe(true);
    expect(isRefused(`[0.${"0".repeat(262_144)}1e262144]`)).toBe(false);
    expect(performance.now() - began).toBeLessThan(500);
  });

  it("says which members of the outermost object are no integers as they are written", () => {
    const parsed = parseJson('{"a":1,"b":1.0,"c":1e0,"d":{"e":1.5},"f":-0,"g":1E2}');
    expect(typeof parsed === "string" ? parsed : [...parsed.fractions]).toEqual(["b", "c", "g"]);
  });
});

describe("a number", () => {
  it.each([
    "0",
    "-0",
    "0.0",
    "0e999999",
    "1",
    "-1",
    "0.1",
    "1e20",
    "1E+20",
    "100000000000000000000",
    "9007199254740994",
    "9007199254740992",
    "1.0",
    "1.50",
    "10e-1",
    "5e-324",
    "1.7976931348623157e308",
    "123456789012345680000",
  ])("%s is exact", (text) => {
    expect(exactNumber(text)).toBe(Number(text) || 0);
    expect(isExact([{ a: exactNumber(text) }])).toBe(true);
  });

  it.each([
    "9007199254740993",
    "-9007199254740993",
    "1.00000000000000001",
    "1e999",
    "-1e999",
    "1e-999",
    "0.1000000000000000055",
    "123456789012345678901",
    `1${"0".repeat(309)}`,
    "5e-325",
    "2e-324",
    "4.9406564584124654e-324",
  ])("%s is not exact", (text) => {
    expect(exactNumber(text)).toBeNaN();
    expect(isExact([{ a: exactNumber(text) }])).toBe(false);
  });

  it("is exact in whatever way it is written, and only if its canonical text says the same number", () => {
    const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,24})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?$/);
    // With integers of arbitrary size: both texts, over one power of ten.
    const scaled = (text: string): bigint => {
      const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
      const [whole = "", fraction = ""] = mantissa.split(".");
      return BigInt(whole + fraction) * 10n ** BigInt(1500 + Number(exponent) - fraction.length);
    };
    fc.assert(
      fc.property(digits, (text) => {
        const value = Number(text);
        const isSame = Number.isFinite(value) && scaled(String(value)) === scaled(text);
        expect(Number.isNaN(exactNumber(text))).toBe(!isSame);
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (value) => {
        expect(exactNumber(JSON.stringify(value))).toBe(value || 0);
      }),
    );
  });
});
