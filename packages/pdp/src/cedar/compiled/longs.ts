import { FAILURES } from "./failure.ts";

/** Cedar's 64 bit integer. A `bigint` exactly where it leaves the safe range, so that two equal longs are `===`. */
export type Long = number | bigint;

const MIN = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

function isInRange(exact: bigint): boolean {
  return exact >= MIN && exact <= MAX;
}

/** The one form of a number. Fails where it leaves 64 bits. */
export function longOf(exact: bigint): Long {
  if (!isInRange(exact)) throw FAILURES.overflow;
  const near = Number(exact);
  return Number.isSafeInteger(near) ? near : exact;
}

// A result of two safe numbers that looks safe is exact: no double between 2^53 and the next is rounded down below it.
export function add(left: Long, right: Long): Long {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return longOf(BigInt(left) + BigInt(right));
}

export function subtract(left: Long, right: Long): Long {
  if (typeof left === "number" && typeof right === "number") {
    const difference = left - right;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return longOf(BigInt(left) - BigInt(right));
}

export function multiply(left: Long, right: Long): Long {
  if (typeof left === "number" && typeof right === "number") {
    const product = left * right;
    // `+ 0`: there is one zero.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return longOf(BigInt(left) * BigInt(right));
}

export function negate(value: Long): Long {
  return typeof value === "number" ? 0 - value : longOf(-value);
}

/** Towards zero, as integers are divided in Cedar's own language. The divisor is a safe positive number. */
export function divide(value: Long, divisor: number): Long {
  return typeof value === "number" ? (value - (value % divisor)) / divisor + 0 : longOf(value / BigInt(divisor));
}

/** What is left of a number below a multiple of the divisor: from 0 to `divisor - 1`, for negative numbers too. */
export function remainder(value: Long, divisor: number): number {
  const rest = typeof value === "number" ? value % divisor : Number(value % BigInt(divisor));
  return rest < 0 ? rest + divisor : rest + 0;
}
