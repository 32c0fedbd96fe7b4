/** A relation of a type of objects, and how it comes about. */
export interface Relation {
  readonly type: string;
  readonly name: string;
  /** Numbers the relations of a type from 0. */
  readonly slot: number;
  readonly expression: Expression;
}

export type Expression = Direct | Computed | From | Combined | Exclusion;

/** Who stands in a tuple: only these, whatever else is stored. */
export interface Direct {
  readonly kind: "direct";
  /** `user`: one of that type. */
  readonly types: ReadonlySet<string>;
  /** `user:*`: everyone of that type. */
  readonly everyone: ReadonlySet<string>;
  /** `group#member`: whoever has a relation to one of that type. */
  readonly usersets: ReadonlyMap<string, ReadonlyMap<string, Relation>>;
}

/** Another relation of the same object. */
export interface Computed {
  readonly kind: "computed";
  readonly relation: Relation;
}

/** A relation of the objects that a relation of this one names: `viewer` from `parent`. */
export interface From {
  readonly kind: "from";
  readonly tupleset: string;
  /** By type of what is named. A type without that relation contributes nothing. */
  readonly targets: ReadonlyMap<string, Relation>;
}

export interface Combined {
  readonly kind: "any" | "all";
  readonly operands: readonly Expression[];
}

export interface Exclusion {
  readonly kind: "exclusion";
  readonly base: Expression;
  readonly except: Expression;
}

/** Types of objects, each with its relations. */
export interface RelationModel {
  readonly types: ReadonlyMap<string, ReadonlyMap<string, Relation>>;
  /** Relations that lead from one object to others, such as `parent`. */
  readonly tuplesets: ReadonlySet<string>;
  /** Of what was written. Belongs into the digest of the policies: what they mean depends on it. */
  readonly digest: string;
}

/** The names of a type's relations, sorted; none for a type that the model does not have. They are the members of what `relationsOf` answers. */
export function relationNames(model: RelationModel, type: string): readonly string[] {
  return [...(model.types.get(type)?.keys() ?? [])].sort();
}
