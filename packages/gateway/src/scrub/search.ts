import type { Needle } from "./needles.ts";

/** Where needles stand in a text. */
export interface Hits {
  /** From and to, one pair after another. */
  readonly spans: readonly (readonly [from: number, to: number])[];
  /** From here on more text could still make a needle of what there is. */
  readonly open: number;
}

export type Search = (text: Uint8Array, isLast: boolean) => Hits;

/** Looks for all needles at once: a table says for each two bytes whether a needle begins with them. */
export function createSearch(needles: readonly Needle[]): Search {
  const pairs = new Uint8Array(65_536);
  const byPair = Map.groupBy(needles, ({ bytes: [first = 0, second = 0] }) => (first << 8) | second);
  for (const pair of byPair.keys()) pairs[pair] = 1;

  return (text, isLast) => {
    const spans: [number, number][] = [];
    const last = text.length - 1;
    let open = text.length;
    // What precedes a needle in base64 is taken with it, also when the needle is still to come.
    if (!isLast && isBase64(text[last])) open = last;

    let pair = text[0] ?? 0;
    for (let at = 0; at < last; at++) {
      pair = ((pair & 0xff) << 8) | (text[at + 1] as number);
      if (pairs[pair] === 0) continue;
      for (const needle of byPair.get(pair) ?? []) {
        const found = compare(text, at, needle, isLast);
        if (found === "mismatch") continue;
        const from = needle.before === 1 && isBase64(text[at - 1]) ? at - 1 : at;
        if (found === "open") open = Math.min(open, from);
        else spans.push([from, found]);
      }
    }
    if (!isLast && needles.some(({ bytes }) => bytes[0] === text[last])) open = Math.min(open, Math.max(0, last - 1));
    return { spans, open };
  };
}

/** Where the needle ends that begins at `at`. */
function compare(text: Uint8Array, at: number, { bytes, after }: Needle, isLast: boolean): number | "mismatch" | "open" {
  const length = Math.min(bytes.length, text.length - at);
  for (let index = 2; index < length; index++) if (text[at + index] !== bytes[index]) return "mismatch";
  const end = at + length;
  if (!isLast && end === text.length && (length < bytes.length || after === 1)) return "open";
  if (length < bytes.length) return "mismatch";
  return after === 1 && isBase64(text[end]) ? end + 1 : end;
}

/** Letters, digits, `+`, `/`, `-` and `_`. */
export function isBase64(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x2f && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x5f;
}
