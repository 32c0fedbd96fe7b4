import { readFileSync } from "node:fs";
import { digestOf } from "../../src/data/digest.ts";
import type { Json, JsonObject } from "../../src/data/json.ts";
import type { Order } from "../../src/envelope/order.ts";
import type { PurposeTree } from "../../src/envelope/purposes.ts";
import type { ArgumentForm } from "../../src/token/profile/export-constraint.ts";
import type { ConstraintPlace } from "../../src/token/profile/export-tools.ts";
import { createVocabulary } from "../../src/envelope/vocabulary.ts";

/** A catalogue as it is configured. */
export interface PurposesDocument {
  readonly purposes: { readonly [purpose: string]: { readonly parent?: string | null } };
}

interface Entry {
  readonly id: string;
  readonly title: string;
}

export interface EnvelopeFile {
  readonly about: string;
  readonly vocabulary: JsonObject;
  readonly digests: readonly { readonly id: string; readonly of: string; readonly input: Json; readonly expected: string }[];
  readonly vectors: readonly (Entry & {
    readonly holder?: string;
    readonly input: Json;
    readonly expected: { readonly canonical: JsonObject } | { readonly error: string };
  })[];
}

export interface Comparison extends Entry {
  readonly parent: JsonObject;
  readonly child: JsonObject;
  readonly expected: { readonly narrower: true } | { readonly narrower: false; readonly error: "not_narrower"; readonly dimensions: readonly string[] };
}

export interface Derivation extends Entry {
  readonly parent: JsonObject;
  readonly asked: JsonObject;
  readonly exact: boolean;
  readonly expected: { readonly child: JsonObject; readonly narrowed: readonly JsonObject[] } | { readonly error: string };
}

export interface AttenuationFile {
  readonly about: string;
  readonly vocabulary: JsonObject;
  readonly purposes: PurposesDocument;
  readonly comparisons: readonly Comparison[];
  readonly derivations: readonly Derivation[];
}

export type AnchorData =
  | { readonly kind: "ambit"; readonly issuer: string; readonly jwk: Json; readonly tenants: readonly string[] }
  | {
      readonly kind: "aat";
      readonly issuer: string;
      readonly jwk: Json;
      readonly tenant_id: string;
      readonly delegator_id: string;
      readonly purpose: string;
    };

export interface TokenFile {
  readonly about: string;
  readonly keys: { readonly [name: string]: JsonObject };
  readonly anchors: { readonly [name: string]: AnchorData };
  readonly audience: string;
  readonly now: string;
  readonly vocabulary: JsonObject;
  readonly purposes: PurposesDocument;
  readonly vectors: readonly (Entry & {
    readonly now?: string;
    readonly purposes?: PurposesDocument;
    readonly chain: readonly string[];
    readonly expected:
      | { readonly envelopes: readonly JsonObject[]; readonly lineage?: string }
      | { readonly stands_for: JsonObject }
      | { readonly error: string; readonly step: string; readonly index: number };
  })[];
}

export interface CallFile extends Omit<TokenFile, "vectors"> {
  readonly vectors: readonly (Entry & {
    readonly chain: readonly string[];
    readonly tool: string;
    /** JSON text. */
    readonly arguments: string;
    readonly pop: string;
    readonly expected: { readonly permitted: true } | { readonly error: string; readonly step: string };
  })[];
}

export interface ExportFile {
  readonly about: string;
  readonly vocabulary: JsonObject;
  readonly vectors: readonly (Entry & {
    readonly envelope: JsonObject;
    readonly tools: {
      readonly [id: string]: {
        readonly names: readonly string[];
        readonly arguments: { readonly [name: string]: { readonly required: boolean; readonly form: ArgumentForm; readonly limits?: readonly JsonObject[] } };
        readonly constraints: { readonly [key: string]: ConstraintPlace };
      };
    };
    readonly expected: { readonly tools: JsonObject } | { readonly error: string };
  })[];
}

/** A file of `spec/vectors`, as anybody would read it. */
export function readVectors<T>(name: "envelope" | "attenuation" | "token" | "call" | "export" | "relations"): T {
  return JSON.parse(readFileSync(new URL(`../../../../spec/vectors/${name}.json`, import.meta.url), "utf8")) as T;
}

export function orderOf(vocabulary: JsonObject, purposes: PurposesDocument): Order {
  const tree: PurposeTree = {
    parentOf: (purpose) => (Object.hasOwn(purposes.purposes, purpose) ? (purposes.purposes[purpose]?.parent ?? null) : undefined),
    digest: digestOf(purposes as unknown as Json),
  };
  return { vocabulary: createVocabulary(vocabulary), purposes: tree };
}
