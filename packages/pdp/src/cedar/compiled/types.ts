import { FAILURES } from "./failure.ts";
import type { Long } from "./longs.ts";
import type { EntityValue, SetValue, Value } from "./values.ts";

// What an operator does with an operand of the wrong type: the policy fails.

export function asBoolean(value: Value): boolean {
  if (typeof value !== "boolean") throw FAILURES.type;
  return value;
}

export function asText(value: Value): string {
  if (typeof value !== "string") throw FAILURES.type;
  return value;
}

export function asLong(value: Value): Long {
  if (typeof value !== "number" && typeof value !== "bigint") throw FAILURES.type;
  return value;
}

export function asEntity(value: Value): EntityValue {
  if (typeof value !== "object" || value.kind !== "entity") throw FAILURES.type;
  return value;
}

export function asSet(value: Value): SetValue {
  if (typeof value !== "object" || value.kind !== "set") throw FAILURES.type;
  return value;
}

/** The two sides of `<`: both longs, both datetimes or both durations. */
export function comparable(left: Value, right: Value): readonly [Long, Long] {
  if (typeof left !== "object" || typeof right !== "object") return [asLong(left), asLong(right)];
  if (left.kind === "datetime" && right.kind === "datetime") return [left.ms, right.ms];
  if (left.kind === "duration" && right.kind === "duration") return [left.ms, right.ms];
  throw FAILURES.type;
}
