/** A pattern of `like`, compiled: whether a text matches it. Takes time in proportion to text and pattern, whatever they are. */
export type Pattern = (text: string) => boolean;

/**
 * `literals` are what stands between the wildcards, in order. The earliest place for each of them is as good as any other, so that nothing is tried twice.
 * A well-formed literal is never found inside a surrogate pair.
 */
export function patternOf(literals: readonly string[]): Pattern {
  const [first = "", ...rest] = literals;
  const last = rest.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    // oxlint-disable-next-line ambit/no-name-folding -- what a policy asks for with `like` is no comparison of names
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const literal of rest) {
      const found = text.indexOf(literal, at);
      if (found === -1) return false;
      at = found + literal.length;
    }
    return at <= text.length - last.length;
  };
}
