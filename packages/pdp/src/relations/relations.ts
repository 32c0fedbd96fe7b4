import { AmbitError } from "@ambit/core";
import { beyond, isHeld, questionAbout, relationsHeld, type CheckLimits, type Questioning } from "./check.ts";
import { relationNames, type Relation, type RelationModel } from "./model.ts";
import { isObjectId, isTenantId } from "./names.ts";
import type { RelationStore } from "./relation-store.ts";
import { objectsAbove, tuplesBelow } from "./search.ts";
import { steady } from "./steady.ts";
import { addNode, addTuple, createTupleGraph, type TupleGraph } from "./tuple-graph.ts";
import { readChanges, type Changes, type ObjectRef } from "./tuple.ts";

export interface RelationLimits extends CheckLimits {
  /** Objects, and tuples, that one search goes through, and that a check loads from a store that is elsewhere. */
  readonly found: number;
}

export interface RelationsOptions {
  readonly model: RelationModel;
  readonly store: RelationStore;
  /** @defaultValue 64 relations deep, 100,000 steps, 10,000 found */
  readonly limits?: Partial<RelationLimits>;
}

/** Whom a search found. */
export interface FoundSubjects {
  /** Ids of subjects that tuples name, sorted. */
  readonly ids: readonly string[];
  /** Everyone of the type that was not looked at has the relation as well: subjects that a tuple names and that are not in `ids` were looked at. */
  readonly others: boolean;
  /** Ids of subjects that were looked at and do not have the relation: exceptions from `others`. */
  readonly except: readonly string[];
}

/**
 * Who is what to which object. INVARIANT I12: nothing is asked, found or written without a tenant.
 *
 * Rejects with `option_invalid` for what is no question (types and relations that the model does not have, ids that are no text), with `policy_error` past a
 * limit, and with what the store rejects with. Whoever decides takes every rejection as a deny.
 */
export interface Relations {
  readonly model: RelationModel;
  /** Whether the subject has the relation to the object. */
  check(tenantId: string, subject: ObjectRef, relation: string, object: ObjectRef): Promise<boolean>;
  /** Every relation of the object's type, and whether the subject has it; of a type without relations nothing. */
  relationsOf(tenantId: string, subject: ObjectRef, object: ObjectRef): Promise<Readonly<Record<string, boolean>>>;
  /** Ids of the objects of a type to which the subject has the relation, sorted. */
  listObjects(tenantId: string, subject: ObjectRef, relation: string, type: string): Promise<readonly string[]>;
  /** The subjects of a type that have the relation to the object. */
  listSubjects(tenantId: string, type: string, relation: string, object: ObjectRef): Promise<FoundSubjects>;
  /** Writes all or nothing, and answers the revision afterwards. Refuses (`option_invalid`) what the model has no place for. */
  write(tenantId: string, changes: Changes): Promise<number>;
  /** Grows with every change of the tenant's tuples. */
  revision(tenantId: string): Promise<number>;
}

/** The most that a limit can be set to: deeper, and the engine itself would run out of stack. */
const HIGHEST: RelationLimits = { depth: 256, steps: 100_000_000, found: 1_000_000 };
const LIMITS: RelationLimits = { depth: 64, steps: 100_000, found: 10_000 };

