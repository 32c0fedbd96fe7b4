import type { Long } from "./longs.ts";

/** What an expression evaluates to. Text is well-formed, so that comparing UTF-16 compares Unicode scalar values. */
export type Value = boolean | string | Long | EntityValue | SetValue | RecordValue | ExtensionValue;

export interface EntityValue {
  readonly kind: "entity";
  readonly type: string;
  readonly id: string;
  /** Type and id as one text; the name of a type has no NUL. */
  readonly key: string;
}

/** Elements may stand there twice: no operator sees it. */
export interface SetValue {
  readonly kind: "set";
  readonly elements: readonly Value[];
  /** Made when first needed. */
  index: SetIndex | undefined;
  key: string | undefined;
}

export interface RecordValue {
  readonly kind: "record";
  readonly members: ReadonlyMap<string, Value>;
  key: string | undefined;
}

export type ExtensionValue = DecimalValue | MomentValue | DurationValue | IpValue;

/** Ten-thousandths. */
export interface DecimalValue {
  readonly kind: "decimal";
  readonly scaled: Long;
}

/** Cedar's `datetime`: milliseconds since 1970. */
export interface MomentValue {
  readonly kind: "datetime";
  readonly ms: Long;
}

export interface DurationValue {
  readonly kind: "duration";
  readonly ms: Long;
}

/** An address of 32 or 128 bits with the length of its prefix; what stands behind the prefix counts too. */
export interface IpValue {
  readonly kind: "ipaddr";
  readonly bits: 32 | 128;
  readonly address: bigint;
  readonly prefix: number;
}

interface SetIndex {
  readonly plain: ReadonlySet<Value>;
  readonly keys: ReadonlySet<string>;
}

/** Up to here, looking through a set costs less than an index of it. */
const SMALL = 16;

export function entityValue(type: string, id: string): EntityValue {
  return { kind: "entity", type, id, key: `${type}\0${id}` };
}

export function setValue(elements: readonly Value[]): SetValue {
  return { kind: "set", elements, index: undefined, key: undefined };
}

export function recordValue(members: ReadonlyMap<string, Value>): RecordValue {
  return { kind: "record", members, key: undefined };
}

/** Cedar's `==`: values of different types differ. */
export function isEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left.kind !== right.kind) return false;
  return left.kind === "entity" ? left.key === (right as EntityValue).key : keyOf(left) === keyOf(right);
}

export function contains(set: SetValue, value: Value): boolean {
  const isPlain = typeof value !== "object";
  if (isPlain && set.elements.length <= SMALL) return set.elements.includes(value);
  const index = (set.index ??= indexOf(set));
  return isPlain ? index.plain.has(value) : index.keys.has(keyOf(value));
}

export function containsAll(set: SetValue, subset: SetValue): boolean {
  return subset.elements.every((element) => contains(set, element));
}

export function containsAny(set: SetValue, other: SetValue): boolean {
  return other.elements.some((element) => contains(set, element));
}

function indexOf({ elements }: SetValue): SetIndex {
  const plain = new Set<Value>();
  const keys = new Set<string>();
  for (const element of elements) {
    if (typeof element === "object") keys.add(keyOf(element));
    else plain.add(element);
  }
  return { plain, keys };
}

const framed = (text: string): string => `${text.length}:${text}`;

/**
 * A text that equal values have in common, and no others: every part says where it ends. Kept with sets and records, so that comparing what is nested
 * takes time in proportion to its size.
 */
function keyOf(value: Value): string {
  switch (typeof value) {
    case "boolean":
      return value ? "t" : "f";
    case "string":
      return `s${framed(value)}`;
    case "object":
      return keyOfObject(value);
    default:
      return `n${value};`;
  }
}

function keyOfObject(value: Exclude<Value, boolean | string | Long>): string {
  switch (value.kind) {
    case "entity":
      return `e${framed(value.key)}`;
    case "set":
      return (value.key ??= `[${[...new Set(value.elements.map(keyOf))].sort().join("")}]`);
    case "record":
      return (value.key ??= `{${[...value.members.keys()]
        .sort()
        .map((name) => framed(name) + keyOf(value.members.get(name) as Value))
        .join("")}}`);
    case "decimal":
      return `d${value.scaled};`;
    case "ipaddr":
      return `i${value.bits}/${value.prefix}/${value.address};`;
    default:
      return `${value.kind === "datetime" ? "m" : "p"}${value.ms};`;
  }
}
