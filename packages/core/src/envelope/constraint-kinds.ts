import type { Json } from "../data/json.ts";
import { sortedUnique } from "../data/sets.ts";

/** `[]` in any kind but `max` and `min` grants nothing. */
export type ConstraintValue = string | number | boolean | readonly string[];

/** How a resource constraint compares. */
export type ConstraintKind = "equal" | "subset" | "max" | "min" | "path_prefix";

/** What there is to know of a kind. Values given to `meet` and `admits` came out of `parse`. */
export interface KindRules {
  /** The canonical form, or `undefined` when the value is not one of this kind. */
  parse(value: Json): ConstraintValue | undefined;
  /** The greatest value that is within both. */
  meet(a: ConstraintValue, b: ConstraintValue): ConstraintValue;
  /** The test whether a value of a call, or of a result, is inside; built once for as many values as there are. */
  admits(constraint: ConstraintValue): (value: Json) => boolean;
  /** What a person reads when it is not; of a long list, only how it begins. */
  describe(constraint: ConstraintValue): string;
}

const NOTHING: readonly string[] = Object.freeze([]);

const isCount = (value: Json): value is number => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const isText = (value: Json): value is string => typeof value === "string" && value !== "";
const isEmpty = (value: Json): boolean => Array.isArray(value) && value.length === 0;

function parseTexts(value: Json, isElement: (element: Json) => element is string): readonly string[] | undefined {
  return Array.isArray(value) && value.every(isElement) ? sortedUnique(value) : undefined;
}

const LISTED = 8;

function listed(elements: readonly string[], separator: string): string {
  const names = elements.slice(0, LISTED).map((element) => `\`${element}\``);
  return names.join(separator) + (elements.length > LISTED ? ` and ${elements.length - LISTED} more` : "");
}

const equal: KindRules = {
  parse: (value) => (isText(value) || isCount(value) || typeof value === "boolean" ? value : isEmpty(value) ? NOTHING : undefined),
  meet: (a, b) => (a === b ? a : NOTHING),
  admits: (constraint) => (value) => value === constraint,
  describe: (constraint) => (isEmpty(constraint) ? "nothing" : `\`${String(constraint)}\``),
};

const subset: KindRules = {
  parse: (value) => parseTexts(value, isText),
  meet: (a, b) => {
    const inB = new Set(b as readonly string[]);
    return sortedUnique((a as readonly string[]).filter((element) => inB.has(element)));
  },
  // An empty list often means "all" to the service behind a tool, so it is not the harmless value that it looks like.
  admits: (constraint) => {
    const allowed = new Set<Json>(constraint as readonly string[]);
    return (value) => (Array.isArray(value) ? value.length > 0 && value.every((element: Json) => allowed.has(element)) : allowed.has(value));
  },
  describe: (constraint) => (isEmpty(constraint) ? "nothing" : `one of ${listed(constraint as readonly string[], ", ")}`),
};

const max: KindRules = {
  parse: (value) => (isCount(value) ? value : undefined),
  meet: (a, b) => Math.min(a as number, b as number),
  admits: (constraint) => (value) => typeof value === "number" && value >= 0 && value <= (constraint as number),
  describe: (constraint) => `at most ${String(constraint)}`,
};

const min: KindRules = {
  parse: max.parse,
  meet: (a, b) => Math.max(a as number, b as number),
  admits: (constraint) => (value) => typeof value === "number" && value >= (constraint as number),
  describe: (constraint) => `at least ${String(constraint)}`,
};

/**
 * INVARIANT I14: a path is taken as it is or refused, never normalised: two programs normalise differently.
 * No `%`, `\`, `:`, `*`, blanks or control characters, no empty, `.` or `..` segment.
 */
function isPath(value: Json): value is string {
  if (typeof value !== "string" || value[0] !== "/" || value.length > 1024 || /[^\x21-\x7e]|[%\\:*?]/.test(value)) return false;
  if (value === "/") return true;
  const segments = value.slice(1).split("/");
  return segments.length <= 64 && segments.every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

/** Whether a path, or one that it is below by whole segments, is among the prefixes. */
function isUnderSome(path: string, prefixes: ReadonlySet<string>): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) if (prefixes.has(path.slice(0, end))) return true;
  return prefixes.has("/");
}

/** A prefix below another one says nothing more than that one. */
function withoutRedundant(prefixes: readonly string[]): readonly string[] {
  const kept = new Set<string>();
  // In this order a prefix comes before everything below it.
  for (const prefix of sortedUnique(prefixes)) if (!isUnderSome(prefix, kept)) kept.add(prefix);
  return Object.freeze([...kept]);
}

const pathPrefix: KindRules = {
  parse: (value) => {
    const prefixes = parseTexts(typeof value === "string" ? [value] : value, isPath);
    return prefixes && withoutRedundant(prefixes);
  },
  meet: (a, b) => {
    const [left, right] = [new Set(a as readonly string[]), new Set(b as readonly string[])];
    return withoutRedundant([...left].filter((prefix) => isUnderSome(prefix, right)).concat([...right].filter((prefix) => isUnderSome(prefix, left))));
  },
  admits: (constraint) => {
    const prefixes = new Set(constraint as readonly string[]);
    return (value) => {
      const paths = Array.isArray(value) ? (value as readonly Json[]) : [value];
      return paths.length > 0 && paths.every((path) => isPath(path) && isUnderSome(path, prefixes));
    };
  },
  describe: (constraint) => (isEmpty(constraint) ? "nothing" : `below ${listed(constraint as readonly string[], " or ")}`),
};

export const CONSTRAINT_KINDS: ReadonlyMap<ConstraintKind, KindRules> = new Map<ConstraintKind, KindRules>([
  ["equal", equal],
  ["subset", subset],
  ["max", max],
  ["min", min],
  ["path_prefix", pathPrefix],
]);

/** The rules of a kind. */
export function rulesOf(kind: ConstraintKind): KindRules {
  const rules = CONSTRAINT_KINDS.get(kind);
  if (rules === undefined) throw new TypeError(`no constraint kind \`${kind}\``);
  return rules;
}
