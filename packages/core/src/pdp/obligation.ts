import type { ConstraintKind, ConstraintValue } from "../envelope/constraint-kinds.ts";

/**
 * Something that the enforcement point must do, or the answer becomes a deny (AuthZEN Obligations profile, draft 1:
 * all obligations are mandatory).
 */
export type Obligation =
  | {
      readonly id: string;
      readonly type: "limit_records";
      /** `pointer` names the list of records in the result; no more than `max` of them are returned. */
      readonly properties: { readonly pointer: string; readonly max: number };
    }
  | {
      readonly id: string;
      readonly type: "filter_records";
      /**
       * `pointer` names a field of every record, `*` standing for all elements of a list; records whose field is not admitted
       * are left out. Without `*` it names a field of the only record: the whole result is withheld when it is not admitted.
       */
      readonly properties: { readonly pointer: string; readonly kind: ConstraintKind; readonly constraint: ConstraintValue };
    }
  | {
      readonly id: string;
      readonly type: "redact_fields";
      /** The fields that the pointers name are removed. */
      readonly properties: { readonly pointers: readonly string[] };
    }
  | {
      readonly id: string;
      readonly type: "report_money";
      /** `pointer` names what was really spent in the result, in minor units; it is told with the outcome. Where nothing of the kind is there, what was reserved was spent. */
      readonly properties: { readonly pointer: string; readonly currency: string };
    }
  | {
      readonly id: string;
      readonly type: "label_output";
      /** What the result is known to be; kept on the record of the outcome. */
      readonly properties: { readonly integrity: Integrity; readonly data_classes: readonly string[] };
    };

/** Whether everything that went in can be trusted not to carry somebody else's instructions. */
export type Integrity = "trusted" | "untrusted";

/** The obligations that our enforcement point carries out. */
export const SUPPORTED_OBLIGATIONS: readonly Obligation["type"][] = Object.freeze([
  "limit_records",
  "filter_records",
  "redact_fields",
  "report_money",
  "label_output",
]);
