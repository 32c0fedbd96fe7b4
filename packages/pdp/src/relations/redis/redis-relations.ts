import { relationKeysOf, quoted } from "../../state/redis/keys.ts";
import type { Script } from "../../state/redis/script.ts";
import { openServer, type RedisStateOptions } from "../../state/redis/server.ts";
import type { SharedRelations, TuplePage } from "../relation-store.ts";
import { wholeOf } from "../revision.ts";
import { steady } from "../steady.ts";
import { rowOf, tupleOf, type TupleRow } from "../tuple-row.ts";
import type { ObjectRef, Tuple } from "../tuple.ts";
import { RELATION_REVISION, REMOVE_TUPLES, TUPLES_ABOVE, TUPLES_BELOW, WRITE_TUPLES } from "./tuple-scripts.ts";

/**
 * Opens tuples on a Redis (7.0 or later) or Valkey server, for any number of processes, beside the state or elsewhere. Refuses what `createRedisState` refuses. What is written is
 * one script on the primary, hence one transaction; what is read is of one moment. What one process wrote, all of them read from then on.
 *
 * @remarks
 * Tuples have no end, and nothing but a write drops them. What a crash or a failover can lose is said of `createRedisState`: here, a relation that was taken away could be back.
 */
export async function createRedisRelations(options: RedisStateOptions): Promise<SharedRelations> {
  const { connection, prefix } = await openServer(options);
  const run = (script: Script, tenantId: string, args: readonly string[] = []): Promise<unknown> =>
    connection.run(script, relationKeysOf(prefix, tenantId), [...args]);
  /** Asks about many at a time, and not about all at once: each script holds up every other client of the server. */
  const read = (script: Script, tenantId: string, most: number, head: readonly string[], refs: readonly ObjectRef[]): Promise<TuplePage> =>
    steady(async () => {
      const page: Tuple[] = [];
      let first: number | undefined;
      for (let from = 0; from === 0 || (from < refs.length && page.length <= most); from += BATCH) {
        const args = [String(most + 1 - page.length), ...head, ...refs.slice(from, from + BATCH).map(beginning)];
        const [revision, tuples, named] = (await run(script, tenantId, args)) as readonly [string, readonly string[], readonly string[]];
        if (wholeOf(revision) !== (first ??= wholeOf(revision))) return undefined;
        page.push(...tuples.map((member) => tupleAt(member, TUPLES)), ...named.map((member) => tupleAt(member, NAMED)));
      }
      return { revision: first as number, tuples: page };
    });
  return Object.freeze<SharedRelations>({
    write: async (tenantId, { add, remove }) => {
      const rows = [...remove, ...add].map(rowOf);
      const counts = [remove.length, add.length].map(String);
      const members = [TUPLES, NAMED].flatMap((order) => rows.map((row) => memberOf(row, order)));
      return wholeOf((await run(add.length === 0 ? REMOVE_TUPLES : WRITE_TUPLES, tenantId, [...counts, ...members])) as string);
    },
    revision: async (tenantId) => wholeOf((await run(RELATION_REVISION, tenantId)) as string),
    below: (tenantId, objects, most, relevance) => {
      const [subject, leadsOn] = relevance === undefined ? ["", []] : [`${beginning(relevance.subject)}0,`, relevance.tuplesets];
      return read(TUPLES_BELOW, tenantId, most, [subject, String(leadsOn.length), ...leadsOn.map((relation) => `${quoted(relation)},`)], objects);
    },
    above: (tenantId, subjects, everyone, most) => read(TUPLES_ABOVE, tenantId, most, [], [...subjects, ...everyone.map((type) => ({ type, id: "" }))]),
    close: () => connection.close(),
  });
}

/** Objects, or subjects, that one script looks for. */
const BATCH = 1000;

type Order = readonly (keyof TupleRow)[];
const TUPLES: Order = ["object_type", "object_id", "kind", "relation", "subject_type", "subject_id", "subject_relation"];
const NAMED: Order = ["subject_type", "subject_id", "kind", "object_type", "object_id", "relation", "subject_relation"];

function memberOf(row: TupleRow, order: Order): string {
  return order.map((name) => JSON.stringify(row[name])).join(",");
}

function tupleAt(member: string, order: Order): Tuple {
  const values = JSON.parse(`[${member}]`) as readonly unknown[];
  return tupleOf(Object.fromEntries(order.map((name, index) => [name, values[index]])) as unknown as TupleRow);
}

/** What the members of an object, or of a subject, begin with. */
function beginning({ type, id }: ObjectRef): string {
  return `${quoted(type)},${quoted(id)},`;
}
