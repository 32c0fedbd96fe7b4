import type { PurposeTree } from "./purposes.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** What two envelopes are compared by. The root of a lineage pins both digests. */
export interface Order {
  readonly vocabulary: Vocabulary;
  readonly purposes: PurposeTree;
}
