import type { TuplePage } from "../relation-store.ts";
import { wholeOf } from "../revision.ts";
import { tupleOf, type TupleRow } from "../tuple-row.ts";

/** A row of an answer: the revision, with a tuple beside it if there is any. */
export type PageRow = { readonly revision: number | bigint | string } & (TupleRow | { readonly [Column in keyof TupleRow]: null });

/** The rows of one statement, which saw the revision and the tuples at the same moment. */
export function pageOf(rows: readonly PageRow[]): TuplePage {
  return {
    revision: wholeOf(rows[0]?.revision ?? 0),
    tuples: rows.flatMap((row) => (row.object_type === null ? [] : [tupleOf(row)])),
  };
}
