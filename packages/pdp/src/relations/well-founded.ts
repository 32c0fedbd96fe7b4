import type { Expression, Relation, RelationModel } from "./model.ts";

/** Something that a relation depends on. */
interface Dependency {
  readonly on: Relation;
  /** It takes away: the more it holds, the less does the relation. */
  readonly isTakenAway: boolean;
}

/**
 * Whether a model means something. A relation that is taken away from itself, however far around, would hold if it did not; one that only leads back to itself
 * never holds, and whoever wrote it meant something else.
 */
export function checkModel(model: RelationModel, fail: (relation: Relation, reason: string) => void): void {
  const relations = [...model.types.values()].flatMap((ofType) => [...ofType.values()]);
  const dependencies = new Map(relations.map((relation) => [relation, dependenciesOf(relation.expression)]));
  for (const relation of relations) {
    for (const { on, isTakenAway } of dependencies.get(relation) ?? []) {
      if (isTakenAway && leadsTo(dependencies, on, relation)) fail(relation, `is taken away from itself: \`${on.type}#${on.name}\` depends on it`);
    }
  }
  const possible = possibleRelations(relations);
  for (const relation of relations) if (!possible.has(relation)) fail(relation, "can never hold: it only leads back to itself");
}

function dependenciesOf(expression: Expression, isTakenAway = false): readonly Dependency[] {
  switch (expression.kind) {
    case "direct":
      return [...expression.usersets.values()].flatMap((ofType) => [...ofType.values()].map((on) => ({ on, isTakenAway })));
    case "computed":
      return [{ on: expression.relation, isTakenAway }];
    case "from":
      return [...expression.targets.values()].map((on) => ({ on, isTakenAway }));
    case "any":
    case "all":
      return expression.operands.flatMap((operand) => dependenciesOf(operand, isTakenAway));
    case "exclusion":
      // What is taken away from what is taken away counts as taken away: stricter than it would have to be, and one rule.
      return [...dependenciesOf(expression.base, isTakenAway), ...dependenciesOf(expression.except, true)];
  }
}

function leadsTo(dependencies: ReadonlyMap<Relation, readonly Dependency[]>, from: Relation, to: Relation): boolean {
  const seen = new Set([from]);
  for (const relation of seen) for (const { on } of dependencies.get(relation) ?? []) seen.add(on);
  return seen.has(to);
}

/** Relations that some tuples could make hold. */
function possibleRelations(relations: readonly Relation[]): ReadonlySet<Relation> {
  const possible = new Set<Relation>();
  const isPossible = (expression: Expression): boolean => {
    switch (expression.kind) {
      case "direct":
        return (
          expression.types.size > 0 ||
          expression.everyone.size > 0 ||
          [...expression.usersets.values()].some((of) => [...of.values()].some((on) => possible.has(on)))
        );
      case "computed":
        return possible.has(expression.relation);
      case "from":
        return [...expression.targets.values()].some((on) => possible.has(on));
      case "any":
        return expression.operands.some(isPossible);
      case "all":
        return expression.operands.every(isPossible);
      case "exclusion":
        return isPossible(expression.base);
    }
  };
  for (let before = -1; before < possible.size;) {
    before = possible.size;
    for (const relation of relations) if (isPossible(relation.expression)) possible.add(relation);
  }
  return possible;
}
