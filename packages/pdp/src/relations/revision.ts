/** A revision as a store answers it: databases answer whole numbers as they see fit. */
export function wholeOf(value: number | bigint | string): number {
  const whole = Number(value);
  if (!Number.isSafeInteger(whole) || whole < 0) throw new TypeError("the store answered with no revision");
  return whole;
}
