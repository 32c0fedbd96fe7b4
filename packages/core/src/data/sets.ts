/** Sorted by UTF-16 code units, without repetition, frozen: the one spelling of a set. */
export function sortedUnique(values: Iterable<string>): readonly string[] {
  return Object.freeze([...new Set(values)].sort());
}
