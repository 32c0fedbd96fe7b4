import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createMemoryRelations, createRelations, parseRelationModel, type RelationStore, type Relations } from "../../src/relations/index.ts";
import { createPostgresRelations } from "../../src/state/postgres/index.ts";
import { createRedisRelations } from "../../src/state/redis/index.ts";
import { createSqliteRelations } from "../../src/state/sqlite/index.ts";
import { codeOf, rejectionOf } from "../../../core/test/support/codes.ts";
import { readVectors } from "../../../core/test/spec/files.ts";
import { hasPostgres, newSchema, POSTGRES_URL, removeSchema } from "../state/postgres-schema.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "../state/redis-store.ts";
import { elsewhere, ref, tupleOf } from "./fixture.ts";

interface Entry {
  readonly id: string;
  readonly title: string;
}
interface Vector extends Entry {
  readonly types: object;
  readonly written_under?: object;
  readonly tuples: readonly string[];
  readonly checks: readonly { readonly question: string; readonly held: boolean }[];
}
interface RelationsFile {
  readonly about: string;
  readonly vectors: readonly Vector[];
  readonly models: readonly (Entry & { readonly types: object; readonly error: string })[];
  readonly world: object;
  readonly writes: readonly (Entry & { readonly tuple: string; readonly error: string })[];
}

const file = readVectors<RelationsFile>("relations");
const entries: readonly Entry[] = [...file.vectors, ...file.models, ...file.writes];

const folder = mkdtempSync(join(tmpdir(), "ambit-relations-"));
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  rmSync(folder, { recursive: true });
});

async function openRedis(): Promise<RelationStore> {
  const prefix = newPrefix();
  closing.push(() => removeKeys(prefix));
  const store = await createRedisRelations({ url: REDIS_URL, prefix, timeout: 5000 });
  closing.push(() => store.close());
  return store;
}

async function openPostgres(): Promise<RelationStore> {
  const schema = newSchema();
  closing.push(() => removeSchema(schema));
  const store = await createPostgresRelations({ connectionString: POSTGRES_URL, schema, timeout: 5000 });
  closing.push(() => store.close());
  return store;
}

async function openSqlite(): Promise<RelationStore> {
  const store = await createSqliteRelations({ path: join(folder, `${randomBytes(6).toString("hex")}.db`), timeout: 5000 });
  closing.push(() => store.close());
  return store;
}

const stores: readonly (readonly [name: string, isThere: boolean, open: () => Promise<RelationStore>])[] = [
  ["memory", true, async () => createMemoryRelations()],
  ["a store that is asked for every tuple", true, async () => elsewhere(createMemoryRelations())],
  ["SQLite", true, openSqlite],
  ["PostgreSQL", await hasPostgres(), openPostgres],
  ["Redis", await hasRedis(), openRedis],
];

function asked(question: string): Parameters<Relations["check"]> {
  const [object = "", relation = "", subject = ""] = question.split(" ");
  return ["", ref(subject), relation, ref(object)];
}

describe.each(stores.filter(([, isThere]) => isThere).map(([name, , open]) => ({ name, open })))("the vectors of relations, in $name", async ({ open }) => {
  const store = await open();

  it.each(file.vectors)("$id: $title", async ({ id, types, written_under, tuples, checks }) => {
    const write = createRelations({ model: parseRelationModel({ types: written_under ?? types }), store });
    await write.write(id, { add: tuples.map(tupleOf) });
    const relations = createRelations({ model: parseRelationModel({ types }), store });
    for (const { question, held } of checks) {
      const [, subject, relation, object] = asked(question);
      expect([question, await relations.check(id, subject, relation, object)]).toEqual([question, held]);
      const { [relation]: amongAll } = await relations.relationsOf(id, subject, object);
      const isListed = (await relations.listObjects(id, subject, relation, object.type)).includes(object.id);
      const found = await relations.listSubjects(id, subject.type, relation, object);
      const isFound = found.ids.includes(subject.id) || (found.others && !found.except.includes(subject.id));
      expect([question, amongAll, isListed, isFound]).toEqual([question, held, held, held]);
    }
  });
});

describe("the vectors of relations", () => {
  it.each(file.models)("$id: refuses $title", ({ types, error }) => {
    expect(codeOf(() => parseRelationModel({ types }))).toBe(error);
  });

  it.each(file.writes)("$id: refuses $title", async ({ tuple, error }) => {
    const relations = createRelations({ model: parseRelationModel({ types: file.world }), store: createMemoryRelations() });
    expect(await rejectionOf(relations.write("t", { add: [tupleOf("contract:7 owner user:bob"), tupleOf(tuple)] }))).toBe(error);
    expect(await relations.revision("t")).toBe(0);
  });

  it("have ids that say which one failed, and a yes and a no for every kind of expression", () => {
    const ids = entries.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index || !/^relations(-[a-z0-9]+)+$/.test(id))).toEqual([]);
    for (const kind of ['"relation":', '"any":', '"all":', '"except":', ":*", "#member"]) {
      const of = file.vectors.filter(({ types }) => JSON.stringify(types).includes(kind));
      for (const held of [true, false]) expect([kind, held, of.some(({ checks }) => checks.some((check) => check.held === held))]).toEqual([kind, held, true]);
    }
  });
});
