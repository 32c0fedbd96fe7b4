import type { TuplePage } from "../relation-store.ts";
import { tupleOf, type PageRow } from "./tuple-row.ts";

/** The rows of one statement, which saw the revision and the tuples at the same moment. */
export function pageOf(rows: readonly PageRow[]): TuplePage {
  return {
    revision: wholeOf(rows[0]?.revision ?? 0),
    tuples: rows.flatMap((row) => (row.object_type === null ? [] : [tupleOf(row)])),
  };
}

/** Databases answer whole numbers as they see fit. */
export function wholeOf(value: number | bigint | string): number {
  const whole = Number(value);
  if (!Number.isSafeInteger(whole) || whole < 0) throw new TypeError("the database answered with no revision");
  return whole;
}
