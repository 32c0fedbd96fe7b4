import type { CedarRequest } from "./evaluator.ts";
import { checkUid, recordDecoder, uidOf, type Decoder } from "./decoder.ts";
import { entityReader } from "./entities.ts";
import type { Action, Schema } from "./schema.ts";
import type { Scope } from "./scope.ts";
import type { EntityValue, RecordValue } from "./values.ts";

/** A request that conforms to the schema. */
export interface Conforming {
  readonly action: Action;
  readonly scope: Scope;
}

/**
 * Reads requests as cedar-wasm does with `validateRequest`. Throws a `TypeError` for an action that nobody declared, for a principal or resource that it does
 * not apply to, and for a context or entities that do not have their declared types.
 */
export function requestReader(schema: Schema): () => (request: CedarRequest) => Conforming {
  const readEntities = entityReader(schema);
  const contextDecoders = new Map<Action, Decoder<RecordValue>>([...schema.actions.values()].map((action) => [action, recordDecoder(action.context, schema)]));

  return () => {
    const contexts = new Map<object, { readonly action: Action; readonly value: RecordValue }>();
    return (request) => {
      const action = schema.actions.get(uidOf(request.action).key);
      const decode = action === undefined ? undefined : contextDecoders.get(action);
      if (action === undefined || decode === undefined) throw new TypeError("there is no such action");
      const principal = applicable(request.principal, action.principalTypes);
      const resource = applicable(request.resource, action.resourceTypes);
      let context = contexts.get(request.context);
      // Another action declares the same members with other types.
      if (context?.action !== action) contexts.set(request.context, (context = { action, value: decode(request.context) }));
      return { action, scope: { principal, action: action.uid, resource, context: context.value, entities: readEntities(request.entities) } };
    };
  };

  function applicable(json: unknown, types: ReadonlySet<string>): EntityValue {
    const uid = uidOf(json);
    if (!types.has(uid.type)) throw new TypeError("the action does not apply to an entity of this type");
    checkUid(uid, schema);
    return uid;
  }
}
