import {
  createMemoryRelations,
  createRelations,
  parseRelationModel,
  type ObjectRef,
  type RelationLimits,
  type RelationModel,
  type RelationStore,
  type Relations,
  type Tuple,
  type TupleSubject,
} from "../../src/relations/index.ts";

export const MODEL: RelationModel = parseRelationModel({
  types: {
    user: {},
    agent: {},
    group: { relations: { member: ["user", "agent", "group#member"] } },
    Folder: { relations: { parent: ["Folder"], viewer: { any: [["user", "user:*", "group#member"], { relation: "viewer", from: "parent" }] } } },
    Doc: {
      relations: {
        parent: ["Folder"],
        owner: ["user"],
        editor: { any: [["user", "group#member"], "owner"] },
        viewer: { any: [["user:*"], "editor", { relation: "viewer", from: "parent" }] },
        blocked: ["user", "user:*", "group#member"],
        cleared: ["user", "group#member"],
        reader: { base: "viewer", except: "blocked" },
        signer: { all: ["editor", "cleared"] },
      },
    },
  },
});
export const NONE = { parent: false, owner: false, editor: false, viewer: false, blocked: false, cleared: false, reader: false, signer: false };

export const ref = (name: string): ObjectRef => ({ type: name.slice(0, name.indexOf(":")), id: name.slice(name.indexOf(":") + 1) });

/** `Doc:1 viewer group:eng#member`; `user:*` is everyone. */
export function tupleOf(text: string): Tuple {
  const [object = "", relation = "", who = ""] = text.split(" ");
  const [name = "", userset] = who.split("#");
  const { type, id } = ref(name);
  const subject: TupleSubject = userset !== undefined ? { type, id, relation: userset } : id === "*" ? { type, everyone: true } : { type, id };
  return { object: ref(object), relation, subject };
}

export async function relationsWith(tuples: readonly string[], limits: Partial<RelationLimits> = {}, store = createMemoryRelations()): Promise<Relations> {
  const relations = createRelations({ model: MODEL, store, limits });
  await relations.write("t", { add: tuples.map(tupleOf) });
  return relations;
}

export const elsewhere = ({ write, revision, below, above }: RelationStore): RelationStore => ({ write, revision, below, above });
