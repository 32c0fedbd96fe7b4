import { usageError } from "./cli-error.ts";

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/;

/** The time that an option gives, else the time that it is: milliseconds since the epoch. */
export function instantOf(text: string | undefined, option: string): number {
  if (text === undefined) return Date.now();
  const time = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse rolls 31 February over into March.
  if (!(time >= 0) || new Date(time).toISOString().slice(0, 19) !== text.slice(0, 19))
    throw usageError(`\`--${option}\` must be an instant in UTC, as 2026-05-12T18:30:00Z`);
  return time;
}

/** Milliseconds of `90s`, `10m`, `2h`, `1d`. */
export function durationOf(text: string, option: string): number {
  const match = /^([1-9][0-9]{0,8})([smhd])$/.exec(text);
  if (match === null) throw usageError(`\`--${option}\` must be a length of time, as 90s, 10m, 2h, 1d`);
  return Number(match[1]) * (UNITS[match[2] as string] as number);
}

/** Seconds since the epoch as a person reads them; claims may say any number. */
export function instantText(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} seconds since 1970` : `${date.toISOString().slice(0, 19)}Z`;
}

/** `1d 2h`, `12m 3s`: the two largest units, cut down. */
export function lengthText(seconds: number): string {
  const parts: string[] = [];
  let rest = Math.floor(seconds);
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
    ["s", 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.length === 0 ? "0s" : parts.slice(0, 2).join(" ");
}
