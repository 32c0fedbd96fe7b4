import type { Presentation } from "@ambit/core";
import { chainHashOf, type Shown } from "@ambit/core/pdp-client";
import { requestProblem } from "./problem.ts";

/** Chains that were verified here, so that a call can name one by its digest. What stands for a chain is worth as much as the chain: nothing without its proof. */
export interface SeenChains {
  /** The presentation in full. Throws `chain_unknown`, and `request_malformed` for one that shows both or nothing. */
  readonly whole: (shown: Shown) => Presentation;
  readonly note: (chain: readonly string[]) => void;
}

/** A longer chain is sent each time: what is remembered is bounded by it. */
const MOST_CHARACTERS = 32_768;

export function createSeenChains(capacity: number, count: (isKnown: boolean) => void): SeenChains {
  const chains = new Map<string, readonly string[]>();
  return Object.freeze<SeenChains>({
    whole: ({ chain, chainHash, pop }) => {
      if ((chain === undefined) === (chainHash === undefined)) throw requestProblem("request_malformed", "a presentation has one of `chain` and `chain_hash`");
      if (chain !== undefined) return { kind: "chain", chain, pop };
      const known = chains.get(chainHash as string);
      count(known !== undefined);
      if (known === undefined) throw requestProblem("chain_unknown", "the chain is not known here; send it whole");
      chains.delete(chainHash as string);
      chains.set(chainHash as string, known);
      return { kind: "chain", chain: known, pop };
    },
    note: (chain) => {
      if (chain.reduce((sum, token) => sum + token.length, 0) > MOST_CHARACTERS) return;
      const hash = chainHashOf(chain);
      chains.delete(hash);
      chains.set(hash, chain);
      if (chains.size > capacity) chains.delete(chains.keys().next().value as string);
    },
  });
}
