import { AmbitError, copyData, isJsonObject, own, type Json, type JsonObject } from "@ambit/core";
import type { Expression, RelationModel } from "./model.ts";
import { isObjectId, isRelationName, isTypeName } from "./names.ts";

/** An object or a subject. */
export interface ObjectRef {
  readonly type: string;
  readonly id: string;
}

/** Whoever has a relation to an object: `group:eng#member`. */
export interface Userset extends ObjectRef {
  readonly relation: string;
}

/** Everyone of a type, whether heard of or not. A form of its own, so that no id can mean it. */
export interface Everyone {
  readonly type: string;
  readonly everyone: true;
}

export type TupleSubject = ObjectRef | Userset | Everyone;

/** One fact: the subject has the relation to the object. */
export interface Tuple {
  readonly object: ObjectRef;
  readonly relation: string;
  readonly subject: TupleSubject;
}

/** What is written at once, all of it or nothing. */
export interface Changes {
  /** What is there already stays as it is. */
  readonly add?: readonly Tuple[];
  /** What is not there is left out. */
  readonly remove?: readonly Tuple[];
}

/** Tuples of one change at most. */
const MOST_CHANGES = 10_000;

const fail = (reason: string): never => {
  throw new AmbitError("option_invalid", reason);
};

/**
 * Reads changes. Refuses (`option_invalid`) tuples that are malformed, ones to add that the model has no place for, and one that is both to be added and to be
 * removed. What a former model had a place for can be removed.
 */
export function readChanges(model: RelationModel, value: unknown): Required<Changes> {
  const changes = copyData(value, "option_invalid", "the changes", { depth: 6, nodes: 16 * MOST_CHANGES, characters: 1600 * MOST_CHANGES });
  const object = membersOf(changes, [], ["add", "remove"]);
  const [add, remove] = (["add", "remove"] as const).map((member) => tuplesOf(own(object, member) ?? [])) as [Tuple[], Tuple[]];
  if (add.length + remove.length > MOST_CHANGES) fail(`the changes are more than ${MOST_CHANGES}`);
  const removed = new Set(remove.map(keyOf));
  for (const tuple of add) {
    if (!hasPlace(model, tuple)) fail(`the model has no place for ${shown(tuple)}`);
    if (removed.has(keyOf(tuple))) fail(`both added and removed: ${shown(tuple)}`);
  }
  return { add, remove };
}

function tuplesOf(list: Json): Tuple[] {
  if (!Array.isArray(list)) return fail("`add` and `remove` must be lists of tuples");
  return (list as readonly Json[]).map((value) => {
    const { object, relation, subject } = membersOf(value, ["object", "relation", "subject"]);
    if (!isRelationName(relation)) return fail("`relation` of a tuple must be the name of a relation");
    return { object: readRef(object), relation, subject: readSubject(subject) };
  });
}

function readSubject(value: Json | undefined): TupleSubject {
  const object = isJsonObject(value) ? value : fail("`subject` of a tuple must be an object");
  if (Object.hasOwn(object, "everyone")) {
    const { type, everyone } = membersOf(object, ["type", "everyone"]);
    return isTypeName(type) && everyone === true ? { type, everyone } : fail("`everyone` must be true, of a type");
  }
  if (!Object.hasOwn(object, "relation")) return readRef(object);
  const { relation, ...rest } = membersOf(object, ["type", "id", "relation"]);
  return isRelationName(relation) ? { ...readRef(rest), relation } : fail("`relation` of a subject must be the name of a relation");
}

function readRef(value: Json | undefined): ObjectRef {
  const { type, id } = membersOf(value, ["type", "id"]);
  if (!isTypeName(type) || !isObjectId(id)) return fail("an object has a `type` (letters, digits and `_`) and an `id` (text of 1 to 512 characters)");
  return { type, id };
}

/** A misspelt `relation` would turn a userset into the object itself, so nothing unknown is passed over. */
function membersOf(value: Json | undefined, required: readonly string[], optional: readonly string[] = []): JsonObject {
  const object = isJsonObject(value) ? value : fail("tuples must be plain objects");
  for (const member of Object.keys(object)) if (![...required, ...optional].includes(member)) fail(`the unknown member \`${member.slice(0, 64)}\` in a tuple`);
  for (const member of required) if (!Object.hasOwn(object, member)) fail(`the member \`${member}\` is missing in a tuple`);
  return object;
}

/** Whether the model lets such a tuple count. */
function hasPlace(model: RelationModel, { object, relation, subject }: Tuple): boolean {
  const expression = model.types.get(object.type)?.get(relation)?.expression;
  return expression !== undefined && admits(expression, subject);
}

function admits(expression: Expression, subject: TupleSubject): boolean {
  switch (expression.kind) {
    case "direct":
      if ("everyone" in subject) return expression.everyone.has(subject.type);
      return "relation" in subject ? expression.usersets.get(subject.type)?.has(subject.relation) === true : expression.types.has(subject.type);
    case "any":
    case "all":
      return expression.operands.some((operand) => admits(operand, subject));
    case "exclusion":
      return admits(expression.base, subject) || admits(expression.except, subject);
    case "computed":
    case "from":
      return false;
  }
}

function keyOf({ object, relation, subject }: Tuple): string {
  return JSON.stringify([object.type, object.id, relation, subject.type, "id" in subject ? subject.id : null, "relation" in subject ? subject.relation : null]);
}

function shown({ object, relation, subject }: Tuple): string {
  const who = "everyone" in subject ? "*" : `${subject.id}${"relation" in subject ? `#${subject.relation}` : ""}`;
  return `\`${object.type}:${object.id.slice(0, 64)}#${relation}\` with \`${subject.type}:${who.slice(0, 128)}\``;
}
