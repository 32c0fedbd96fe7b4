import type { NamespaceDefinition, SchemaJson } from "@cedar-policy/cedar-wasm/nodejs";
import { isNode, listPart, textPart, type Node } from "./node.ts";
import { unsupported } from "./unsupported.ts";
import { entityValue, type EntityValue } from "./values.ts";

/** A type of the schema, with every name looked up. */
export type SchemaType =
  | { readonly kind: "boolean" | "long" | "string" }
  | { readonly kind: "extension"; readonly name: string }
  | { readonly kind: "entity"; readonly name: string }
  | { readonly kind: "set"; readonly element: SchemaType }
  | RecordType;

export interface RecordType {
  readonly kind: "record";
  readonly attributes: ReadonlyMap<string, { readonly type: SchemaType; readonly isRequired: boolean }>;
}

export interface EntityType {
  readonly attributes: RecordType;
  readonly tags: SchemaType | undefined;
  /** Types that its ancestors may have, however far up. */
  readonly ancestorTypes: ReadonlySet<string>;
  /** The only ids that there are, of an enumerated type. */
  readonly ids: ReadonlySet<string> | undefined;
}

export interface Action {
  readonly uid: EntityValue;
  readonly principalTypes: ReadonlySet<string>;
  readonly resourceTypes: ReadonlySet<string>;
  readonly context: RecordType;
  /** Keys of the groups that it is in, however far up; not its own. */
  readonly ancestors: ReadonlySet<string>;
}

/** A schema as requests are checked against it. */
export interface Schema {
  readonly entityTypes: ReadonlyMap<string, EntityType>;
  /** By the key of their uid. */
  readonly actions: ReadonlyMap<string, Action>;
}

const EMPTY: RecordType = { kind: "record", attributes: new Map() };
const PRIMITIVES: ReadonlyMap<string, SchemaType> = new Map<string, SchemaType>([
  ["Bool", { kind: "boolean" }],
  ["Boolean", { kind: "boolean" }],
  ["Long", { kind: "long" }],
  ["String", { kind: "string" }],
]);
const EXTENSIONS: ReadonlySet<string> = new Set(["decimal", "ipaddr", "datetime", "duration"]);
const MAX_DEPTH = 100;

/** Reads a schema that cedar-wasm has accepted. What it says that this compiler does not know ends the compilation. */
export function readSchema(json: SchemaJson<string>): Schema {
  const namespaces = Object.entries(json);
  const common = new Map<string, () => SchemaType>();
  const named = new Set(namespaces.flatMap(([namespace, { entityTypes }]) => Object.keys(entityTypes).map((name) => qualified(namespace, name))));
  const names: Names = { common, entities: named };
  let depth = 0;
  for (const [namespace, { commonTypes }] of namespaces) {
    for (const [name, type] of Object.entries(commonTypes ?? {})) {
      common.set(qualified(namespace, name), () => {
        if (++depth > MAX_DEPTH) return unsupported("a type that leads to itself");
        const read = readType(type, namespace, names);
        depth--;
        return read;
      });
    }
  }
  const entityTypes = new Map(namespaces.flatMap(([namespace, definition]) => readEntityTypes(definition, namespace, names)));
  const actions = new Map(namespaces.flatMap(([namespace, definition]) => readActions(definition, namespace, names)));
  return { entityTypes: closed(entityTypes), actions: grouped(actions) };
}

interface Names {
  readonly common: ReadonlyMap<string, () => SchemaType>;
  readonly entities: ReadonlySet<string>;
}

function qualified(namespace: string, name: string): string {
  return namespace === "" || name.includes("::") ? name : `${namespace}::${name}`;
}

/** The name as it stands in its own namespace, else as it stands in none. */
function lookedUp(name: string, namespace: string, known: { has(name: string): boolean }): string | undefined {
  return [qualified(namespace, name), name].find((candidate) => known.has(candidate));
}

function readType(json: unknown, namespace: string, names: Names): SchemaType {
  const kind = textPart(json, "type");
  switch (kind) {
    case "Set":
      return { kind: "set", element: readType((json as Node)["element"], namespace, names) };
    case "Record":
      return readRecord(json as Node, namespace, names);
    case "Entity":
      return entityType(textPart(json, "name"), namespace, names) ?? unsupported("an entity type that nobody declared");
    case "Extension":
      return builtin(textPart(json, "name")) ?? unsupported("an extension type");
    case "EntityOrCommon":
      return readName(textPart(json, "name"), namespace, names);
    default:
      return PRIMITIVES.get(kind) ?? readName(kind, namespace, names);
  }
}

