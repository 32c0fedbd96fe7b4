import { AmbitError } from "../errors.ts";
import { digestOf } from "../data/digest.ts";
import { copyData, isJsonObject, type Json } from "../data/json.ts";
import { isMemberName } from "../data/names.ts";
import { CONSTRAINT_KINDS, type ConstraintKind } from "./constraint-kinds.ts";

/** Which resource constraints exist, and how each compares. Pinned by the root of a lineage through its digest. */
export interface Vocabulary {
  readonly kinds: ReadonlyMap<string, ConstraintKind>;
  readonly digest: string;
}

const BUILT_IN: Readonly<Record<string, ConstraintKind>> = {
  customer_id: "equal",
  contract_ids: "subset",
  data_classes: "subset",
  max_records: "max",
  path_prefix: "path_prefix",
};

/**
 * The built-in keys and those that an operator adds, as `{ "case_ids": "subset" }`.
 * Refuses (`config_invalid`) an unknown kind, a key that is not `snake_case`, and a built-in key with another kind.
 */
export function createVocabulary(additions: unknown = {}): Vocabulary {
  const data = copyData(additions, "config_invalid", "`vocabulary`");
  if (!isJsonObject(data)) throw new AmbitError("config_invalid", "`vocabulary` must be an object of `key: kind`");
  const kinds = new Map<string, ConstraintKind>(Object.entries(BUILT_IN));
  for (const [key, kind] of Object.entries(data)) {
    if (!isMemberName(key)) throw new AmbitError("config_invalid", `\`vocabulary\` has the key \`${key}\`; keys are snake_case`);
    if (!isKind(kind)) {
      throw new AmbitError("config_invalid", `\`vocabulary.${key}\` must be one of ${[...CONSTRAINT_KINDS.keys()].join(", ")}`);
    }
    const builtIn = kinds.get(key);
    if (builtIn !== undefined && builtIn !== kind) {
      throw new AmbitError("config_invalid", `\`vocabulary.${key}\` is built in as \`${builtIn}\` and cannot become \`${kind}\``);
    }
    kinds.set(key, kind);
  }
  return Object.freeze({ kinds, digest: digestOf(Object.fromEntries(kinds)) });
}

function isKind(value: Json): value is ConstraintKind {
  return typeof value === "string" && CONSTRAINT_KINDS.has(value as ConstraintKind);
}
