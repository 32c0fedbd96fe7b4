import type { Settlement } from "@ambit/core";
import type { Setting } from "../setting.ts";

/**
 * Units of which a call used more than was reserved for it, for its record; `undefined` for none. No budget is debited with more than it was asked for (I6), so that this
 * is where the rest shows, and in a counter.
 */
export function noteExceeded({ counters }: Pick<Setting, "counters">, used: Settlement["used"], reserved: Settlement["used"]): readonly string[] | undefined {
  const units = Object.keys(used).filter((unit) => Object.hasOwn(reserved, unit) && (used[unit] as number) > (reserved[unit] as number));
  for (const unit of units) counters.exceeded.add({ unit: unit.split("/")[0] as string });
  return units.length === 0 ? undefined : units;
}
