import { FAILURES } from "../failure.ts";
import { add, remainder, subtract } from "../longs.ts";
import type { DurationValue, MomentValue } from "../values.ts";

const DAY = 86_400_000;
const FORM = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{3}))?(?:Z|([+-])(\d{2})(\d{2})))?$/;
const MONTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Cedar's `datetime("2024-10-15T11:35:00.000+0100")`; a date alone is its midnight in UTC. The 60th second of a minute is none. */
export function momentOf(text: string): MomentValue {
  const [, year, month, day, hour = "0", minute = "0", second = "0", ms = "0", sign, east = "0", minutesEast = "0"] = FORM.exec(text) ?? fail();
  const [h, m, s] = [below(24, hour), below(60, minute), below(60, second)];
  const offset = (below(24, east) * 60 + below(60, minutesEast)) * (sign === "-" ? -1 : 1);
  const days = daysSince1970(Number(year), Number(month), Number(day));
  return { kind: "datetime", ms: days * DAY + ((h * 60 + m - offset) * 60 + s) * 1000 + Number(ms) };
}

function below(end: number, text: string): number {
  return Number(text) < end ? Number(text) : fail();
}

/** Of the Gregorian calendar, also before there was one. `Date` would turn the 30th of February into a day of March. */
function daysSince1970(year: number, month: number, day: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const lengthOf = (index: number): number => (MONTHS[index] ?? fail()) + (isLeap && index === 1 ? 1 : 0);
  if (day < 1 || day > lengthOf(month - 1)) fail();
  let days = day - 1;
  for (let index = 0; index < month - 1; index++) days += lengthOf(index);
  const before = year - 1;
  return days + before * 365 + Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400) - 719_162;
}

export function offsetBy(moment: MomentValue, duration: DurationValue): MomentValue {
  return { kind: "datetime", ms: add(moment.ms, duration.ms) };
}

export function durationBetween(later: MomentValue, earlier: MomentValue): DurationValue {
  return { kind: "duration", ms: subtract(later.ms, earlier.ms) };
}

/** The midnight before, in UTC. */
export function dateOf({ ms }: MomentValue): MomentValue {
  return { kind: "datetime", ms: subtract(ms, remainder(ms, DAY)) };
}

export function timeOf({ ms }: MomentValue): DurationValue {
  return { kind: "duration", ms: remainder(ms, DAY) };
}

function fail(): never {
  throw FAILURES.extension;
}
