import { digestOf, isMemberName } from "@ambit/core";
import { Reader } from "../config/reader.ts";
import type { Direct, Expression, Relation, RelationModel } from "./model.ts";
import { isTypeName } from "./names.ts";
import { checkModel } from "./well-founded.ts";

const MOST_RELATIONS = 1000;
const MOST_OPERANDS = 64;
const DEEPEST = 8;

/** While references are being resolved: the expression comes last. */
type Draft = { -readonly [Member in keyof Relation]: Relation[Member] };
type Drafts = ReadonlyMap<string, ReadonlyMap<string, Draft>>;

/**
 * Reads a relation model:
 *
 *     { "types": { "user": {}, "group": { "relations": { "member": ["user", "group#member"] } },
 *       "document": { "relations": {
 *         "parent": ["folder"],                                          whoever a tuple names
 *         "owner": ["user"],
 *         "editor": { "any": [["user", "group#member"], "owner"] },      a list: tuples; text: a relation of the same object
 *         "viewer": { "any": [["user:*"], "editor", { "relation": "viewer", "from": "parent" }] },
 *         "blocked": ["user"],
 *         "reader": { "base": "viewer", "except": "blocked" },
 *         "signer": { "all": ["editor", "reader"] } } } } }
 *
 * Refuses (`config_invalid`, with the place) relations and types that are not there, two lists of one relation, a `from` that is anything but a list of objects,
 * a relation that can never hold, and one that is taken away from itself.
 */
export function parseRelationModel(data: unknown, file = "the relations"): RelationModel {
  const reader = new Reader("config_invalid", file, data);
  const drafts = new Map<string, Map<string, Draft>>();
  const places = new Map<Draft, Reader>();
  for (const [type, entry] of reader.members(["types"], ["description"]).at("types").entries()) {
    if (!isTypeName(type)) entry.fail("is not the name of a type: letters, digits and `_`, beginning with a letter, at most 64");
    const relations = new Map<string, Draft>();
    drafts.set(type, relations);
    const written = entry.members([], ["description", "relations"]).at("relations");
    for (const [name, place] of written.isAbsent ? [] : written.entries()) {
      if (!isMemberName(name)) place.fail("is not the name of a relation: snake_case, at most 64");
      const draft: Draft = { type, name, slot: relations.size, expression: NOTHING };
      relations.set(name, draft);
      if (places.set(draft, place).size > MOST_RELATIONS) place.fail(`is one relation too many: there can be ${MOST_RELATIONS}`);
    }
  }
  const tuplesets = new Set<string>();
  for (const [draft, place] of places) draft.expression = readRelation(place, { drafts, places, tuplesets, draft });
  const model: RelationModel = Object.freeze({ types: drafts, tuplesets, digest: digestOf(reader.value) });
  checkModel(model, (relation, reason) => places.get(relation)?.fail(reason));
  return model;
}

const NOTHING: Direct = { kind: "direct", types: new Set(), everyone: new Set(), usersets: new Map() };

interface Context {
  readonly drafts: Drafts;
  readonly places: ReadonlyMap<Draft, Reader>;
  readonly tuplesets: Set<string>;
  /** The relation that is being read. */
  readonly draft: Draft;
}

function readRelation(place: Reader, context: Context): Expression {
  let lists = 0;
  const readExpression = (reader: Reader, depth: number): Expression => {
    if (depth > DEEPEST) reader.fail(`is nested deeper than ${DEEPEST} levels`);
    if (Array.isArray(reader.value)) {
      // Tuples of a relation are stored under its name alone: two lists would speak of the same ones.
      if (++lists > 1) reader.fail("is the second list of one relation; give it a name of its own");
      return readDirect(reader, context);
    }
    if (typeof reader.value === "string") return { kind: "computed", relation: relationOf(reader, context.draft.type, reader.value, context) };
    const object = reader.object();
    for (const kind of ["any", "all"] as const) {
      if (!Object.hasOwn(object, kind)) continue;
      const operands = reader.members([kind]).at(kind).elements();
      if (operands.length < 2 || operands.length > MOST_OPERANDS) reader.at(kind).fail(`must have 2 to ${MOST_OPERANDS} elements`);
      return { kind, operands: operands.map((operand) => readExpression(operand, depth + 1)) };
    }
    if (Object.hasOwn(object, "base")) {
      reader.members(["base", "except"]);
      return { kind: "exclusion", base: readExpression(reader.at("base"), depth + 1), except: readExpression(reader.at("except"), depth + 1) };
    }
    if (Object.hasOwn(object, "from")) return readFrom(reader.members(["relation", "from"]), context);
    return reader.fail("must be a list of types, a relation, or an object with `any`, `all`, `base` and `except`, or `relation` and `from`");
  };
  return readExpression(place, 0);
}

function readDirect(reader: Reader, { drafts, ...context }: Context): Direct {
  const types = new Set<string>();
  const everyone = new Set<string>();
  const usersets = new Map<string, Map<string, Relation>>();
  const elements = reader.elements();
  if (elements.length === 0 || elements.length > MOST_OPERANDS) reader.fail(`must name 1 to ${MOST_OPERANDS} types`);
  for (const element of elements) {
    const [, type = "", mark = "", rest = ""] = /^([^#:]*)([#:]?)(.*)$/s.exec(element.text()) ?? [];
    if (!drafts.has(type)) element.fail("names a type that is not there");
    if (mark === ":" && rest !== "*") element.fail("must be a type, `type:*` or `type#relation`");
    const target = mark === "#" ? relationOf(element, type, rest, { drafts, ...context }) : undefined;
    if (target !== undefined) usersets.set(type, (usersets.get(type) ?? new Map<string, Relation>()).set(rest, target));
    else (mark === ":" ? everyone : types).add(type);
  }
  return { kind: "direct", types, everyone, usersets };
}

function readFrom(reader: Reader, { drafts, places, tuplesets, draft }: Context): Expression {
  const [from, relation] = [reader.at("from"), reader.at("relation")];
  const tupleset = drafts.get(draft.type)?.get(from.text());
  const place = tupleset === undefined ? undefined : places.get(tupleset);
  // Of objects only: what has a relation to a group, or everyone, has no relations of its own that could be followed.
  if (tupleset === undefined || place === undefined || !isListOf(place, drafts))
    return from.fail("must be a relation of the same type that is a list of types");
  const targets = new Map<string, Relation>();
  for (const element of place.elements()) {
    const target = drafts.get(element.text())?.get(relation.text());
    if (target !== undefined) targets.set(target.type, target);
  }
  if (targets.size === 0) relation.fail(`is a relation of nothing that \`${tupleset.name}\` can name`);
  tuplesets.add(tupleset.name);
  return { kind: "from", tupleset: tupleset.name, targets };
}

function isListOf(place: Reader, types: ReadonlyMap<string, unknown>): boolean {
  return Array.isArray(place.value) && place.value.every((element) => typeof element === "string" && types.has(element));
}

function relationOf(reader: Reader, type: string, name: string, { drafts }: Pick<Context, "drafts">): Relation {
  return drafts.get(type)?.get(name) ?? reader.fail(`names the relation \`${name.slice(0, 64)}\`, which \`${type}\` does not have`);
}
