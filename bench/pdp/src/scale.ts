/** How much is measured. */
export interface Scale {
  readonly rounds: number;
  readonly batchMilliseconds: number;
  /** Decisions of one round of the breakdown, and calls of one round of `pep.enforce`. */
  readonly calls: number;
  readonly loadMilliseconds: number;
  readonly concurrencies: readonly number[];
  readonly handles: number;
  /** No more than the chains that a decision point keeps verified. */
  readonly chains: number;
  readonly tuples: number;
}

export const SCALES: { readonly full: Scale; readonly quick: Scale; readonly tiny: Scale } = {
  full: {
    rounds: 11,
    batchMilliseconds: 20,
    calls: 1000,
    loadMilliseconds: 400,
    concurrencies: [1, 8, 32, 128],
    handles: 10_000,
    chains: 1000,
    tuples: 100_000,
  },
  quick: { rounds: 5, batchMilliseconds: 10, calls: 300, loadMilliseconds: 250, concurrencies: [1, 32], handles: 2000, chains: 500, tuples: 100_000 },
  // For the test: it shows that everything runs, and nothing about its time.
  tiny: { rounds: 1, batchMilliseconds: 0.5, calls: 10, loadMilliseconds: 5, concurrencies: [1, 4], handles: 50, chains: 20, tuples: 2000 },
};
