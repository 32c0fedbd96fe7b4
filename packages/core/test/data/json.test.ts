import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copyData, isJsonObject, own, type Json } from "../../src/data/json.ts";
import { codeOf } from "../support/codes.ts";

const copy = (value: unknown): Json => copyData(value, "argument_not_allowed", "the arguments");
const refused = (value: unknown): string => codeOf(() => copy(value));
const nested = (levels: number): unknown => {
  let value: unknown = "end";
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

class Account {
  readonly id = "a";
}

describe("copyData", () => {
  it.each([
    ["null", null],
    ["an empty text", ""],
    ["the largest exact integer", Number.MAX_SAFE_INTEGER],
    ["the smallest exact integer", Number.MIN_SAFE_INTEGER],
    ["a fraction", 0.1],
    ["the smallest fraction", 5e-324],
    ["a whole surrogate pair", "😀"],
    ["control characters other than NUL", "\u0001\n\u007f"],
    ["the text `__proto__`", ["__proto__", "constructor"]],
    ["a name of the prototype", { toString: 1, hasOwnProperty: null, valueOf: [] }],
    ["a `constructor` that is no object", { constructor: "Ford" }],
    ["the name that is empty", { "": 1 }],
  ])("takes %s as it is", (_, value) => {
    expect(copy(value)).toStrictEqual(value);
  });

  it.each([
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["−Infinity", Number.NEGATIVE_INFINITY],
    ["2^53", 2 ** 53],
    ["2^53 + 2", 2 ** 53 + 2],
    ["−2^53", -(2 ** 53)],
    ["1e300", 1e300],
    ["undefined", undefined],
    ["a BigInt", 1n],
    ["a symbol", Symbol("s")],
    ["a function", () => 1],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["a set", new Set()],
    ["a regular expression", /a/],
    ["a boxed number", Object(1)],
    ["an error", new Error("e")],
    ["a promise", Promise.resolve(1)],
    ["bytes", new Uint8Array(1)],
    ["an instance of a class", new Account()],
    ["an object with an inheriting prototype", Object.create({ inherited: 1 })],
    ["half of a surrogate pair", "\ud800"],
    ["the other half", "a\udc00b"],
    ["a surrogate pair the wrong way round", "\udc00\ud800"],
    ["a NUL character", "a\0b"],
  ])("refuses %s, wherever it stands", (_, value) => {
    expect(refused(value)).toBe("argument_not_allowed");
    expect(refused([value])).toBe("argument_not_allowed");
    if (value !== undefined) expect(refused({ a: value })).toBe("argument_not_allowed");
  });

  it("refuses names that a tool would take for a prototype", () => {
    expect(refused(JSON.parse('{"__proto__":{"isAdmin":true}}'))).toBe("argument_not_allowed");
    expect(refused(JSON.parse('{"__proto__":1}'))).toBe("argument_not_allowed");
    expect(refused(JSON.parse('{"a":[{"__proto__":null}]}'))).toBe("argument_not_allowed");
    expect(refused({ constructor: { prototype: {} } })).toBe("argument_not_allowed");
    expect(refused({ constructor: null })).toBe("argument_not_allowed");
  });

  it("refuses names with NUL or half of a surrogate pair", () => {
    expect(refused({ "a\0": 1 })).toBe("argument_not_allowed");
    expect(refused({ "\ud83d": 1 })).toBe("argument_not_allowed");
  });

  it("reads −0 as 0", () => {
    expect(Object.is(copy({ limit: -0 }), copy({ limit: 0 }))).toBe(false);
    expect(Object.is((copy({ limit: -0 }) as { limit: number }).limit, 0)).toBe(true);
  });

  it("takes a member that is undefined as absent, and refuses a hole in a list", () => {
    expect(copy({ a: undefined, b: 1 })).toStrictEqual({ b: 1 });
    expect(refused(new Array(3))).toBe("argument_not_allowed");
    expect(refused([1, undefined])).toBe("argument_not_allowed");
  });

  it("leaves out what is no own, enumerable, named member", () => {
    const value = Object.defineProperty({ a: 1, [Symbol("s")]: 2 }, "hidden", { value: 3, enumerable: false });
    expect(Reflect.ownKeys(copy(value) as object)).toStrictEqual(["a"]);
    expect(copy(Object.assign([1], { extra: 2 }))).toStrictEqual([1]);
    expect(copy(Object.assign(Object.create(null) as object, { a: 1 }))).toStrictEqual({ a: 1 });
  });

  it("reads a getter once, and refuses one that throws", () => {
    let reads = 0;
    const value = {
      get limit() {
        reads += 1;
        return reads;
      },
    };
    const copied = copy(value) as { limit: number };
    expect([copied.limit, copied.limit, reads]).toStrictEqual([1, 1, 1]);
    expect(
      refused({
        get limit() {
          throw new Error("secret");
        },
      }),
    ).toBe("argument_not_allowed");
  });

  it("refuses a proxy whose traps throw", () => {
    const traps = ["get", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor"] as const;
    for (const trap of traps) {
      const proxy = new Proxy(
        { a: 1 },
        {
          [trap]: () => {
            throw new TypeError("trap");
          },
        },
      );
      expect(refused(proxy)).toBe("argument_not_allowed");
    }
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(refused(proxy)).toBe("argument_not_allowed");
  });

  it("refuses cycles, and what is too deep, too long or too large", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = [cycle, cycle];
    expect(refused(cycle)).toBe("argument_not_allowed");
    expect(refused(nested(33))).toBe("argument_not_allowed");
    expect(copy(nested(32))).toStrictEqual(nested(32));
    expect(refused(nested(100_000))).toBe("argument_not_allowed");
    expect(refused(Array.from({ length: 10_000 }, () => 1))).toBe("argument_not_allowed");
    expect(refused(new Array(2 ** 32 - 1))).toBe("argument_not_allowed");
    expect(refused("a".repeat(262_145))).toBe("argument_not_allowed");
    expect(refused({ ["a".repeat(262_145)]: 1 })).toBe("argument_not_allowed");
    expect(refused(Array.from({ length: 30 }, () => "a".repeat(10_000)))).toBe("argument_not_allowed");
    expect(refused(Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`k${index}`, 1])))).toBe("argument_not_allowed");
  });

  it("says where, without repeating a name of any length", () => {
    const failure = (): unknown => copy({ [`${"😀".repeat(50_000)}`]: { secret: Number.NaN } });
    expect(refused({ "a/b": { "c~d": Number.NaN } })).toBe("argument_not_allowed");
    expect(failure).toThrow(/^.{1,300}$/su);
    expect(() => copy({ "a/b": { "c~d": Number.NaN } })).toThrow("/a~1b/c~0d");
  });

  it("freezes the copy all the way down and leaves the original alone", () => {
    const original = { list: [{ a: 1 }] };
    const copied = copy(original) as { list: { a: number }[] };
    expect(Object.isFrozen(copied) && Object.isFrozen(copied.list) && Object.isFrozen(copied.list[0])).toBe(true);
    expect(Object.isFrozen(original) || Object.isFrozen(original.list)).toBe(false);
    original.list.push({ a: 2 });
    expect(copied.list).toHaveLength(1);
  });

  it("for any value at all: refuses with its code, or gives plain data that copies to itself", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withObjectString: true,
      withTypedArray: true,
      withSparseArray: true,
      withBoxedValues: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        let copied: Json;
        try {
          copied = copy(value);
        } catch (error) {
          expect(error).toMatchObject({ code: "argument_not_allowed" });
          return;
        }
        expect(copy(copied)).toStrictEqual(copied);
        expect(JSON.parse(JSON.stringify(copied))).toStrictEqual(copied);
      }),
      { numRuns: 500 },
    );
  });
});

describe("own", () => {
  it("finds own members only", () => {
    const data = copy({ a: 1 });
    expect(isJsonObject(data) && own(data, "a")).toBe(1);
    for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty", ""]) {
      expect(isJsonObject(data) && own(data, name)).toBeUndefined();
    }
  });
});
