/**
 * The number that a JSON number text denotes, or NaN, which JSON has no other way to say, when a double cannot hold exactly that number.
 *
 * Draft section 3.4: a number is admissible when the JCS text of its double denotes the same number as the text it was read from. A tool that
 * reads the text would otherwise act on a value that no constraint has seen. Takes text that fits the grammar of JSON numbers.
 */
export function exactNumber(text: string): number {
  const value = Number(text);
  const canonical = String(value);
  if (canonical === text) return value;
  return Number.isFinite(value) && isSameNumber(text, canonical) ? value || 0 : Number.NaN; // −0 is 0
}

/** Compares without floats: equal signs, equal digits once zeros at both ends are gone, equal powers of ten. */
function isSameNumber(left: string, right: string): boolean {
  const [a, b] = [decimal(left), decimal(right)];
  return a.digits === b.digits && (a.digits === "" || (a.power === b.power && a.isNegative === b.isNegative));
}

function decimal(text: string): { readonly isNegative: boolean; readonly digits: string; readonly power: number } {
  const isNegative = text[0] === "-";
  const exponentAt = text.search(/[eE]/);
  const mantissa = text.slice(isNegative ? 1 : 0, exponentAt === -1 ? undefined : exponentAt);
  const pointAt = mantissa.indexOf(".");
  const all = mantissa.replace(".", "");
  let [start, end] = [0, all.length];
  while (start < end && all[start] === "0") start++;
  while (end > start && all[end - 1] === "0") end--;
  const fraction = pointAt === -1 ? 0 : mantissa.length - pointAt - 1;
  const exponent = exponentAt === -1 ? 0 : Number(text.slice(exponentAt + 1));
  return { isNegative, digits: all.slice(start, end), power: exponent - fraction + (all.length - end) };
}
