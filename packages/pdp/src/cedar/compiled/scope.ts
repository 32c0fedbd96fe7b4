import { FAILURES } from "./failure.ts";
import type { EntityValue, RecordValue, Value } from "./values.ts";

/** What is known of an entity. */
export interface EntityData {
  readonly attributes: ReadonlyMap<string, Value>;
  readonly tags: ReadonlyMap<string, Value>;
  /** Keys of all that it is in, however far up; not its own. */
  readonly ancestors: ReadonlySet<string>;
}

/** Entities by their key. */
export interface EntityLookup {
  get(key: string): EntityData | undefined;
}

/** What an expression is evaluated in. */
export interface Scope {
  readonly principal: EntityValue;
  readonly action: EntityValue;
  readonly resource: EntityValue;
  readonly context: RecordValue;
  readonly entities: EntityLookup;
}

export type Evaluate = (scope: Scope) => Value;

/** Cedar's `in`: an entity that nobody knows is at least in itself. */
export function isIn(scope: Scope, entity: EntityValue, group: EntityValue): boolean {
  return entity.key === group.key || scope.entities.get(entity.key)?.ancestors.has(group.key) === true;
}

export function attributeOf(scope: Scope, value: Value, name: string): Value {
  const found = membersOf(scope, value).get(name);
  if (found === undefined) throw FAILURES.absent;
  return found;
}

export function hasAttribute(scope: Scope, value: Value, name: string): boolean {
  return membersOf(scope, value).has(name);
}

const NONE: ReadonlyMap<string, Value> = new Map();

/** An entity that nobody knows has no attributes. */
function membersOf(scope: Scope, value: Value): ReadonlyMap<string, Value> {
  if (typeof value !== "object") throw FAILURES.type;
  if (value.kind === "record") return value.members;
  if (value.kind !== "entity") throw FAILURES.type;
  return scope.entities.get(value.key)?.attributes ?? NONE;
}

export function tagOf(scope: Scope, entity: EntityValue, name: string): Value {
  const found = scope.entities.get(entity.key)?.tags.get(name);
  if (found === undefined) throw FAILURES.absent;
  return found;
}

export function hasTag(scope: Scope, entity: EntityValue, name: string): boolean {
  return scope.entities.get(entity.key)?.tags.has(name) === true;
}