export function createRelations({ model, store, limits: given = {} }: RelationsOptions): Relations {
  const limits = limitsOf(given);
  const tuplesets = [...model.tuplesets];

  /** Asks where all tuples are, or loads what matters, level by level, until nothing is missing. */
  const ask = async <T>(
    tenantId: string,
    subject: ObjectRef,
    objects: readonly ObjectRef[],
    answer: (graph: TupleGraph, question: Questioning) => T,
  ): Promise<T> => {
    const graph = store.graphOf?.(tenantId);
    if (graph !== undefined) return answer(graph, questionAbout(graph, subject, limits));
    return (await steady(() => load(tenantId, subject, objects, answer))).answer;
  };

  /** `undefined` if the tuples changed meanwhile: an answer that mixes two moments was true at neither. */
  const load = async <T>(
    tenantId: string,
    subject: ObjectRef,
    objects: readonly ObjectRef[],
    answer: (graph: TupleGraph, question: Questioning) => T,
  ): Promise<{ readonly answer: T } | undefined> => {
    const graph = createTupleGraph();
    let wanted: readonly ObjectRef[] = objects;
    let revision: number | undefined;
    let found = 0;
    for (;;) {
      const page = await store.below(tenantId, wanted, limits.found - found, { subject, tuplesets });
      if (revision !== undefined && page.revision !== revision) return undefined;
      revision = page.revision;
      found += page.tuples.length;
      if (found > limits.found) throw beyond(`a question about relations needs more than ${limits.found} tuples`);
      for (const object of wanted) addNode(graph, object, true).isLoaded = true;
      for (const tuple of page.tuples) addTuple(graph, tuple, false);
      const question = questionAbout(graph, subject, limits);
      let result: { readonly answer: T } | undefined;
      try {
        result = { answer: answer(graph, question) };
      } catch (error) {
        // With tuples missing it went ways that it may not have to go.
        if (question.missing.size === 0) throw error;
      }
      if (result !== undefined && question.missing.size === 0) return result;
      wanted = [...question.missing].map(({ type, id }) => ({ type, id }));
    }
  };

  const relationOf = (type: string, name: string): Relation => {
    const relation = model.types.get(type)?.get(name);
    if (relation === undefined) throw new AmbitError("option_invalid", `\`${String(type).slice(0, 64)}\` has no relation \`${String(name).slice(0, 64)}\``);
    return relation;
  };

  return Object.freeze<Relations>({
    model,
    check: async (tenantId, subject, name, object) => {
      const [who, what] = [checked(tenantId, subject), checked(tenantId, object)];
      const relation = relationOf(what.type, name);
      return isObjectId(who.id) && isObjectId(what.id) && ask(tenantId, who, [what], (graph, question) => isHeld(graph, question, relation, what));
    },
    relationsOf: async (tenantId, subject, object) => {
      const [who, what] = [checked(tenantId, subject), checked(tenantId, object)];
      const isStored = isObjectId(who.id) && isObjectId(what.id);
      if (!isStored || !model.types.has(what.type)) return Object.freeze(Object.fromEntries(relationNames(model, what.type).map((name) => [name, false])));
      return ask(tenantId, who, [what], (graph, question) => relationsHeld(graph, model, question, what));
    },
    listObjects: async (tenantId, subject, name, type) => {
      const who = checked(tenantId, subject);
      const relation = relationOf(type, name);
      if (!isObjectId(who.id)) return [];
      const found = await objectsAbove((subjects, everyone, most) => store.above(tenantId, subjects, everyone, most), who, type, limits.found);
      return ask(tenantId, who, found, (graph, question) => found.filter((object) => isHeld(graph, question, relation, object)).map(({ id }) => id));
    },
    listSubjects: async (tenantId, type, name, object) => {
      const what = checked(tenantId, object);
      const relation = relationOf(what.type, name);
      if (!model.types.has(type)) throw new AmbitError("option_invalid", `there is no type \`${String(type).slice(0, 64)}\``);
      if (!isObjectId(what.id)) return NOBODY;
      const { graph, subjects } = await steady(() => tuplesBelow((objects, most) => store.below(tenantId, objects, most), what, type, limits.found));
      const isSubject = (subject: ObjectRef): boolean => isHeld(graph, questionAbout(graph, subject, limits), relation, what);
      const ids = subjects.filter(isSubject).map(({ id }) => id);
      // No id is empty: this is somebody whom no tuple names.
      if (!isSubject({ type, id: "" })) return { ids, others: false, except: [] };
      const named = new Set(ids);
      return { ids, others: true, except: subjects.map(({ id }) => id).filter((id) => !named.has(id)) };
    },
    write: async (tenantId, changes) => {
      checkTenant(tenantId);
      return store.write(tenantId, readChanges(model, changes));
    },
    revision: async (tenantId) => {
      checkTenant(tenantId);
      return store.revision(tenantId);
    },
  });
}

const NOBODY: FoundSubjects = Object.freeze({ ids: [], others: false, except: [] });

function limitsOf(given: Partial<RelationLimits>): RelationLimits {
  const limits = { ...LIMITS, ...given };
  for (const name of ["depth", "steps", "found"] as const) {
    const limit = limits[name];
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > HIGHEST[name])
      throw new AmbitError("option_invalid", `the limit \`${name}\` must be a whole number from 1 to ${HIGHEST[name]}`);
  }
  return Object.freeze(limits);
}

function checkTenant(tenantId: unknown): void {
  if (!isTenantId(tenantId)) throw new AmbitError("option_invalid", "a tenant must be named by its id");
}

/** The type and the id alone: whatever else the caller's object has is not looked at again. */
function checked(tenantId: string, { type, id }: ObjectRef): ObjectRef {
  checkTenant(tenantId);
  if (typeof type !== "string" || typeof id !== "string") throw new AmbitError("option_invalid", "a subject or an object has a `type` and an `id`, both text");
  return { type, id };
}
