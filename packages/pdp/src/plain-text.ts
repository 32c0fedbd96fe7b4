/** Longer than any name or reason of ours; names that somebody else made up have no end. */
const MAX_TEXT = 2048;

/** Text that every answer and record can hold, whatever names it quotes: cut, and without NUL and halves of characters. */
export function plainText(text: string): string {
  const cut = text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
  return (cut.includes("\0") ? cut.replaceAll("\0", "\uFFFD") : cut).toWellFormed();
}
