/** Sorted by UTF-16 code units, without repetition, frozen: the one spelling of a set. A frozen list that is one already comes back as it is. */
export function sortedUnique(values: readonly string[]): readonly string[] {
  if (isSortedUnique(values)) return Object.isFrozen(values) ? values : Object.freeze([...values]);
  return Object.freeze([...new Set(values)].sort());
}

/** Whether a list is the one spelling of its set already. */
export function isSortedUnique(values: readonly string[]): boolean {
  for (let index = 1; index < values.length; index++) if (!((values[index - 1] as string) < (values[index] as string))) return false;
  return true;
}
