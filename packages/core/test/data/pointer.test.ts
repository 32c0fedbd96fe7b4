import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/data/json.ts";
import { editAt, isPointer, parentOf, removeAt, valuesAt } from "../../src/data/pointer.ts";

// RFC 6901 section 5.
const RFC = { foo: ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8 };
const gone = (): undefined => undefined;

describe("isPointer", () => {
  it.each(["", "/", "/a", "/a/0/*", "/~0/~1", "/a//b", "/*"])("takes %j", (pointer) => {
    expect(isPointer(pointer)).toBe(true);
  });

  it.each(["a", "#/a", "/~", "/~2", "/a~", " /a", `/${"a".repeat(512)}`, null, undefined, 1, ["/a"], { toString: () => "/a" }])("refuses %j", (pointer) => {
    expect(isPointer(pointer)).toBe(false);
  });
});

describe("valuesAt", () => {
  it.each([
    ["", RFC],
    ["/foo", RFC.foo],
    ["/foo/0", "bar"],
    ["/", 0],
    ["/a~1b", 1],
    ["/c%d", 2],
    ["/e^f", 3],
    ["/g|h", 4],
    ["/i\\j", 5],
    ['/k"l', 6],
    ["/ ", 7],
    ["/m~0n", 8],
  ])("reads %j as RFC 6901 has it", (pointer, value) => {
    expect(valuesAt(RFC, pointer)).toStrictEqual([value]);
  });

  it("unescapes `~01` to `~1`, not to `/`", () => {
    expect(valuesAt({ "~1": "tilde", "/": "slash" }, "/~01")).toStrictEqual(["tilde"]);
  });

  it("reads all elements of a list at `*`, also nested", () => {
    const value = { groups: [{ ids: ["a", "b"] }, { ids: [] }, { ids: ["c"] }] };
    expect(valuesAt(value, "/groups/*/ids/*")).toStrictEqual(["a", "b", "c"]);
    expect(valuesAt([], "/*")).toStrictEqual([]);
  });

  it.each([
    ["a name that is missing", { a: 1 }, "/b"],
    ["one element that lacks the member", [{ a: 1 }, {}], "/*/a"],
    ["`*` where there is no list", { a: { b: 1 } }, "/a/*"],
    ["`*` on text", { a: "text" }, "/a/*"],
    ["an inherited name", { a: {} }, "/a/constructor"],
    ["the name of the prototype", {}, "/__proto__"],
    ["the length of a list", { a: [1, 2] }, "/a/length"],
    ["the length of a text", { a: "text" }, "/a/length"],
    ["a character of a text", { a: "text" }, "/a/0"],
    ["the end of a list", [1], "/-"],
    ["an index with a leading zero", [1, 2], "/01"],
    ["a negative index", [1], "/-1"],
    ["an index that is too large", [1], "/1"],
    ["a fraction as an index", [1, 2], "/1.0"],
    ["a member of null", { a: null }, "/a/b"],
  ])("finds nothing for %s", (_, value, pointer) => {
    expect(valuesAt(value as Json, pointer)).toBeUndefined();
    expect(editAt(value as Json, pointer, () => "edited")).toBeUndefined();
  });

  it("reads a list that is longer than the stack is deep", () => {
    const groups = Array.from({ length: 300_000 }, (_, index) => ({ id: index }));
    expect(valuesAt({ groups }, "/groups/*/id")).toHaveLength(300_000);
  });

  it("finds `null`, which is a value", () => {
    expect(valuesAt({ a: null }, "/a")).toStrictEqual([null]);
  });
});

describe("editAt", () => {
  it("changes what is named and nothing else, in a copy", () => {
    const value = Object.freeze({ records: Object.freeze([Object.freeze({ id: 1, name: "x" }), Object.freeze({ id: 2, name: "y" })]), total: 2 });
    expect(editAt(value, "/records/*/name", () => "…")).toStrictEqual({
      records: [
        { id: 1, name: "…" },
        { id: 2, name: "…" },
      ],
      total: 2,
    });
    expect(value.records[0]?.name).toBe("x");
    expect(editAt(value, "", () => null)).toBeNull();
  });

  it("removes members and, at `*`, elements", () => {
    expect(editAt({ a: { b: 1, c: 2 } }, "/a/b", gone)).toStrictEqual({ a: { c: 2 } });
    expect(editAt({ a: [1, 2, 3] }, "/a/*", (element) => (element === 2 ? undefined : element))).toStrictEqual({ a: [1, 3] });
  });

  it("leaves `null` for an element named by its index, so that the indexes behind it still hold", () => {
    const [first, second] = ["/a/0", "/a/1"];
    expect(editAt(editAt({ a: ["x", "y", "z"] }, first, gone) as Json, second, gone)).toStrictEqual({ a: [null, null, "z"] });
  });

  it("edits exactly the values that are read", () => {
    const pointers = fc.array(fc.constantFrom("a", "b", "0", "1", "*", "~0", "~1", "constructor", "__proto__", ""), { maxLength: 4 });
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), pointers, (value, segments) => {
        const pointer = segments.map((segment) => `/${segment}`).join("");
        const seen: Json[] = [];
        const edited = editAt(value as Json, pointer, (found) => {
          seen.push(found);
          return found;
        });
        const found = valuesAt(value as Json, pointer);
        expect(edited === undefined).toBe(found === undefined);
        if (found !== undefined) expect(seen).toStrictEqual(found);
        if (found !== undefined) expect(edited).toStrictEqual(value);
      }),
      { examples: [[{ a: [{ b: 1 }, { b: 2 }] }, ["a", "*", "b"]]] },
    );
  });
});

it("knows where the last segment of a pointer is looked up", () => {
  expect(["/a", "/a/*/b", "/", "/a~1b/c", ""].map(parentOf)).toStrictEqual(["", "/a/*", "", "/a~1b", undefined]);
});

describe("removeAt", () => {
  it("removes what is named, and takes a last member that a record lacks for removed", () => {
    expect(removeAt({ rows: [{ a: 1, b: 2 }, { b: 3 }] }, "/rows/*/a", false)).toStrictEqual({ rows: [{ b: 2 }, { b: 3 }] });
    expect(removeAt({ rows: [{ c: { a: 1 } }, { c: {} }] }, "/rows/*/c/a", false)).toStrictEqual({ rows: [{ c: {} }, { c: {} }] });
    expect(removeAt({ a: 1, b: 2 }, "/a", false)).toStrictEqual({ b: 2 });
  });

  it("takes a last member that any other object lacks for removed only when told to", () => {
    expect(removeAt({ b: 1 }, "/a", true)).toStrictEqual({ b: 1 });
    expect(removeAt({ b: 1 }, "/a", false)).toBeUndefined();
    expect(removeAt([{ b: 1 }], "/0/a", false)).toBeUndefined();
  });

  it.each([
    ["a member on the way that is missing", {}, "/a/b"],
    ["an element that is missing", { a: [] }, "/a/0"],
    ["a last member of what is no object", { a: ["secret"] }, "/a/b"],
    ["a last member of text", { a: "secret" }, "/a/b"],
    ["`*` where there is no list", { a: { b: 1 } }, "/a/*/b"],
    ["everything", { a: 1 }, ""],
  ])("leaves nothing to show for %s", (_, value, pointer) => {
    expect(removeAt(value as Json, pointer, true)).toBeUndefined();
  });
});
