import { canonicalJson } from "../data/canonical.ts";
import type { Json } from "../data/json.ts";
import { editAt, isPointer, removeAt, valuesAt } from "../data/pointer.ts";
import { CONSTRAINT_KINDS, rulesOf } from "../envelope/constraint-kinds.ts";
import { SUPPORTED_OBLIGATIONS, type Obligation } from "../pdp/obligation.ts";
import { viewResult } from "./result-view.ts";

/** The result as it may be shown, and how many records it carries; `undefined` in all: nothing of it may be shown. */
export interface Carried<T> {
  readonly result: T;
  readonly records: number | undefined;
}

/** Why the obligations cannot be carried out at all; the call must not run then. */
export function unsupportedObligation(obligations: readonly Obligation[]): string | undefined {
  const bad = obligations.find((obligation) => !isSupported(obligation));
  return bad === undefined ? undefined : String(bad.type).slice(0, 64);
}

/** Whether anything must be checked in the result before it is shown. */
export function holdsResult(obligations: readonly Obligation[]): boolean {
  return obligations.some(({ type }) => type !== "label_output");
}

function isSupported({ type, properties }: Obligation): boolean {
  if (!SUPPORTED_OBLIGATIONS.includes(type)) return false;
  const p = properties as Readonly<Record<string, unknown>>;
  switch (type) {
    case "limit_records":
      return isPointer(p["pointer"]) && Number.isSafeInteger(p["max"]) && (p["max"] as number) >= 0;
    case "filter_records": {
      const constraint = p["constraint"] as Json;
      const parsed = CONSTRAINT_KINDS.get(p["kind"] as never)?.parse(constraint);
      // What the decision point sends must already be canonical, or `admits` would compare with something else.
      return isPointer(p["pointer"]) && parsed !== undefined && canonicalJson(parsed) === canonicalJson(constraint);
    }
    case "redact_fields":
      return Array.isArray(p["pointers"]) && p["pointers"].every(isPointer);
    case "label_output":
      return true;
  }
}

/**
 * Carries out the obligations on a result: filter, then redact, then limit. What was checked is what is shown: the result is built anew from the
 * data that was looked at, so that no getter, repeated member or accompanying text can say something else. A result in which a pointer names nothing is withheld (`undefined`), because
 * what cannot be checked cannot be shown. A tool that reports an error carries no records: its text is shown when only `limit_records` is due.
 */
export function carryOut<T>(result: T, obligations: readonly Obligation[]): Carried<T> | undefined {
  if (!holdsResult(obligations)) return { result, records: undefined };
  const view = viewResult(result);
  if (view === undefined) return undefined;
  if (view.isError) return obligations.every(({ type }) => type === "limit_records" || type === "label_output") ? { result, records: 0 } : undefined;

  let value: Json | undefined = view.value;
  let records: number | undefined;
  for (const type of ["filter_records", "redact_fields", "limit_records"] as const) {
    for (const obligation of obligations) {
      if (obligation.type !== type || value === undefined) continue;
      value = apply(value, obligation);
      if (obligation.type === "limit_records" && value !== undefined) records = countAt(value, obligation.properties.pointer);
    }
  }
  if (value === undefined) return undefined;
  return { result: view.replace(structuredClone(value)) as T, records };
}

/** Splits a pointer at its last segment `*`: the list, and the field of each of its elements. */
const LAST_LIST = /^(.*)\/\*((?:\/.*)?)$/s;

function apply(value: Json, obligation: Obligation): Json | undefined {
  switch (obligation.type) {
    case "filter_records": {
      const { pointer, kind, constraint } = obligation.properties;
      const admits = (found: Json): boolean => rulesOf(kind).admits(constraint, found);
      const [, list, field = ""] = LAST_LIST.exec(pointer) ?? [];
      if (list === undefined) return valuesAt(value, pointer)?.every(admits) === true ? value : undefined;
      // INVARIANT I9: a record without the field is left out, not let through.
      return editAt(value, list, (records) =>
        Array.isArray(records) ? (records as readonly Json[]).filter((record) => valuesAt(record, field)?.every(admits) === true) : undefined,
      );
    }
    case "redact_fields":
      return obligation.properties.pointers.reduce<Json | undefined>(
        (current, pointer) => (current === undefined ? undefined : removeAt(current, pointer)),
        value,
      );
    case "limit_records": {
      let left = obligation.properties.max; // of all lists together, where the pointer names several
      return editAt(value, obligation.properties.pointer, (records) => {
        const kept = Array.isArray(records) ? (records as readonly Json[]).slice(0, left) : left > 0 || records === null ? records : undefined;
        left -= countOf(kept);
        return kept;
      });
    }
    case "label_output":
      return value;
  }
}

function countAt(value: Json, pointer: string): number {
  return (valuesAt(value, pointer) ?? []).reduce<number>((sum, found) => sum + countOf(found), 0);
}

/** The elements of a list, nothing for `null` and for what was left out, one for anything else. */
function countOf(records: Json | undefined): number {
  return Array.isArray(records) ? records.length : records === null || records === undefined ? 0 : 1;
}
