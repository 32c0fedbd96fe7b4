import type { Escape } from "./escapes.ts";
import type { Search } from "./search.ts";
import { beginOf, unescape, unitBefore, type View } from "./views.ts";

/** What stands where a secret stood. Plain ASCII that needs no escape in JSON, HTML or a URL's path. */
export const MARK = "[redacted]";
/** Escapes within escapes: JSON in a string of JSON, base64 with line breaks in JSON. */
const DEPTH = 2;
/** Views are several times as large as their text. */
const SLICE = 65_536;
const mark = new TextEncoder().encode(MARK);
const NOTHING: Uint8Array = new Uint8Array(0);

export interface Redaction {
  /** What of all text so far is settled and was not given yet. `isLast`: no more comes. */
  push(chunk: Uint8Array, isLast: boolean): Uint8Array;
}

/** Replaces what `search` finds in a text that comes in pieces: it holds back what more text could still make a secret of, no more. */
export function createRedaction(search: Search, escapes: readonly Escape[]): Redaction {
  /** What was held back, and how much at its beginning belongs to a secret whose mark was given. */
  let [held, covered] = [NOTHING, 0];

  const redact = (chunk: Uint8Array, isLast: boolean, given: Uint8Array[]): void => {
    const text = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const { spans, settled } = look(text, isLast, search, escapes);
    let at = covered;
    for (const [from, to] of spans) {
      if (from >= settled) break;
      // Secrets that overlap have one mark together.
      if (from >= at) given.push(text.subarray(at, from), mark);
      at = Math.max(at, to);
    }
    if (at < settled) given.push(at === 0 && settled === text.length ? text : text.subarray(at, settled));
    // A copy: the piece belongs to whoever gave it.
    held = settled === text.length ? NOTHING : Uint8Array.from(text.subarray(settled));
    covered = Math.max(0, at - settled);
  };

  return {
    push: (chunk, isLast) => {
      const given: Uint8Array[] = [];
      let from = 0;
      for (; chunk.length - from > SLICE; from += SLICE) redact(chunk.subarray(from, from + SLICE), false, given);
      redact(from === 0 ? chunk : chunk.subarray(from), isLast, given);
      return given.length === 1 ? (given[0] as Uint8Array) : Buffer.concat(given);
    },
  };
}

interface Looked {
  readonly spans: readonly (readonly [from: number, to: number])[];
  /** Up to here more text changes nothing. */
  readonly settled: number;
}

function look(text: Uint8Array, isLast: boolean, search: Search, escapes: readonly Escape[]): Looked {
  const spans: (readonly [number, number])[] = [];
  const views: View[] = [];
  let settled = text.length;

  const lookAt = (view: View, depth: number): void => {
    views.push(view);
    const hits = search(view.bytes, isLast);
    for (const [from, to] of hits.spans) spans.push([beginOf(view, from), beginOf(view, to)]);
    settled = Math.min(settled, beginOf(view, hits.open));
    for (const escape of depth === 0 ? [] : escapes) {
      const undone = unescape(view, escape, isLast);
      if (undone !== undefined) lookAt(undone, depth - 1);
    }
  };
  lookAt({ bytes: text, origins: undefined }, DEPTH);

  // What is held back begins where every reader begins a unit: otherwise `\\n` could be cut into a backslash and a line break.
  for (let before = -1; before !== settled;) {
    before = settled;
    for (const view of views) settled = unitBefore(view, settled);
  }
  return { spans: spans.sort(([one], [other]) => one - other), settled };
}
