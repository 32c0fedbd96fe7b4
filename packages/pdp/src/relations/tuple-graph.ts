import type { ObjectRef, Tuple } from "./tuple.ts";

/** What a question found out about one relation of one object. */
export interface Cell {
  /** Of which question: of an earlier one it says nothing. */
  question: number;
  state: "open" | "held" | "denied" | "assumed";
  depth: number;
}

/** Who has a relation to an object, as stored. */
export interface Edges {
  readonly subjects: Set<GraphNode>;
  /** The relations of each object whose subjects have it as well. */
  readonly usersets: Map<GraphNode, Set<string>>;
  readonly everyone: Set<string>;
}

export interface GraphNode {
  readonly type: string;
  readonly id: string;
  /** By relation. */
  readonly edges: Map<string, Edges>;
  /** The objects of the tuples that name this one, with how many do. */
  readonly above: Map<GraphNode, number>;
  /** By the slot of a relation; made when asked. */
  readonly cells: (Cell | undefined)[];
  /** All its tuples are here that matter. Always so where all tuples of the tenant are. */
  isLoaded: boolean;
}

/**
 * The tuples of one tenant, indexed both ways. Objects are found by type and id, each exactly; relations between them are references, so that a check does not
 * look up names.
 */
export interface TupleGraph {
  readonly nodes: Map<string, Map<string, GraphNode>>;
  /** The objects of the tuples that name everyone of a type. */
  readonly aboveEveryone: Map<string, Map<GraphNode, number>>;
  /** Grows with every question. */
  question: number;
}

export function createTupleGraph(): TupleGraph {
  return { nodes: new Map(), aboveEveryone: new Map(), question: 0 };
}

export function nodeOf(graph: TupleGraph, { type, id }: ObjectRef): GraphNode | undefined {
  return graph.nodes.get(type)?.get(id);
}

export function addNode(graph: TupleGraph, { type, id }: ObjectRef, isLoaded: boolean): GraphNode {
  const ofType = entryOf(graph.nodes, type, () => new Map<string, GraphNode>());
  return entryOf(ofType, id, () => ({ type, id, edges: new Map(), above: new Map(), cells: [], isLoaded }));
}

/** Whether it was not there before. */
export function addTuple(graph: TupleGraph, { object, relation, subject }: Tuple, isLoaded = true): boolean {
  const node = addNode(graph, object, isLoaded);
  const edges = entryOf(node.edges, relation, (): Edges => ({ subjects: new Set(), usersets: new Map(), everyone: new Set() }));
  if ("everyone" in subject) {
    if (edges.everyone.has(subject.type)) return false;
    edges.everyone.add(subject.type);
    count(
      entryOf(graph.aboveEveryone, subject.type, () => new Map<GraphNode, number>()),
      node,
      1,
    );
    return true;
  }
  const target = addNode(graph, subject, isLoaded);
  const [set, value] = "relation" in subject ? [entryOf(edges.usersets, target, () => new Set<string>()), subject.relation] : [edges.subjects, target];
  if ((set as Set<unknown>).has(value)) return false;
  (set as Set<unknown>).add(value);
  count(target.above, node, 1);
  return true;
}

/** Whether it was there. Objects that no tuple names any more are forgotten. */
export function removeTuple(graph: TupleGraph, { object, relation, subject }: Tuple): boolean {
  const node = nodeOf(graph, object);
  const edges = node?.edges.get(relation);
  if (node === undefined || edges === undefined) return false;
  if ("everyone" in subject) {
    if (!edges.everyone.delete(subject.type)) return false;
    count(graph.aboveEveryone.get(subject.type), node, -1);
  } else {
    const target = nodeOf(graph, subject);
    if (target === undefined) return false;
    if ("relation" in subject) {
      const relations = edges.usersets.get(target);
      if (relations === undefined || !relations.delete(subject.relation)) return false;
      if (relations.size === 0) edges.usersets.delete(target);
    } else if (!edges.subjects.delete(target)) return false;
    count(target.above, node, -1);
    forget(graph, target);
  }
  if (edges.subjects.size + edges.usersets.size + edges.everyone.size === 0) node.edges.delete(relation);
  forget(graph, node);
  return true;
}

/** The tuples of an object, those of `isWanted` subjects if not all. */
export function* tuplesOf(node: GraphNode): Iterable<Tuple> {
  const object = refOf(node);
  for (const [relation, { subjects, usersets, everyone }] of node.edges) {
    for (const subject of subjects) yield { object, relation, subject: refOf(subject) };
    for (const [target, relations] of usersets) for (const name of relations) yield { object, relation, subject: { ...refOf(target), relation: name } };
    for (const type of everyone) yield { object, relation, subject: { type, everyone: true } };
  }
}

function refOf({ type, id }: GraphNode): ObjectRef {
  return { type, id };
}

function forget(graph: TupleGraph, node: GraphNode): void {
  if (node.edges.size > 0 || node.above.size > 0) return;
  const ofType = graph.nodes.get(node.type);
  ofType?.delete(node.id);
  if (ofType?.size === 0) graph.nodes.delete(node.type);
}

function count(counts: Map<GraphNode, number> | undefined, node: GraphNode, change: number): void {
  const sum = (counts?.get(node) ?? 0) + change;
  if (sum > 0) counts?.set(node, sum);
  else counts?.delete(node);
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
