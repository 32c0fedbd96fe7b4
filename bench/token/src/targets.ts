import { LENGTHS, NAMES } from "./ambit.ts";
import type { Measured } from "./measure.ts";

export interface Target {
  readonly name: string;
  readonly length: number | undefined;
  /** In runs of the base: Ed25519 verifications, or signatures. */
  readonly most: number;
  readonly ratio: number;
  readonly isMet: boolean;
}

/** What a verification may cost, by what it consists of: a signature for each token and one for the proof. */
const LIMITS: readonly { readonly name: string; readonly length?: number; readonly most: number }[] = [
  ...LENGTHS.flatMap((length) => [NAMES.draft, NAMES.envelope].map((name) => ({ name, length, most: (length + 1) * 1.3 }))),
  ...LENGTHS.map((length) => ({ name: NAMES.cached, length, most: 1.2 })),
  ...[NAMES.deriveDraft, NAMES.deriveEnvelope].map((name) => ({ name, most: 1.5 })),
];

/** Each target and whether this run met it. A target of which nothing was measured is not met. */
export function judge(measured: readonly Measured[]): readonly Target[] {
  return LIMITS.map(({ name, length, most }) => {
    const ratio = measured.find((one) => one.name === name && one.length === length)?.ratio ?? Number.NaN;
    return { name, length, most, ratio, isMet: ratio <= most };
  });
}
