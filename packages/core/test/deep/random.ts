/** Choices that are the same again for the same seed and number. */
export interface Random {
  /** A whole number from 0 to `end - 1`. */
  readonly below: (end: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
  /** True in `percent` of a hundred cases. */
  readonly chance: (percent: number) => boolean;
  /** Each element with the same chance, in order. */
  readonly some: <T>(list: readonly T[], percent?: number) => readonly T[];
}

/** One stream of choices for each case, so that a case can be repeated without those before it. */
export function randomOf(seed: number, index: number): Random {
  // splitmix32: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca77)) | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const below = (end: number): number => Math.floor((next() / 2 ** 32) * end);
  const chance = (percent: number): boolean => below(100) < percent;
  return {
    below,
    chance,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    some: (list, percent = 50) => list.filter(() => chance(percent)),
  };
}
