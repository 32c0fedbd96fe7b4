import type { ObjectRef, Tuple, TupleSubject } from "../../src/relations/index.ts";
import { randomOf, type Random } from "../../../core/test/deep/random.ts";
import type { WrittenExpression, WrittenTypes } from "./naive-relations.ts";

export interface Universe {
  readonly types: WrittenTypes;
  readonly refs: readonly ObjectRef[];
  readonly tuples: readonly Tuple[];
  readonly random: Random;
}

/** The last of each type is one that no tuple names. Ids are names that objects inherit, or that mean something when names are glued together. */
const REFS: readonly ObjectRef[] = [
  ...["*", "constructor", "nobody"].map((id) => ({ type: "user", id })),
  ...["g", "g#member", "__proto__", "none"].map((id) => ({ type: "group", id })),
  ...["d", "d:1", "D", "nothing"].map((id) => ({ type: "Doc", id })),
];
const UNNAMED = ["nobody", "none", "nothing"];
const NAMED = REFS.filter(({ id }) => !UNNAMED.includes(id));
const RELATIONS = ["member", "owner", "editor", "blocked"];

/** A model, mostly of a sound one's form, and tuples that it has a place for, or not. */
export function randomUniverse(seed: number, index: number): Universe {
  const random = randomOf(seed, index);
  const types = randomTypes(random);
  const tuples = Array.from({ length: 6 + random.below(24) }, () => randomTuple(random, types));
  return { types, refs: REFS, tuples, random };
}

/** Seven in eight keep what is taken away apart from the rest, and begin every relation with tuples: most of those mean something. */
function randomTypes(random: Random): WrittenTypes {
  const isCareful = random.below(8) > 0;
  const names = { group: ["member", "blocked", ...random.some(["owner"], 30)], Doc: ["owner", "blocked", ...random.some(["member", "editor"], 70)] };
  const parents = random.pick([["group"], ["Doc"], ["group", "Doc"]] as const);
  const others = (type: "group" | "Doc"): readonly string[] => (isCareful ? names[type].filter((name) => name !== "blocked") : names[type]);
  const entry = (): string => {
    const type = random.pick(["group", "Doc"] as const);
    return random.pick(["user", "user", "user:*", "user:*", "group", "group#member", `${type}#${random.pick(others(type))}`]);
  };
  const listOf = (): readonly string[] => [...new Set(Array.from({ length: 1 + random.below(3) }, entry))];
  const takenAway = (): WrittenExpression => (random.chance(80) ? "blocked" : { relation: "blocked", from: "parent" });
  const expressionOf = (type: "group" | "Doc", depth: number): WrittenExpression => {
    const kind = random.below(depth > 2 ? 3 : 8);
    if (kind < 2) return random.pick(others(type));
    if (kind < 3) return { relation: random.pick(names[random.pick(parents)]), from: isCareful || random.chance(90) ? "parent" : random.pick(names[type]) };
    const one = expressionOf(type, depth + 1);
    if (kind < 5) return { base: one, except: isCareful ? takenAway() : expressionOf(type, depth + 1) };
    if (kind < 6) return { all: [one, expressionOf(type, depth + 1)] };
    return { any: [one, expressionOf(type, depth + 1), ...(random.chance(20) ? [expressionOf(type, depth + 1)] : [])] };
  };
  const relationOf = (type: "group" | "Doc", name: string): WrittenExpression => {
    if (isCareful && name === "blocked") return random.pick([["user"], ["user"], ["user:*", "user"], ["user", `${type}#blocked`]]);
    if (isCareful || random.chance(50)) {
      const [one, other] = random.chance(50) ? [listOf(), expressionOf(type, 0)] : [expressionOf(type, 0), listOf()];
      return random.pick([
        listOf(),
        { any: [one, other] },
        { any: [one, other] },
        { base: { any: [one, other] }, except: isCareful ? takenAway() : "blocked" },
      ]);
    }
    return expressionOf(type, 0);
  };
  const ofType = (type: "group" | "Doc"): Record<string, WrittenExpression> => ({
    ...Object.fromEntries(names[type].map((name) => [name, relationOf(type, name)])),
    parent: parents,
  });
  return { user: {}, group: ofType("group"), Doc: ofType("Doc") };
}

function randomTuple(random: Random, types: WrittenTypes): Tuple {
  const object = random.pick(NAMED.filter(({ type }) => type !== "user"));
  const names = Object.keys(types[object.type] ?? {});
  const relation = random.chance(25) ? "parent" : random.chance(20) ? "blocked" : random.pick(names);
  const isUser = relation !== "parent" && random.chance(60);
  const subject = random.pick(NAMED.filter(({ type }) => (type === "user") === isUser));
  const subjects: readonly TupleSubject[] = [subject, { ...subject, relation: random.pick(RELATIONS) }, { type: "user", everyone: true }];
  return { object, relation, subject: (relation === "parent" || isUser) && random.chance(60) ? subject : random.pick(subjects) };
}
