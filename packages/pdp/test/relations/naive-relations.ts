import type { ObjectRef, Tuple } from "../../src/relations/index.ts";

/** A model as it is written. */
export type WrittenExpression =
  | string
  | readonly string[]
  | { readonly any: readonly WrittenExpression[] }
  | { readonly all: readonly WrittenExpression[] }
  | { readonly base: WrittenExpression; readonly except: WrittenExpression }
  | { readonly relation: string; readonly from: string };
export type WrittenTypes = Readonly<Record<string, Readonly<Record<string, WrittenExpression>>>>;

/** The subjects that have a relation to an object, a bit each. */
type Extension = ReadonlyMap<string, number>;

const nameOf = ({ type, id }: ObjectRef, relation: string): string => JSON.stringify([type, id, relation]);

/**
 * What a model and tuples mean, from the written model: sets of subjects, made larger until nothing changes. What is taken away is first taken to be everything
 * and then what remained of it, in turn, until both agree (the well-founded model). Shares nothing with the engine, and knows no depth and no order.
 */
export function naiveRelations(
  types: WrittenTypes,
  tuples: readonly Tuple[],
  universe: readonly ObjectRef[],
): (subject: ObjectRef, relation: string, object: ObjectRef) => boolean {
  const bitOf = (ref: ObjectRef): number => 1 << universe.findIndex(({ type, id }) => type === ref.type && id === ref.id);
  const everyoneOf = (type: string): number => universe.filter((ref) => ref.type === type).reduce((bits, ref) => bits | bitOf(ref), 0);
  const stored = (object: ObjectRef, relation: string): readonly Tuple[] =>
    tuples.filter((tuple) => tuple.relation === relation && tuple.object.type === object.type && tuple.object.id === object.id);

  const extensionOf = (expression: WrittenExpression, object: ObjectRef, relation: string, now: Extension, against: Extension): number => {
    if (typeof expression === "string") return now.get(nameOf(object, expression)) ?? 0;
    if (Array.isArray(expression)) {
      const list = expression as readonly string[];
      return stored(object, relation).reduce((bits, { subject }) => {
        if ("everyone" in subject) return bits | (list.includes(`${subject.type}:*`) ? everyoneOf(subject.type) : 0);
        if ("relation" in subject) return bits | (list.includes(`${subject.type}#${subject.relation}`) ? (now.get(nameOf(subject, subject.relation)) ?? 0) : 0);
        return bits | (list.includes(subject.type) ? bitOf(subject) : 0);
      }, 0);
    }
    const written = expression as Exclude<WrittenExpression, string | readonly string[]>;
    if ("any" in written) return written.any.reduce((bits, operand) => bits | extensionOf(operand, object, relation, now, against), 0);
    if ("all" in written) return written.all.reduce((bits, operand) => bits & extensionOf(operand, object, relation, now, against), -1);
    if ("base" in written) return extensionOf(written.base, object, relation, now, against) & ~extensionOf(written.except, object, relation, against, now);
    const list = (types[object.type]?.[written.from] ?? []) as readonly string[];
    return stored(object, written.from).reduce(
      (bits, { subject }) =>
        bits | ("id" in subject && !("relation" in subject) && list.includes(subject.type) ? (now.get(nameOf(subject, written.relation)) ?? 0) : 0),
      0,
    );
  };

  const least = (against: Extension): Extension => {
    let now: Extension = new Map();
    for (;;) {
      const next = new Map<string, number>();
      for (const object of universe) {
        for (const [relation, expression] of Object.entries(types[object.type] ?? {})) {
          next.set(nameOf(object, relation), extensionOf(expression, object, relation, now, against));
        }
      }
      if (isSame(next, now)) return now;
      now = next;
    }
  };

  let certain: Extension = new Map();
  for (;;) {
    const possible = least(certain);
    const next = least(possible);
    if (isSame(next, certain)) {
      if (!isSame(possible, certain)) throw new Error("the model leaves something undecided");
      return (subject, relation, object) => ((certain.get(nameOf(object, relation)) ?? 0) & bitOf(subject)) !== 0;
    }
    certain = next;
  }
}

function isSame(one: Extension, other: Extension): boolean {
  return [...new Set([...one.keys(), ...other.keys()])].every((name) => (one.get(name) ?? 0) === (other.get(name) ?? 0));
}

/** Whether a model means something at all, by which relation depends on which: a table that is closed under composition. */
export function naiveIsSound(types: WrittenTypes): boolean {
  const relations = Object.entries(types).flatMap(([type, ofType]) => Object.keys(ofType).map((name) => `${type}#${name}`));
  const written = new Map(relations.map((name) => [name, types[name.split("#")[0] as string]?.[name.split("#")[1] as string] as WrittenExpression]));
  const depends = new Set<string>();
  const takes = new Set<string>();
  const possible = new Set<string>();
  let isSound = true;

  const visit = (name: string, expression: WrittenExpression, isTaken: boolean): ((known: ReadonlySet<string>) => boolean) => {
    const [type = ""] = name.split("#");
    const on = (other: string): ((known: ReadonlySet<string>) => boolean) => {
      if (!written.has(other)) isSound = false;
      depends.add(`${name} ${other}`);
      if (isTaken) takes.add(`${name} ${other}`);
      return (known) => known.has(other);
    };
    if (typeof expression === "string") return on(`${type}#${expression}`);
    if (Array.isArray(expression)) {
      const list = (expression as readonly string[]).map((entry) => (entry.includes("#") ? on(entry) : () => true));
      return (known) => list.some((entry) => entry(known));
    }
    const object = expression as Exclude<WrittenExpression, string | readonly string[]>;
    if ("any" in object || "all" in object) {
      const operands = ("any" in object ? object.any : object.all).map((operand) => visit(name, operand, isTaken));
      return (known) => ("any" in object ? operands.some((operand) => operand(known)) : operands.every((operand) => operand(known)));
    }
    if ("base" in object) {
      visit(name, object.except, true);
      return visit(name, object.base, isTaken);
    }
    const from = types[type]?.[object.from];
    if (!Array.isArray(from) || from.some((entry: string) => entry.includes("#") || entry.includes(":"))) {
      isSound = false;
      return () => true;
    }
    const targets = (from as readonly string[]).map((entry) => `${entry}#${object.relation}`).filter((entry) => written.has(entry));
    if (targets.length === 0) isSound = false;
    const followed = targets.map(on);
    return (known) => followed.some((entry) => entry(known));
  };
  const tests = relations.map((name) => [name, visit(name, written.get(name) as WrittenExpression, false)] as const);
  for (let round = 0; round < relations.length; round++) for (const [name, test] of tests) if (test(possible)) possible.add(name);
  for (const middle of relations)
    for (const first of relations)
      for (const last of relations) if (depends.has(`${first} ${middle}`) && depends.has(`${middle} ${last}`)) depends.add(`${first} ${last}`);
  for (const pair of takes) {
    const [first, second] = pair.split(" ") as [string, string];
    if (first === second || depends.has(`${second} ${first}`)) isSound = false;
  }
  return isSound && relations.every((name) => possible.has(name));
}
