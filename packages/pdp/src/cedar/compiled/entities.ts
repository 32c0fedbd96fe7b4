import { checkUid, decoderOf, recordDecoder, uidOf, type Decoder } from "./decoder.ts";
import { isNode } from "./node.ts";
import { reached, type RecordType, type Schema } from "./schema.ts";
import type { EntityData, EntityLookup } from "./scope.ts";
import { isEqual, recordValue, type RecordValue, type Value } from "./values.ts";

const MEMBERS: ReadonlySet<string> = new Set(["uid", "attrs", "parents", "tags"]);
const NONE: ReadonlySet<string> = new Set();
const NO_VALUES: ReadonlyMap<string, Value> = new Map();
const NO_ATTRIBUTES: RecordType = { kind: "record", attributes: new Map() };

/** Reads the entities of a request. Throws a `TypeError` for what the schema does not admit. */
export type ReadEntities = (json: unknown) => EntityLookup;

interface Decoders {
  readonly attributes: Decoder<RecordValue>;
  readonly tag: Decoder | undefined;
  readonly ancestorTypes: ReadonlySet<string>;
}

interface Stored extends EntityData {
  readonly parents: readonly string[];
  ancestors: ReadonlySet<string>;
}

function refuse(what: string): never {
  throw new TypeError(what);
}

/** The actions of the schema are there too, with the groups that they are in; given again, they must say the same. */
export function entityReader(schema: Schema): ReadEntities {
  const decoders = new Map<string, Decoders>(
    [...schema.entityTypes].map(([name, { attributes, tags, ancestorTypes }]) => [
      name,
      { attributes: recordDecoder(attributes, schema), tag: tags === undefined ? undefined : decoderOf(tags, schema), ancestorTypes },
    ]),
  );
  const actionTypes = new Set([...schema.actions.values()].map(({ uid }) => uid.type));
  for (const name of actionTypes) decoders.set(name, { attributes: recordDecoder(NO_ATTRIBUTES, schema), tag: undefined, ancestorTypes: actionTypes });
  const actions = new Map(
    [...schema.actions].map(([key, { ancestors }]): [string, EntityData] => [key, { attributes: NO_VALUES, tags: NO_VALUES, ancestors }]),
  );
  return (json) => {
    if (!Array.isArray(json)) return refuse("expected a list of entities");
    const stored = new Map<string, Stored>();
    const given: string[] = [];
    let isFlat = true;
    for (const one of json as readonly unknown[]) {
      if (!isNode(one) || !Object.keys(one).every((name) => MEMBERS.has(name))) return refuse("expected an entity");
      const uid = uidOf(one["uid"]);
      const known = decoders.get(uid.type) ?? refuse("expected an entity of a declared type");
      checkUid(uid, schema);
      if (actionTypes.has(uid.type)) given.push(uid.key);
      const parents = parentsOf(one["parents"], known, schema);
      if (parents.length > 0) isFlat = false;
      const entity = { attributes: known.attributes(one["attrs"]).members, tags: tagsOf(one["tags"], known), parents, ancestors: NONE };
      const twin = stored.get(uid.key);
      if (twin !== undefined && !isTwin(twin, entity)) return refuse("an entity stands there twice, and differs");
      stored.set(uid.key, entity);
    }
    if (!isFlat) connect(stored);
    for (const key of given) if (!isSame(actions.get(key)?.ancestors, stored.get(key)?.ancestors)) return refuse("an action is not as it was declared");
    return { get: (key) => stored.get(key) ?? actions.get(key) };
  };
}

function parentsOf(json: unknown, { ancestorTypes }: Decoders, schema: Schema): readonly string[] {
  if (!Array.isArray(json)) return refuse("expected a list of parents");
  return json.map((parent) => {
    const uid = uidOf(parent);
    if (!ancestorTypes.has(uid.type)) return refuse("expected a parent of a type that the schema admits");
    checkUid(uid, schema);
    return uid.key;
  });
}

function tagsOf(json: unknown, { tag }: Decoders): ReadonlyMap<string, Value> {
  if (json === undefined) return NO_VALUES;
  if (!isNode(json)) return refuse("expected tags");
  const tags = new Map<string, Value>();
  for (const [name, value] of Object.entries(json)) {
    if (value === undefined) continue;
    if (tag === undefined || !name.isWellFormed()) return refuse("expected no tag");
    tags.set(name, tag(value));
  }
  return tags;
}

/** Finds all ancestors. Refuses an entity that is in itself. */
function connect(stored: ReadonlyMap<string, Stored>): void {
  for (const [key, entity] of stored) {
    if (entity.parents.length === 0) continue;
    entity.ancestors = reached(entity.parents, (parent) => stored.get(parent)?.parents ?? []);
    if (entity.ancestors.has(key)) refuse("an entity is in itself");
  }
}

function isTwin(one: Stored, other: Stored): boolean {
  const isAlike = (left: ReadonlyMap<string, Value>, right: ReadonlyMap<string, Value>): boolean => isEqual(recordValue(left), recordValue(right));
  return isAlike(one.attributes, other.attributes) && isAlike(one.tags, other.tags) && isSame(new Set(one.parents), new Set(other.parents));
}

function isSame(declared: ReadonlySet<string> | undefined, given: ReadonlySet<string> | undefined): boolean {
  return declared !== undefined && declared.size === given?.size && [...declared].every((key) => given.has(key));
}
