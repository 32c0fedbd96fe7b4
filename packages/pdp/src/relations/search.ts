import { beyond } from "./check.ts";
import type { TuplePage } from "./relation-store.ts";
import { addNode, addTuple, createTupleGraph, type TupleGraph } from "./tuple-graph.ts";
import type { ObjectRef } from "./tuple.ts";

/** Refs, each once, in the order they were met. Types and ids are kept apart, so that no id can look like another one of another type. */
interface Refs {
  /** Whether it was not there. */
  add(ref: ObjectRef): boolean;
  ofType(type: string): readonly string[];
  readonly size: number;
}

function createRefs(): Refs {
  const ids = new Map<string, Set<string>>();
  let size = 0;
  return {
    add: ({ type, id }) => {
      const ofType = ids.get(type) ?? new Set<string>();
      ids.set(type, ofType);
      if (ofType.has(id)) return false;
      ofType.add(id);
      size += 1;
      return true;
    },
    ofType: (type) => [...(ids.get(type) ?? [])].sort(),
    get size() {
      return size;
    },
  };
}

/**
 * Every object of a type that a subject could have a relation to: those that tuples lead to from it, whatever the relations. More than there are, never fewer:
 * each way to hold begins with a tuple that names the subject or everyone of its type.
 */
export async function objectsAbove(
  read: (subjects: readonly ObjectRef[], everyone: readonly string[], most: number) => Promise<TuplePage>,
  subject: ObjectRef,
  type: string,
  most: number,
): Promise<readonly ObjectRef[]> {
  const met = createRefs();
  let left = most;
  let everyone = [subject.type];
  for (let wanted: readonly ObjectRef[] = [subject]; wanted.length > 0; everyone = []) {
    const { tuples } = await read(wanted, everyone, left);
    left -= tuples.length;
    if (left < 0) throw beyond(`a search goes through more than ${most} tuples`);
    wanted = tuples.map(({ object }) => object).filter((object) => met.add(object));
  }
  return met.ofType(type).map((id) => ({ type, id }));
}

/** All tuples that an object's relations can depend on, and the subjects of a type that they name; `undefined` if they changed while they were read. */
export async function tuplesBelow(
  read: (objects: readonly ObjectRef[], most: number) => Promise<TuplePage>,
  object: ObjectRef,
  type: string,
  most: number,
): Promise<{ readonly graph: TupleGraph; readonly subjects: readonly ObjectRef[] } | undefined> {
  const graph = createTupleGraph();
  const met = createRefs();
  let left = most;
  let first: number | undefined;
  met.add(object);
  for (let wanted: readonly ObjectRef[] = [object]; wanted.length > 0;) {
    const { revision, tuples } = await read(wanted, left);
    if (revision !== (first ??= revision)) return undefined;
    left -= tuples.length;
    if (left < 0) throw beyond(`a search goes through more than ${most} tuples`);
    for (const ref of wanted) addNode(graph, ref, true);
    for (const tuple of tuples) addTuple(graph, tuple);
    wanted = tuples.flatMap(({ subject }) => ("id" in subject && met.add(subject) ? [{ type: subject.type, id: subject.id }] : []));
  }
  return { graph, subjects: met.ofType(type).map((id) => ({ type, id })) };
}
