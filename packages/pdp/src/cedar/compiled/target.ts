import { part, textPart, isNode, type Node } from "./node.ts";
import type { Action } from "./schema.ts";
import { isIn, type Scope } from "./scope.ts";
import { unsupported } from "./unsupported.ts";
import { entityValue, type EntityValue } from "./values.ts";

/** What the head of a policy says of its principal or resource. */
export interface Target {
  /** Whether an entity of this type can be meant. */
  readonly admits: (type: string) => boolean;
  /** Whether this entity of such a type is meant; undefined where every one is. */
  readonly matches: ((scope: Scope, entity: EntityValue) => boolean) | undefined;
}

const ANY_TYPE = (): boolean => true;

export function compileTarget(head: unknown): Target {
  switch (textPart(head, "op")) {
    case "All":
      return { admits: ANY_TYPE, matches: undefined };
    case "==": {
      const { type, key } = entityOf(head);
      return { admits: (other) => other === type, matches: (_, entity) => entity.key === key };
    }
    case "in":
      return { admits: ANY_TYPE, matches: inGroup(entityOf(head)) };
    case "is": {
      const type = textPart(head, "entity_type");
      const group = isNode(head) && Object.hasOwn(head, "in") ? entityOf(head["in"]) : undefined;
      return { admits: (other) => other === type, matches: group === undefined ? undefined : inGroup(group) };
    }
    default:
      return unsupported("a head of a policy");
  }
}

function inGroup(group: EntityValue): Target["matches"] {
  return (scope, entity) => isIn(scope, entity, group);
}

/** Whether the head of a policy means an action; the groups of actions stand in the schema, so that this is known in advance. */
export function compileActions(head: unknown): (action: Action) => boolean {
  const op = textPart(head, "op");
  if (op === "All") return () => true;
  if (op === "==") {
    const { key } = entityOf(head);
    return ({ uid }) => uid.key === key;
  }
  if (op !== "in") return unsupported("a head of a policy");
  const listed = (head as Node)["entities"];
  const keys = (Array.isArray(listed) ? listed.map(uidOf) : [entityOf(head)]).map(({ key }) => key);
  return ({ uid, ancestors }) => keys.some((key) => key === uid.key || ancestors.has(key));
}

/** Templates have a slot here instead. */
function entityOf(head: unknown): EntityValue {
  return isNode(head) && Object.hasOwn(head, "slot") ? unsupported("a template") : uidOf(part(head, "entity"));
}

function uidOf(json: unknown): EntityValue {
  const uid = isNode(json) && Object.hasOwn(json, "__entity") ? json["__entity"] : json;
  return entityValue(textPart(uid, "type"), textPart(uid, "id"));
}
