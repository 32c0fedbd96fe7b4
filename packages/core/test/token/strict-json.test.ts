import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/data/canonical.ts";
import type { Json } from "../../src/data/json.ts";
import { exactNumber } from "../../src/token/decimal.ts";
import { isExact, parseJson, type JsonLimits } from "../../src/token/strict-json.ts";

function valueOf(text: string): unknown {
  const parsed = parseJson(text);
  return typeof parsed === "string" ? `refused: ${parsed}` : parsed.value;
}
const isRefused = (text: string): boolean => typeof parseJson(text) === "string";

/** What there is to know of an answer: values with NaN and `__proto__` told apart, and what is frozen. */
function answerTo(text: string, limits?: JsonLimits): unknown {
  const parsed = parseJson(text, limits);
  const shape = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return [typeof value, Object.is(value, -0) ? "-0" : String(value)];
    const members = Object.getOwnPropertyNames(value).map((name) => [name, shape((value as Readonly<Record<string, unknown>>)[name])]);
    return [
      Array.isArray(value),
      Object.isFrozen(value),
      Object.getPrototypeOf(value) === (Array.isArray(value) ? Array.prototype : Object.prototype),
      members,
    ];
  };
  return typeof parsed === "string" ? "refused" : [shape(parsed.value), [...parsed.fractions].sort()];
}

describe("text as `JSON.stringify` writes it, which is read in another way", () => {
  const name = fc.constantFrom("a", "b", "__proto__", "constructor", "toJSON", "toString", "", "1", "10", "é", "😀", "\ud800", "\u0000", "\\", '"');
  const numbers = ["0", "-0", "1", "1.0", "1e2", "1E2", "100", "1e21", "1e+21", "0.1", "0.10", "-5", "01", "9007199254740993", "9007199254740992"];
  const others = ["true", "false", "null", "{}", "[]", '""', '":"', '"a\\u0000"', '"\\ud800"', '"\ud800"', '"\u0001"', '"\\/"', '"\\u0061"', '" "'];
  const leaf = fc.oneof(fc.constantFrom(...numbers), fc.constantFrom(...others));
  const space = fc.constantFrom("", "", "", "", "", " ", "\n", "\u00a0");
  const { text } = fc.letrec<{ text: string; list: string; object: string }>((tie) => ({
    text: fc.oneof({ maxDepth: 4, depthSize: "small" }, leaf, tie("list"), tie("object")),
    list: fc.tuple(fc.array(tie("text"), { maxLength: 3 }), space).map(([items, gap]) => `[${items.join(`,${gap}`)}]`),
    object: fc
      .tuple(fc.array(fc.tuple(name, tie("text")), { maxLength: 4 }), space)
      .map(([members, gap]) => `{${members.map(([key, value]) => `${gap}${key === "\ud800" ? `"${key}"` : JSON.stringify(key)}:${value}`).join(",")}}`),
  }));
  const limits = fc.option(fc.record({ depth: fc.nat(5), nodes: fc.nat(12), members: fc.nat(4) }), { nil: undefined, freq: 2 });

  it("says the same, or is refused just the same", () => {
    // White space after the value makes it text that nobody writes.
    fc.assert(
      fc.property(text, limits, (json, most) => {
        expect(answerTo(json, most)).toEqual(answerTo(`${json} `, most));
      }),
      { numRuns: 20_000 },
    );
  });

  it("says which members are written with a fraction or an exponent", () => {
    const written = '{"a":0.5,"b":1e+21,"c":5e-324,"d":7,"e":[0.5]}';
    for (const json of [written, ` ${written}`]) expect(parseJson(json)).toMatchObject({ fractions: new Set(["a", "b", "c"]) });
  });

  it("says the same where a prototype has `toJSON`", () => {
    Object.defineProperty(Object.prototype, "toJSON", { value: () => "forged", configurable: true, writable: true });
    try {
      expect(valueOf('{"a":[1]}')).toEqual({ a: [1] });
      expect(isRefused('{"a":"forged","a":1}')).toBe(true);
    } finally {
      Reflect.deleteProperty(Object.prototype, "toJSON");
    }
  });

  it.each([
    [`${"[".repeat(129)}${"]".repeat(129)}`, `${"[".repeat(128)}${"]".repeat(128)}`],
    [`[${Array.from({ length: 10_000 }, () => 1).join(",")}]`, `[${Array.from({ length: 9999 }, () => 1).join(",")}]`],
    [
      JSON.stringify(Object.fromEntries(Array.from({ length: 1025 }, (_, index) => [`a${index}`, 0]))),
      JSON.stringify(Object.fromEntries(Array.from({ length: 1024 }, (_, index) => [`a${index}`, 0]))),
    ],
  ])("has the same limits (%#)", (over, at) => {
    expect([isRefused(over), isRefused(`${over} `)]).toEqual([true, true]);
    expect([isRefused(at), isRefused(`${at} `)]).toEqual([false, false]);
  });
});

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
