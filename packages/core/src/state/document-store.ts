import type { JsonObject } from "../data/json.ts";

/** A document as it was last written. */
export interface StoredDocument {
  readonly id: string;
  /** 1 when it was first written, one more each time. */
  readonly version: number;
  readonly content: JsonObject;
}

/**
 * Small documents that processes share and that change seldom: requests for approval, who the users are. Each write says which version it replaces, so that of two
 * who write at the same time one hears of it.
 *
 * A rejection of any method is a deny (`state_unavailable`, I8).
 */
export interface DocumentStore {
  /** INVARIANT I12: the tenant is part of every key. */
  get(tenantId: string, collection: string, id: string): Promise<StoredDocument | undefined>;
  /**
   * Writes when the document is still at `replaces`; 0: when there is none. `false`: it is not, and nothing was written.
   * `keepUntil` (milliseconds since the epoch): when it may be dropped.
   */
  put(tenantId: string, collection: string, id: string, content: JsonObject, replaces: number, keepUntil: number): Promise<boolean>;
  /** The next documents after an id, in the order of their ids (by UTF-16 code units); from the beginning after `""`. */
  list(tenantId: string, collection: string, after: string, limit: number): Promise<readonly StoredDocument[]>;
}
