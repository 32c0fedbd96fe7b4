import type { Escape } from "./escapes.ts";

/** A text as somebody reads it who undoes escape sequences. */
export interface View {
  readonly bytes: Uint8Array;
  /** Where in the text each byte begins, and at last where the view ends; `undefined` when the view is the text. */
  readonly origins: Uint32Array | undefined;
}

/** The view that undoes `escape`, of a view; `undefined` when there is nothing to undo. A sequence that is cut off is left out; the view ends where it begins. */
export function unescape(view: View, escape: Escape, isLast: boolean): View | undefined {
  const { bytes } = view;
  const first = firstUnit(bytes, escape, isLast);
  if (first === -1) return undefined;
  // A sequence is never shorter than what it stands for.
  const undone = new Uint8Array(bytes.length);
  const origins = new Uint32Array(bytes.length + 1);
  let [at, length] = [0, 0];
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    const origin = beginOf(view, at);
    const unit = at >= first && byte === escape.lead ? escape.read(bytes, at) : undefined;
    if (unit === "open" && !isLast) break;
    if (unit === undefined || unit === "open") {
      undone[length] = byte;
      origins[length++] = origin;
      at++;
      continue;
    }
    for (const each of unit.bytes) {
      undone[length] = each;
      origins[length++] = origin;
    }
    at = unit.end;
  }
  origins[length] = beginOf(view, at);
  return { bytes: undone.subarray(0, length), origins: origins.subarray(0, length + 1) };
}

function firstUnit(bytes: Uint8Array, { lead, read }: Escape, isLast: boolean): number {
  for (let at = bytes.indexOf(lead); at !== -1; at = bytes.indexOf(lead, at + 1)) {
    const unit = read(bytes, at);
    if (unit !== undefined && !(unit === "open" && isLast)) return at;
  }
  return -1;
}

/** Where in the text the byte `at` of a view begins, and the one before it ends. */
export function beginOf({ origins }: View, at: number): number {
  return origins === undefined ? at : (origins[at] as number);
}

/** `at`, or where the unit begins that it would cut. */
export function unitBefore({ origins }: View, at: number): number {
  if (origins === undefined) return at;
  let [low, high] = [0, origins.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((origins[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return Math.min(at, origins[low] ?? 0);
}
