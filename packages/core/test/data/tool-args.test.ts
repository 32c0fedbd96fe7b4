import { describe, expect, it } from "vitest";
import { copyData, type Json } from "../../src/data/json.ts";
import { codeOf } from "../support/codes.ts";
import { hasVectors, vectorList } from "../support/vectors.ts";

const copy = (value: unknown): Json => copyData(value, "argument_not_allowed", "the arguments");

interface ToolArgs {
  readonly raw: string;
  readonly expect: string;
  readonly why: string;
}

/**
 * What data alone can tell. Out of its reach: repeated members, which `JSON.parse` has merged already (only who has the raw text can see
 * them), and everything that needs the tool's schema or the envelope (types, unknown members, limits): the decision point's part.
 */
const REFUSED_AS_DATA = [
  "prototype pollution key",
  "constructor.prototype",
  "nested",
  "escaped __proto__",
  "unsafe integer",
  "NUL",
  "depth",
  "size",
  "not JSON",
];
const NEEDS_RAW_TEXT = ["duplicate key", "duplicate after unescape"];

describe.skipIf(!hasVectors("hostile/tool-args.json"))("hostile tool arguments", () => {
  const vectors = vectorList<ToolArgs>("hostile/tool-args.json");
  const isNamed = (why: string, names: readonly string[]): boolean => names.some((name) => why.startsWith(name));
  const read = (raw: string): unknown => {
    try {
      return JSON.parse(raw);
    } catch {
      return Number.NaN; // what is not JSON reaches nobody as data
    }
  };

  it("has the vectors that are named here", () => {
    for (const name of [...REFUSED_AS_DATA, ...NEEDS_RAW_TEXT]) expect(vectors.some(({ why }) => why.startsWith(name))).toBe(true);
    expect(vectors.filter(({ why }) => isNamed(why, NEEDS_RAW_TEXT))).toHaveLength(2);
  });

  it.each(vectors.filter(({ why }) => isNamed(why, REFUSED_AS_DATA)))("refuses: $why", ({ raw }) => {
    expect(codeOf(() => copy(read(raw)))).toBe("argument_not_allowed");
  });

  it.each(vectors.filter(({ why }) => !isNamed(why, REFUSED_AS_DATA)))("passes on unchanged, for the decision point to judge: $why", ({ raw }) => {
    const value: unknown = JSON.parse(raw);
    expect(JSON.stringify(copy(value))).toBe(JSON.stringify(value));
  });
});
