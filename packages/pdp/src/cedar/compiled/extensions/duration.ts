import { FAILURES } from "../failure.ts";
import { longOf } from "../longs.ts";
import type { DurationValue } from "../values.ts";

const FORM = /^(-?)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS = [86_400_000n, 3_600_000n, 60_000n, 1000n, 1n];

/** More digits than 64 bits have; zeros may stand before them. */
const MAX_DIGITS = 20;

/** Cedar's `duration("1d2h3m4s5ms")`: at least one amount, each unit once, the larger first, 64 bits in milliseconds. */
export function durationOf(text: string): DurationValue {
  const [, sign, ...amounts] = FORM.exec(text) ?? fail();
  if (amounts.every((amount) => amount === undefined)) fail();
  const total = amounts.reduce((sum, amount = "", index) => sum + amountOf(amount) * (UNITS[index] ?? fail()), 0n);
  return { kind: "duration", ms: longOf(sign === "-" ? -total : total) };
}

function amountOf(text: string): bigint {
  const digits = text.replace(/^0+/, "");
  return digits.length > MAX_DIGITS ? fail() : BigInt(digits);
}

function fail(): never {
  throw FAILURES.extension;
}
