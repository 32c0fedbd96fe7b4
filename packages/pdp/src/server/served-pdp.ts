import type { Pdp } from "@ambit/core";
import type { Counter } from "../counter.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Revocation } from "../lifecycle/revoke.ts";

/** What the service serves: an `EmbeddedPdp`. */
export interface ServedPdp extends Pdp {
  revoke(revocation: Revocation): Promise<void>;
  /** The tenant of a chain, expired or not; `undefined` for what is none. */
  tenantOf(chain: readonly string[]): Promise<string | undefined>;
  /** Lets something be used once by all decision points over one store together, until a time in milliseconds since the epoch: `false` when it was used before. Rejects when that cannot be told. */
  useOnce(key: string, until: number): Promise<boolean>;
  /** What it counts besides its answers, for `/metrics`. */
  counters?(): readonly Counter[];
  /** What the digests of the terms are made of. */
  catalogue(): Catalogue;
}
