import { canonicalJson } from "../data/canonical.ts";
import { isJsonObject, type Json } from "../data/json.ts";
import { editAt, isPointer, parentOf, removeAt, valuesAt } from "../data/pointer.ts";
import { CONSTRAINT_KINDS, rulesOf } from "../envelope/constraint-kinds.ts";
import { SUPPORTED_OBLIGATIONS, type Obligation } from "../pdp/obligation.ts";
import type { Money } from "../pdp/pdp.ts";
import { isErrorResult, viewResult, type ResultView } from "./result-view.ts";

/** The result as it may be shown, how many records it carries, and what it says was spent; `undefined` in all: nothing of it may be shown. */
export interface Carried<T> {
  readonly result: T;
  readonly records: number | undefined;
  readonly money: Money | undefined;
  /** Whether it says that the tool has failed. */
  readonly isError: boolean;
}

/** Why the obligations cannot be carried out at all; the call must not run then. */
export function unsupportedObligation(obligations: readonly Obligation[]): string | undefined {
  const bad = obligations.find((obligation) => !isSupported(obligation));
  return bad === undefined ? undefined : String(bad.type).slice(0, 64);
}

/** Whether anything must be checked in the result before it is shown. */
export function holdsResult(obligations: readonly Obligation[]): boolean {
  return obligations.some(({ type }) => type !== "label_output" && type !== "report_money");
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
    case "report_money":
      return isPointer(p["pointer"]) && typeof p["currency"] === "string" && p["currency"] !== "";
    case "label_output":
      return true;
  }
}

/**
 * Carries out the obligations on a result: filter, then redact, then limit. What was checked is what is shown: the result is built anew from the
 * data that was looked at, so that no getter, repeated member or accompanying text can say something else. A result in which a pointer names nothing is withheld (`undefined`), because
 * what cannot be checked cannot be shown. Blocks of content can be counted and no more. A tool that reports an error carries no records: the beginning of its text is
 * shown when only `limit_records` is due.
 */
export function carryOut<T>(result: T, obligations: readonly Obligation[]): Carried<T> | undefined {
  const [holds, reports] = [holdsResult(obligations), ofType(obligations, "report_money")];
  const view = holds || reports.length > 0 ? viewResult(result) : undefined;
  // Of the result as it came: whoever may not see the amount has spent it all the same.
  const money = moneyIn(view, reports.at(-1));
  if (!holds) return { result, records: undefined, money, isError: isErrorResult(result) };
  if (view === undefined) return undefined;
  const [filters, redactions, limits] = [ofType(obligations, "filter_records"), ofType(obligations, "redact_fields"), ofType(obligations, "limit_records")];
  if (view.kind !== "data" && filters.length + redactions.length > 0) return undefined;
  const rebuilt = (value: Json): T => view.replace(structuredClone(value)) as T;
  if (view.kind === "error") return { result: rebuilt(view.value), records: 0, money: undefined, isError: true };

  const others = [...filters, ...limits].map(({ properties }) => properties.pointer);
  const steps = [...filters.map(toFilter), toRedaction(redactions, others), ...limits.map(toLimit)];
  const value = steps.reduce<Json | undefined>((current, edit) => (current === undefined ? undefined : edit(current)), view.value);
  if (value === undefined) return undefined;
  const last = limits.at(-1)?.properties.pointer;
  return { result: rebuilt(value), records: last === undefined ? undefined : countAt(value, last), money, isError: false };
}

/** What the result says was spent; `undefined` where it says nothing that is an amount. */
function moneyIn(view: ResultView | undefined, report: ObligationOf<"report_money"> | undefined): Money | undefined {
  if (view?.kind !== "data" || report === undefined) return undefined;
  const { pointer, currency } = report.properties;
  const amount = valuesAt(view.value, pointer)?.[0];
  return typeof amount === "number" && Number.isSafeInteger(amount) && amount >= 0 ? { currency, amount } : undefined;
}

type ObligationOf<T extends Obligation["type"]> = Extract<Obligation, { readonly type: T }>;

function ofType<T extends Obligation["type"]>(obligations: readonly Obligation[], type: T): readonly ObligationOf<T>[] {
  return obligations.filter((obligation): obligation is ObligationOf<T> => obligation.type === type);
}

/** Splits a pointer at its last segment `*`: the list, and the field of each of its elements. */
const LAST_LIST = /^(.*)\/\*((?:\/.*)?)$/s;

/** What an obligation makes of a result; `undefined`: it cannot be shown. */
type Edit = (value: Json) => Json | undefined;

function toFilter({ properties: { pointer, kind, constraint } }: ObligationOf<"filter_records">): Edit {
  const admits = rulesOf(kind).admits(constraint);
  const areAdmitted = (found: Json, field: string): boolean => valuesAt(found, field)?.every(admits) === true;
  const [, list, field = ""] = LAST_LIST.exec(pointer) ?? [];
  if (list === undefined) return (value) => (areAdmitted(value, pointer) ? value : undefined);
  // INVARIANT I9: a record without the field is left out, not let through.
  const keep: Edit = (records) => (Array.isArray(records) ? (records as readonly Json[]).filter((record) => areAdmitted(record, field)) : undefined);
  return (value) => editAt(value, list, keep);
}

/**
 * What should be removed and is not there is an optional field, or it stands somewhere else. A pointer into the same object that names something says
 * that the object is built as the manifest thinks; this is judged before anything is removed, because two obligations may name one field.
 */
function toRedaction(redactions: readonly ObligationOf<"redact_fields">[], others: readonly string[]): Edit {
  const pointers = [...new Set(redactions.flatMap(({ properties }) => properties.pointers))];
  if (pointers.length === 0) return (value) => value;
  return (value) => {
    const known = new Set([...pointers, ...others].filter((pointer) => valuesAt(value, pointer) !== undefined).map(parentOf));
    return pointers.reduce<Json | undefined>(
      (current, pointer) => (current === undefined ? undefined : removeAt(current, pointer, known.has(parentOf(pointer)))),
      value,
    );
  };
}

function toLimit({ properties: { pointer, max } }: ObligationOf<"limit_records">): Edit {
  return (value) => {
    if (countAt(value, pointer) === undefined) return undefined;
    let left = max; // of all lists together, where the pointer names several
    return editAt(value, pointer, (records) => {
      if (!Array.isArray(records)) return records === null || left > 0 ? records : undefined;
      const kept = (records as readonly Json[]).slice(0, left);
      left -= kept.length;
      return kept;
    });
  };
}

/** The elements of lists, none for `null`, one for a whole result that is one object; `undefined` for text and whatever else may be any number of records. */
function countAt(value: Json, pointer: string): number | undefined {
  const counts = valuesAt(value, pointer)?.map((found) => {
    if (Array.isArray(found)) return found.length;
    return found === null ? 0 : pointer === "" && isJsonObject(found) ? 1 : Number.NaN;
  });
  const count = counts?.reduce((sum, one) => sum + one, 0);
  return Number.isNaN(count) ? undefined : count;
}
