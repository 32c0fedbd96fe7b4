import type { Tuple, TupleSubject } from "./tuple.ts";

/** What a tuple names, as it is stored: one subject, a userset, or everyone. What a kind does not have is empty text, which no name is. */
export interface TupleRow {
  readonly object_type: string;
  readonly object_id: string;
  readonly relation: string;
  readonly kind: number;
  readonly subject_type: string;
  readonly subject_id: string;
  readonly subject_relation: string;
}

const SUBJECT = 0;
const USERSET = 1;
const EVERYONE = 2;

export function rowOf({ object, relation, subject }: Tuple): TupleRow {
  const name = { object_type: object.type, object_id: object.id, relation, subject_type: subject.type };
  if ("everyone" in subject) return { ...name, kind: EVERYONE, subject_id: "", subject_relation: "" };
  if ("relation" in subject) return { ...name, kind: USERSET, subject_id: subject.id, subject_relation: subject.relation };
  return { ...name, kind: SUBJECT, subject_id: subject.id, subject_relation: "" };
}

export function tupleOf(row: TupleRow): Tuple {
  return { object: { type: row.object_type, id: row.object_id }, relation: row.relation, subject: subjectOf(row) };
}

function subjectOf({ kind, subject_type: type, subject_id: id, subject_relation: relation }: TupleRow): TupleSubject {
  if (kind === EVERYONE) return { type, everyone: true };
  return kind === USERSET ? { type, id, relation } : { type, id };
}
