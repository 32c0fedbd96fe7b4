import { checkParseEntities, type CedarValueJson, type EntityJson, type EntityUidJson, type SchemaJson, type TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
import { AmbitError, canonicalJson, type Json, type JsonObject } from "@ambit/core";
import type { Schema } from "../cedar/compiled/schema.ts";
import { cedarRecord } from "./cedar-values.ts";
import type { Sought, Thing } from "./evaluator.ts";

/** What the operator knows of the things that questions are about. */
export interface CedarEntities {
  /** Ids of a type, in the order of their UTF-16 code units. */
  readonly idsOf: (type: string) => readonly string[];
  /**
   * A thing with what is known of it and what the question says of it. Throws a `TypeError` for what does not convert, and where the two differ: whichever was
   * believed, somebody could have what they must not.
   */
  readonly entityOf: (type: string, id: string, thing: Sought | Thing) => EntityJson;
  /** The entities, and of what is known everything that can be reached from them and from those that policies name. */
  readonly around: (entities: readonly EntityJson[], context: object) => EntityJson[];
}

/** Refuses (`policy_invalid`) entities that the schema does not admit, and two of one name. `named`: those that policies name. */
export function cedarEntities(entities: readonly EntityJson[], json: SchemaJson<string>, schema: Schema, named: readonly TypeAndId[]): CedarEntities {
  const checked = checkParseEntities({ entities: [...entities], schema: json });
  if (checked.type === "failure") throw new AmbitError("policy_invalid", `the entities: ${checked.errors[0]?.message ?? "cannot be read"}`);
  const known = new Map<string, EntityJson>();
  const ids = new Map<string, string[]>();
  for (const { uid, attrs, parents, tags } of entities) {
    const { type, id } = uidOf(uid);
    if (known.has(keyOf({ type, id }))) throw new AmbitError("policy_invalid", "the entities: one is there twice");
    const record = schema.entityTypes.get(type)?.attributes;
    const own = record === undefined ? {} : cedarRecord(record, attrs as JsonObject, true);
    known.set(keyOf({ type, id }), { uid: { type, id }, attrs: own, parents: parents.map(uidOf), ...(tags === undefined ? {} : { tags }) });
    ids.set(type, [...(ids.get(type) ?? []), id]);
  }
  for (const list of ids.values()) list.sort((one, other) => (one < other ? -1 : 1));

  return {
    idsOf: (type) => ids.get(type) ?? [],
    entityOf: (type, id, { properties = {} }) => {
      const record = schema.entityTypes.get(type)?.attributes;
      if (record === undefined) throw new TypeError("there is no such type");
      const asked = cedarRecord(record, properties, false);
      const stored = known.get(keyOf({ type, id }));
      if (stored === undefined) return { uid: { type, id }, attrs: asked, parents: [] };
      for (const [name, value] of Object.entries(asked)) {
        const ours = stored.attrs[name];
        if (ours !== undefined && canonicalJson(ours as Json) !== canonicalJson(value as Json))
          throw new TypeError(`\`${name}\`: something else is known of it`);
      }
      return { ...stored, attrs: { ...asked, ...stored.attrs } };
    },
    around: (roots, context) => {
      const all = new Map(roots.map((entity) => [keyOf(uidOf(entity.uid)), entity]));
      const open = [...roots.flatMap(referencesOf), ...referencesIn(context), ...named];
      for (let uid = open.pop(); uid !== undefined; uid = open.pop()) {
        const key = keyOf(uid);
        const entity = all.has(key) ? undefined : known.get(key);
        if (entity === undefined) continue;
        all.set(key, entity);
        open.push(...referencesOf(entity));
      }
      return [...all.values()];
    },
  };
}

/** Every entity that a value, a policy as JSON or an entity mentions. */
export function referencesIn(value: unknown): TypeAndId[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  const { type, id } = value as { readonly type?: unknown; readonly id?: unknown };
  if (typeof type === "string" && typeof id === "string") return [{ type, id }];
  return Object.values(value).flatMap(referencesIn);
}

function referencesOf({ attrs, parents, tags = {} }: EntityJson): TypeAndId[] {
  return [...parents.map(uidOf), ...referencesIn(attrs), ...referencesIn(tags as Record<string, CedarValueJson>)];
}

function uidOf(uid: EntityUidJson): TypeAndId {
  return "__entity" in uid ? uid.__entity : uid;
}

function keyOf({ type, id }: TypeAndId): string {
  return JSON.stringify([type, id]);
}
