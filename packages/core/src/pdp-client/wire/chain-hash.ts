import { digestOf } from "../../data/digest.ts";

/** What stands for a chain that the other side has seen: one chain for each digest, whatever its tokens are. */
export function chainHashOf(chain: readonly string[]): string {
  return digestOf(chain);
}
