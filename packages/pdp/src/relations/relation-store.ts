import type { TupleGraph } from "./tuple-graph.ts";
import type { Changes, ObjectRef, Tuple } from "./tuple.ts";

/** Tuples as they were at one moment. */
export interface TuplePage {
  readonly revision: number;
  /** All that were asked for, or more than the limit: then some are missing. */
  readonly tuples: readonly Tuple[];
}

/** Which tuples matter to a check: those that name its subject, everyone or a userset, and those of relations that lead on. */
export interface Relevance {
  readonly subject: ObjectRef;
  readonly tuplesets: readonly string[];
}

/**
 * Where tuples are kept. It knows no model: what it is given has been checked. INVARIANT I12: the tenant is part of every key. INVARIANT I14: names compare
 * exactly. Whatever a method rejects with is a deny.
 */
export interface RelationStore {
  /** All of it or nothing; adding what is there and removing what is not changes nothing. Answers the revision of the tenant afterwards. */
  write(tenantId: string, changes: Required<Changes>): Promise<number>;
  /** 0 for a tenant without any; grows with every write that changes something, for as long as the store is kept. */
  revision(tenantId: string): Promise<number>;
  /** The tuples of these objects; all, if nothing says which matter. At most `most` + 1 of them. */
  below(tenantId: string, objects: readonly ObjectRef[], most: number, relevance?: Relevance): Promise<TuplePage>;
  /** The tuples that name these subjects, or usersets of them, or everyone of a type. At most `most` + 1. */
  above(tenantId: string, subjects: readonly ObjectRef[], everyone: readonly string[], most: number): Promise<TuplePage>;
  /** All tuples of the tenant, where this process has them: checks then ask nobody. */
  readonly graphOf?: (tenantId: string) => TupleGraph | undefined;
}

/** Tuples that processes share. */
export interface SharedRelations extends RelationStore {
  /** Lets go of files and connections; whatever is asked afterwards is rejected. */
  close(): Promise<void>;
}