function readName(name: string, namespace: string, names: Names): SchemaType {
  const common = lookedUp(name, namespace, names.common);
  return names.common.get(common ?? "")?.() ?? entityType(name, namespace, names) ?? builtin(name) ?? unsupported("a type that nobody declared");
}

function entityType(name: string, namespace: string, { entities }: Names): SchemaType | undefined {
  const found = lookedUp(name, namespace, entities);
  return found === undefined ? undefined : { kind: "entity", name: found };
}

function builtin(name: string): SchemaType | undefined {
  const plain = name.replace(/^__cedar::/, "");
  return PRIMITIVES.get(plain) ?? (EXTENSIONS.has(plain) ? { kind: "extension", name: plain } : undefined);
}

function readRecord(json: Node, namespace: string, names: Names): RecordType {
  if (json["additionalAttributes"] === true) return unsupported("a record that is open");
  const attributes = isNode(json["attributes"]) ? Object.entries(json["attributes"]) : [];
  return {
    kind: "record",
    attributes: new Map(
      attributes.map(([name, type]) => [name, { type: readType(type, namespace, names), isRequired: !isNode(type) || type["required"] !== false }]),
    ),
  };
}

function recordOf(json: unknown, namespace: string, names: Names): RecordType {
  const type = json === undefined ? EMPTY : readType(json, namespace, names);
  return type.kind === "record" ? type : unsupported("attributes that are no record");
}

type OwnTypes = EntityType & { readonly parents: readonly string[] };

function readEntityTypes({ entityTypes }: NamespaceDefinition<string>, namespace: string, names: Names): readonly (readonly [string, OwnTypes])[] {
  return Object.entries(entityTypes).map(([name, type]) => {
    const ids = Object.hasOwn(type, "enum") ? new Set(listPart(type, "enum") as readonly string[]) : undefined;
    const { shape, tags, memberOfTypes } = type as { readonly shape?: unknown; readonly tags?: unknown; readonly memberOfTypes?: readonly string[] };
    return [
      qualified(namespace, name),
      {
        attributes: recordOf(shape, namespace, names),
        tags: tags === undefined ? undefined : readType(tags, namespace, names),
        parents: (memberOfTypes ?? []).map((parent) => lookedUp(parent, namespace, names.entities) ?? unsupported("a parent that nobody declared")),
        ancestorTypes: new Set<string>(),
        ids,
      },
    ];
  });
}

function closed(types: ReadonlyMap<string, OwnTypes>): ReadonlyMap<string, EntityType> {
  return new Map([...types].map(([name, type]) => [name, { ...type, ancestorTypes: reached(type.parents, (parent) => types.get(parent)?.parents ?? []) }]));
}

/** Everything that can be reached, step by step, the start included. */
export function reached(start: readonly string[], next: (from: string) => readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...start];
  for (let from = open.pop(); from !== undefined; from = open.pop()) {
    if (found.has(from)) continue;
    found.add(from);
    open.push(...next(from));
  }
  return found;
}

type OwnAction = Action & { readonly groups: readonly string[] };

function readActions({ actions }: NamespaceDefinition<string>, namespace: string, names: Names): readonly (readonly [string, OwnAction])[] {
  return Object.entries(actions).map(([id, action]) => {
    if (Object.keys(action.attributes ?? {}).length > 0) return unsupported("an action with attributes");
    const typesOf = (types: readonly string[] = []): ReadonlySet<string> =>
      new Set(types.map((type) => lookedUp(type, namespace, names.entities) ?? unsupported("an entity type that nobody declared")));
    const uid = entityValue(qualified(namespace, "Action"), id);
    return [
      uid.key,
      {
        uid,
        principalTypes: typesOf(action.appliesTo?.principalTypes),
        resourceTypes: typesOf(action.appliesTo?.resourceTypes),
        context: recordOf(action.appliesTo?.context, namespace, names),
        groups: (action.memberOf ?? []).map((group) => entityValue(group.type ?? qualified(namespace, "Action"), group.id).key),
        ancestors: new Set<string>(),
      },
    ];
  });
}

function grouped(actions: ReadonlyMap<string, OwnAction>): ReadonlyMap<string, Action> {
  return new Map([...actions].map(([key, action]) => [key, { ...action, ancestors: reached(action.groups, (group) => actions.get(group)?.groups ?? []) }]));
}
