import { AmbitError } from "../errors.ts";
import type { Duration } from "./pep.ts";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration; throws `option_invalid` for anything that is not a positive length of time. */
export function milliseconds(duration: Duration, option: string): number {
  const match = typeof duration === "string" ? /^([1-9][0-9]{0,8})(ms|s|m|h|d)$/.exec(duration) : null;
  const length = match === null ? duration : Number(match[1]) * (UNITS[match[2] as string] as number);
  if (typeof length === "number" && Number.isSafeInteger(length) && length > 0) return length;
  throw new AmbitError("option_invalid", `\`${option}\` must be milliseconds or text such as "90s", "10m", "2h"`);
}
