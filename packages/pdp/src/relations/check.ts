import { AmbitError } from "@ambit/core";
import type { Direct, Expression, From, Relation, RelationModel } from "./model.ts";
import { nodeOf, type Cell, type GraphNode, type TupleGraph } from "./tuple-graph.ts";
import type { ObjectRef } from "./tuple.ts";

export interface CheckLimits {
  /** Relations that one leads to the next. */
  readonly depth: number;
  /** Relations and tuples that one question looks at. */
  readonly steps: number;
}

/** One subject being asked about. What was found out for one relation serves the next. */
export interface Questioning {
  readonly type: string;
  /** Absent where no tuple names the subject: then only what holds for everyone holds for it. */
  readonly node: GraphNode | undefined;
  readonly number: number;
  readonly limits: CheckLimits;
  /** Objects whose tuples are not here. With any of them, the answer is none. */
  readonly missing: Set<GraphNode>;
  steps: number;
  depth: number;
  /** The outermost open relation that an answer of "no" was given because of; `Infinity` for none. */
  reached: number;
  /** Those that were denied only as long as an open relation does not hold. */
  readonly assumed: Cell[];
}

export function questionAbout(graph: TupleGraph, subject: ObjectRef, limits: CheckLimits): Questioning {
  graph.question += 1;
  return {
    type: subject.type,
    node: nodeOf(graph, subject),
    number: graph.question,
    limits,
    missing: new Set(),
    steps: 0,
    depth: 0,
    reached: Number.POSITIVE_INFINITY,
    assumed: [],
  };
}

/**
 * Whether the subject has the relation to an object of the graph.
 *
 * The answer is the least one that agrees with the tuples: a relation that leads back to itself does not hold because of that. It is found depth first. An open
 * relation that is met again counts as "no", and whatever was denied because of it is kept as an assumption only: dropped when the open one turns out to hold,
 * confirmed when it does not. What is taken away never leads back to an open relation (`checkModel`), so it is always decided, not assumed.
 *
 * INVARIANT I1, I9: past a limit it throws (`policy_error`). It never answers "no" then: under an exclusion that would be a "yes".
 */
function holds(question: Questioning, node: GraphNode, relation: Relation): boolean {
  const cell = (node.cells[relation.slot] ??= { question: 0, state: "open", depth: 0 });
  if (cell.question === question.number) {
    if (cell.state === "held") return true;
    // What an assumption rests on may be anywhere above; the outermost open relation is above all of it.
    if (cell.state !== "denied") question.reached = Math.min(question.reached, cell.state === "open" ? cell.depth : 0);
    return false;
  }
  if (!node.isLoaded) {
    question.missing.add(node);
    return false;
  }
  const { depth, reached, assumed } = question;
  step(question);
  if (depth >= question.limits.depth) throw beyond(`more than ${question.limits.depth} relations lead from one to the next`);
  const first = assumed.length;
  cell.question = question.number;
  cell.state = "open";
  cell.depth = depth;
  question.depth = depth + 1;
  question.reached = Number.POSITIVE_INFINITY;
  const answer = evaluate(question, node, relation, relation.expression);
  const because = question.reached;
  question.depth = depth;
  question.reached = reached;
  if (answer) {
    for (let index = first; index < assumed.length; index++) (assumed[index] as Cell).question = 0;
    assumed.length = first;
    cell.state = "held";
  } else if (because >= depth) {
    for (let index = first; index < assumed.length; index++) (assumed[index] as Cell).state = "denied";
    assumed.length = first;
    cell.state = "denied";
  } else {
    assumed.push(cell);
    cell.state = "assumed";
    question.reached = Math.min(reached, because);
  }
  return answer;
}

function evaluate(question: Questioning, node: GraphNode, relation: Relation, expression: Expression): boolean {
  switch (expression.kind) {
    case "direct":
      return isDirect(question, node, relation, expression);
    case "computed":
      return holds(question, node, expression.relation);
    case "from":
      return isFrom(question, node, expression);
    case "any":
      for (const operand of expression.operands) if (evaluate(question, node, relation, operand)) return true;
      return false;
    case "all":
      for (const operand of expression.operands) if (!evaluate(question, node, relation, operand)) return false;
      return true;
    case "exclusion":
      return evaluate(question, node, relation, expression.base) && !evaluate(question, node, relation, expression.except);
  }
}

/** Tuples of a subject that the model has no place for (any more) are as good as not there. */
function isDirect(question: Questioning, node: GraphNode, relation: Relation, { types, everyone, usersets }: Direct): boolean {
  const edges = node.edges.get(relation.name);
  if (edges === undefined) return false;
  const { type, node: subject } = question;
  if (subject !== undefined && types.has(type) && edges.subjects.has(subject)) return true;
  if (everyone.has(type) && edges.everyone.has(type)) return true;
  for (const [target, names] of edges.usersets) {
    const relations = usersets.get(target.type);
    for (const name of names) {
      step(question);
      const next = relations?.get(name);
      if (next !== undefined && holds(question, target, next)) return true;
    }
  }
  return false;
}

function isFrom(question: Questioning, node: GraphNode, { tupleset, targets }: From): boolean {
  const edges = node.edges.get(tupleset);
  if (edges === undefined) return false;
  for (const target of edges.subjects) {
    step(question);
    const next = targets.get(target.type);
    if (next !== undefined && holds(question, target, next)) return true;
  }
  return false;
}

function step(question: Questioning): void {
  if (++question.steps > question.limits.steps) throw beyond(`a question about relations looks at more than ${question.limits.steps} of them`);
}

/** Nothing that was not looked at counts, in either direction. */
export function beyond(reason: string): AmbitError {
  return new AmbitError("policy_error", reason);
}

/** Whether the subject has one relation, asked by itself. */
export function isHeld(graph: TupleGraph, question: Questioning, relation: Relation, object: ObjectRef): boolean {
  const node = nodeOf(graph, object);
  if (node === undefined) return false;
  question.steps = 0;
  return holds(question, node, relation);
}

/** Every relation of the object's type, by name. */
export function relationsHeld(graph: TupleGraph, model: RelationModel, question: Questioning, object: ObjectRef): Readonly<Record<string, boolean>> {
  const relations = model.types.get(object.type);
  if (relations === undefined) return Object.freeze({});
  const node = nodeOf(graph, object);
  const held: Record<string, boolean> = {};
  for (const [name, relation] of relations) {
    question.steps = 0;
    held[name] = node !== undefined && holds(question, node, relation);
  }
  return Object.freeze(held);
}
