import type { Order } from "../envelope/order.ts";

/** What the holder of a signed envelope has to know of a decision point to derive from it and to prove a call: all of it public. */
export interface Terms {
  /** What envelopes are compared by. */
  readonly order: Order;
  /** The names of the decision point in `aud` and `aat_aud`; at least one. */
  readonly audience: readonly string[];
  /** The id of the tool that goes by this name at this server, or at none. */
  readonly toolId: (name: string, server: string | undefined) => string | undefined;
  /** The pin of the definition that goes by this name there: `definitionDigest()` of it, or `none` where it is not pinned. */
  readonly pinOf: (name: string, server: string | undefined) => string | undefined;
}
