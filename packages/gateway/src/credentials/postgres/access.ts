import type { Action } from "../connector.ts";
import { unavailable } from "../../vault/unavailable.ts";
import { statement, type Statement } from "./statements.ts";

export type RowValue = string | number | boolean;

/** What a tool needs of one table: it sees a view of the same name, with these columns and rows. */
export interface TableAccess {
  /** @defaultValue "public" */
  readonly schema?: string | undefined;
  readonly table: string;
  readonly columns: readonly string[];
  /** @defaultValue to read */
  readonly privileges?: readonly ("SELECT" | "INSERT" | "UPDATE" | "DELETE")[] | undefined;
  /** The rows of an action: those that have this value, or one of these, in each of the columns. @defaultValue all rows */
  readonly rows?: ((action: Action) => Readonly<Record<string, RowValue | readonly RowValue[]>>) | undefined;
}

const PRIVILEGES: ReadonlySet<string> = new Set(["SELECT", "INSERT", "UPDATE", "DELETE"]);

/** Gives `role` one table, in the schema that has its name. Throws `credential_unavailable` for what is no value of a row: a filter that is not there would let everything through. */
export function grant(role: string, access: TableAccess, action: Action): readonly Statement[] {
  const { schema = "public", table, columns, privileges = ["SELECT"] } = access;
  if (columns.length === 0 || privileges.length === 0 || !privileges.every((privilege) => PRIVILEGES.has(privilege)))
    throw unavailable("the access to the table is not configured");
  const conditions = access.rows === undefined ? [] : Object.entries(access.rows(action)).map(([column, value]) => condition(column, value));
  if (access.rows !== undefined && conditions.length === 0) throw unavailable("the rows of the action are not known");
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.map(({ template }) => template).join(" AND ")}`;
  // What is written must be a row that it could have read.
  const check = privileges.some((privilege) => privilege !== "SELECT") ? " WITH CASCADED CHECK OPTION" : "";
  const view = `CREATE VIEW %I.%I WITH (security_barrier) AS SELECT ${columns.map(() => "%I").join(", ")} FROM %I.%I${where}${check}`;
  return [
    statement(view, role, table, ...columns, schema, table, ...conditions.flatMap(({ values }) => values)),
    statement(`GRANT ${privileges.join(", ")} ON %I.%I TO %I`, role, table, role),
  ];
}

function condition(column: string, value: RowValue | readonly RowValue[]): Statement {
  const values = (Array.isArray(value) ? (value as readonly RowValue[]) : [value as RowValue]).map(textOf);
  return values.length === 0 ? statement("false") : statement(`%I IN (${values.map(() => "%L").join(", ")})`, column, ...values);
}

function textOf(value: unknown): string {
  const isPlain = typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
  if (!isPlain) throw unavailable("a value of the rows is none");
  return String(value);
}
