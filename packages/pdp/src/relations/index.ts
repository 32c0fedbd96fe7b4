/**
 * Relations between users, agents and objects: a model, a tuple store, and the answers that follow from both.
 *
 * @module
 */
export { createRelations, type FoundSubjects, type RelationLimits, type Relations, type RelationsOptions } from "./relations.ts";
export { createMemoryRelations } from "./memory-relations.ts";
export { parseRelationModel } from "./parse-model.ts";
export { relationNames, type RelationModel } from "./model.ts";
export type { Changes, Everyone, ObjectRef, Tuple, TupleSubject, Userset } from "./tuple.ts";

// What another store is made of.
export type { Relevance, RelationStore, TuplePage } from "./relation-store.ts";
