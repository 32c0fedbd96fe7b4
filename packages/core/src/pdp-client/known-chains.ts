import type { Presentation } from "../pdp/presentation.ts";
import { AmbitError } from "../errors.ts";
import { createLru } from "../token/lru.ts";
import { chainHashOf } from "./wire/chain-hash.ts";
import type { Shown } from "./wire/messages.ts";

/** Which chains the service has seen, so that a call sends a digest and not kilobytes. What is wrong here costs a second question and nothing else. */
export interface KnownChains {
  /** What to show; whole when `isWhole`, or when the service may not know it. Throws `envelope_malformed` for a handle. */
  readonly show: (presentation: Presentation, isWhole: boolean) => Shown;
  readonly note: (chain: readonly string[]) => void;
}

const REMEMBERED = 1000;

export function createKnownChains(): KnownChains {
  const known = createLru<string, true>(REMEMBERED);
  const hashes = new WeakMap<readonly string[], string>();
  const hashOf = (chain: readonly string[]): string => {
    let hash = hashes.get(chain);
    if (hash !== undefined) return hash;
    hash = chainHashOf(chain);
    // Any other list could be another chain by the next time.
    if (Object.isFrozen(chain)) hashes.set(chain, hash);
    return hash;
  };
  return Object.freeze<KnownChains>({
    show: (presentation, isWhole) => {
      if (presentation.kind !== "chain") throw new AmbitError("envelope_malformed", "a handle is good in the process that gave it out only");
      const { chain, pop } = presentation;
      const chainHash = hashOf(chain);
      return isWhole || known.get(chainHash) === undefined ? { chain, pop } : { chainHash, pop };
    },
    note: (chain) => known.set(hashOf(chain), true),
  });
}
