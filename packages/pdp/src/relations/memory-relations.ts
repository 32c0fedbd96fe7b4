import type { Relevance, RelationStore, TuplePage } from "./relation-store.ts";
import { addTuple, createTupleGraph, nodeOf, removeTuple, tuplesOf, type GraphNode, type TupleGraph } from "./tuple-graph.ts";
import type { ObjectRef, Tuple } from "./tuple.ts";

/** Tuples in the memory of this process. */
export function createMemoryRelations(): RelationStore {
  const graphs = new Map<string, { readonly graph: TupleGraph; revision: number }>();
  const entryOf = (tenantId: string): { readonly graph: TupleGraph; revision: number } => graphs.get(tenantId) ?? { graph: EMPTY, revision: 0 };
  const pageOf = (tenantId: string, tuples: Iterable<Tuple>, most: number): TuplePage => {
    const page: Tuple[] = [];
    for (const tuple of tuples) if (page.push(tuple) > most) break;
    return { revision: entryOf(tenantId).revision, tuples: page };
  };
  return Object.freeze<RelationStore>({
    write: async (tenantId, { add, remove }) => {
      const entry = graphs.get(tenantId) ?? { graph: createTupleGraph(), revision: 0 };
      graphs.set(tenantId, entry);
      let isChanged = false;
      for (const tuple of remove) isChanged = removeTuple(entry.graph, tuple) || isChanged;
      for (const tuple of add) isChanged = addTuple(entry.graph, tuple) || isChanged;
      if (isChanged) entry.revision += 1;
      return entry.revision;
    },
    revision: async (tenantId) => entryOf(tenantId).revision,
    below: async (tenantId, objects, most, relevance) => pageOf(tenantId, tuplesBelow(entryOf(tenantId).graph, objects, relevance), most),
    above: async (tenantId, subjects, everyone, most) => pageOf(tenantId, tuplesAbove(entryOf(tenantId).graph, subjects, everyone), most),
    graphOf: (tenantId) => graphs.get(tenantId)?.graph ?? EMPTY,
  });
}

const EMPTY = createTupleGraph();

function* tuplesBelow(graph: TupleGraph, objects: readonly ObjectRef[], relevance: Relevance | undefined): Iterable<Tuple> {
  for (const object of objects) {
    const node = nodeOf(graph, object);
    if (node === undefined) continue;
    for (const tuple of tuplesOf(node)) if (relevance === undefined || isRelevant(tuple, relevance)) yield tuple;
  }
}

function isRelevant({ relation, subject }: Tuple, { subject: asked, tuplesets }: Relevance): boolean {
  if (!("id" in subject) || "relation" in subject || tuplesets.includes(relation)) return true;
  return subject.type === asked.type && subject.id === asked.id;
}

function* tuplesAbove(graph: TupleGraph, subjects: readonly ObjectRef[], everyone: readonly string[]): Iterable<Tuple> {
  const named = new Set(subjects.map((subject) => nodeOf(graph, subject)));
  const above = new Set<GraphNode>();
  for (const node of named) for (const object of node?.above.keys() ?? []) above.add(object);
  for (const type of everyone) for (const object of graph.aboveEveryone.get(type)?.keys() ?? []) above.add(object);
  for (const node of above) {
    for (const tuple of tuplesOf(node)) {
      const { subject } = tuple;
      if ("everyone" in subject ? everyone.includes(subject.type) : named.has(nodeOf(graph, subject))) yield tuple;
    }
  }
}
