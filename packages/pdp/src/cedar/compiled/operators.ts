import { add, multiply, negate, subtract } from "./longs.ts";
import { hasTag, isIn, tagOf, type Scope } from "./scope.ts";
import { asBoolean, asEntity, asLong, asSet, asText, comparable } from "./types.ts";
import { contains, containsAll, containsAny, isEqual, type Value } from "./values.ts";

// Operators that evaluate all of their operands, from left to right.

export type Unary = (value: Value) => Value;
export type Binary = (left: Value, right: Value) => Value;
export type Relation = (left: Value, right: Value, scope: Scope) => Value;

export const UNARY: ReadonlyMap<string, Unary> = new Map<string, Unary>([
  ["!", (value) => !asBoolean(value)],
  ["neg", (value) => negate(asLong(value))],
  ["isEmpty", (value) => asSet(value).elements.length === 0],
]);

export const BINARY: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ["==", isEqual],
  ["!=", (left, right) => !isEqual(left, right)],
  ["<", (left, right) => isBelow(left, right)],
  [">=", (left, right) => !isBelow(left, right)],
  [">", (left, right) => isBelow(right, left)],
  ["<=", (left, right) => !isBelow(right, left)],
  ["+", (left, right) => add(asLong(left), asLong(right))],
  ["-", (left, right) => subtract(asLong(left), asLong(right))],
  ["*", (left, right) => multiply(asLong(left), asLong(right))],
  ["contains", (left, right) => contains(asSet(left), right)],
  ["containsAll", (left, right) => containsAll(asSet(left), asSet(right))],
  ["containsAny", (left, right) => containsAny(asSet(left), asSet(right))],
]);

/** Those that look up entities: even of constants they know nothing in advance. */
export const RELATIONS: ReadonlyMap<string, Relation> = new Map<string, Relation>([
  ["in", (left, right, scope) => isInAny(scope, left, right)],
  ["hasTag", (left, right, scope) => hasTag(scope, asEntity(left), asText(right))],
  ["getTag", (left, right, scope) => tagOf(scope, asEntity(left), asText(right))],
]);

function isBelow(left: Value, right: Value): boolean {
  if (typeof left === "number" && typeof right === "number") return left < right;
  const [one, other] = comparable(left, right);
  return one < other;
}

/** In an entity, or in any of a set; every element must be an entity, even behind one that it is in. */
export function isInAny(scope: Scope, left: Value, right: Value): boolean {
  const entity = asEntity(left);
  if (typeof right === "object" && right.kind === "entity") return isIn(scope, entity, right);
  return asSet(right)
    .elements.map(asEntity)
    .some((group) => isIn(scope, entity, group));
}
