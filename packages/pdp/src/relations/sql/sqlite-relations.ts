import { unavailable } from "../../state/shared-state.ts";
import type { SqliteFile } from "../../state/sqlite/file.ts";
import { bringUpToDate } from "../../state/sqlite/migrate.ts";
import { open, type SqliteOptions } from "../../state/sqlite/open.ts";
import type { RelationStore, SharedRelations } from "../relation-store.ts";
import { wholeOf } from "../revision.ts";
import { rowOf, type TupleRow } from "../tuple-row.ts";
import { pageOf, type PageRow } from "./page.ts";
import { RELATION_TABLES } from "./sqlite-schema.ts";

/** The file may be that of the state. */
export type SqliteRelationsOptions = Omit<SqliteOptions, "synchronous">;

/**
 * Opens tuples in a file that all processes of a host may open at the same time, and brings its schema up to date. Rejects with `option_invalid`, with
 * `state_unavailable` where the file cannot be used, and with `config_invalid` where a newer version made it.
 */
export async function createSqliteRelations(options: SqliteRelationsOptions): Promise<SharedRelations> {
  const answered = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error: unknown) => {
      throw unavailable("its file cannot be used", error);
    });
  const file = await open(options);
  try {
    await answered(bringUpToDate(file, RELATION_TABLES));
    const { write, below, above, revision } = statementsOf(file);
    return Object.freeze<SharedRelations>({
      write: (tenantId, { add, remove }) => answered(file.write(() => write(tenantId, add.map(rowOf), remove.map(rowOf)))),
      revision: (tenantId) => answered(file.read(() => revision(tenantId))),
      below: (tenantId, objects, most, relevance) => answered(file.read(() => pageOf(below(tenantId, objects, most, relevance)))),
      above: (tenantId, subjects, everyone, most) => answered(file.read(() => pageOf(above(tenantId, subjects, everyone, most)))),
      close: async () => file.close(),
    });
  } catch (error) {
    file.close();
    throw error;
  }
}

interface Statements {
  readonly write: (tenantId: string, add: readonly TupleRow[], remove: readonly TupleRow[]) => number;
  readonly revision: (tenantId: string) => number;
  readonly below: (tenantId: string, ...question: BelowQuestion) => readonly PageRow[];
  readonly above: (tenantId: string, ...question: AboveQuestion) => readonly PageRow[];
}
type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest] ? Rest : never;
type BelowQuestion = Tail<Parameters<RelationStore["below"]>>;
type AboveQuestion = Tail<Parameters<RelationStore["above"]>>;

const COLUMNS = "object_type, object_id, relation, kind, subject_type, subject_id, subject_relation";
const KEY = "tenant = ? AND object_type = ? AND object_id = ? AND relation = ? AND kind = ? AND subject_type = ? AND subject_id = ? AND subject_relation = ?";

/** One statement for the revision and the tuples: it sees both at the same moment. */
const page = (tuples: string): string =>
  `SELECT r.revision, t.* FROM (SELECT coalesce((SELECT revision FROM relation_revisions WHERE tenant = :tenant), 0) AS revision) AS r
   LEFT JOIN (${tuples} LIMIT :most) AS t ON true`;
const each = (list: string, condition: string): string =>
  `SELECT ${COLUMNS} FROM json_each(:${list}) AS o CROSS JOIN relation_tuples AS t ON t.tenant = :tenant AND ${condition}`;
const OF_OBJECT = "t.object_type = o.value ->> 0 AND t.object_id = o.value ->> 1";

function statementsOf({ database }: SqliteFile): Statements {
  const columns = (row: TupleRow): readonly (string | number)[] => [
    row.object_type,
    row.object_id,
    row.relation,
    row.kind,
    row.subject_type,
    row.subject_id,
    row.subject_relation,
  ];
  const insert = database.prepare(`INSERT INTO relation_tuples (tenant, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`);
  const remove = database.prepare(`DELETE FROM relation_tuples WHERE ${KEY}`);
  const bump = database.prepare(
    "INSERT INTO relation_revisions (tenant, revision) VALUES (?, 1) ON CONFLICT (tenant) DO UPDATE SET revision = revision + 1 RETURNING revision",
  );
  const revisionOf = database.prepare("SELECT revision FROM relation_revisions WHERE tenant = ?");
  const all = database.prepare(page(each("objects", OF_OBJECT)));
  const relevant = database.prepare(
    page(
      [
        each("objects", `${OF_OBJECT} AND t.kind >= 1`),
        each("objects", `${OF_OBJECT} AND t.kind = 0 AND t.relation IN (SELECT value FROM json_each(:tuplesets))`),
        each(
          "objects",
          `${OF_OBJECT} AND t.kind = 0 AND t.subject_type = :type AND t.subject_id = :id AND t.relation NOT IN (SELECT value FROM json_each(:tuplesets))`,
        ),
      ].join(" UNION ALL "),
    ),
  );
  const above = database.prepare(
    page(
      [
        each("subjects", "t.subject_type = o.value ->> 0 AND t.subject_id = o.value ->> 1 AND t.kind <= 1"),
        each("everyone", "t.subject_type = o.value AND t.subject_id = '' AND t.kind = 2"),
      ].join(" UNION ALL "),
    ),
  );
  const listOf = (refs: readonly { readonly type: string; readonly id: string }[]): string => JSON.stringify(refs.map(({ type, id }) => [type, id]));
  const revision = (tenantId: string): number => wholeOf((revisionOf.get(tenantId)?.["revision"] ?? 0) as number | bigint);

  return {
    revision,
    write: (tenantId, added, removed) => {
      let changes = 0;
      for (const row of removed) changes += Number(remove.run(tenantId, ...columns(row)).changes);
      for (const row of added) changes += Number(insert.run(tenantId, ...columns(row)).changes);
      return changes === 0 ? revision(tenantId) : wholeOf(bump.get(tenantId)?.["revision"] as number | bigint);
    },
    below: (tenant, objects, most, relevance) => {
      const question = { tenant, objects: listOf(objects), most: most + 1 };
      if (relevance === undefined) return all.all(question) as unknown as readonly PageRow[];
      const { subject, tuplesets } = relevance;
      return relevant.all({ ...question, type: subject.type, id: subject.id, tuplesets: JSON.stringify(tuplesets) }) as unknown as readonly PageRow[];
    },
    above: (tenant, subjects, everyone, most) =>
      above.all({ tenant, subjects: listOf(subjects), everyone: JSON.stringify(everyone), most: most + 1 }) as unknown as readonly PageRow[],
  };
}
