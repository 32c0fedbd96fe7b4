import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import type { SharedRelations } from "../../src/relations/relation-store.ts";
import { createPostgresRelations } from "../../src/relations/sql/postgres-relations.ts";
import { createSqliteRelations } from "../../src/relations/sql/sqlite-relations.ts";
import { createSqliteState } from "../../src/state/sqlite/index.ts";
import { rejectionOf } from "../../../core/test/support/codes.ts";
import { describeRelationStore, describeSharedRelations, doc, tuple, user } from "./relation-store.contract.ts";

const folder = mkdtempSync(join(tmpdir(), "ambit-relations-"));
const opened: SharedRelations[] = [];
let files = 0;
const newPath = (): string => join(folder, `${(files += 1)}.db`);
const openSqlite = async (path: string): Promise<SharedRelations> => {
  const store = await createSqliteRelations({ path, timeout: 5000 });
  opened.push(store);
  return store;
};

const url = process.env["AMBIT_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
const pool = new pg.Pool({ connectionString: url, max: 8, connectionTimeoutMillis: 2000, allowExitOnIdle: true });
const isThere = await pool.query("SELECT 1").then(
  () => true,
  () => false,
);
const schemas: string[] = [];
const newSchema = (): string => {
  const schema = `ambit_test_${randomBytes(6).toString("hex")}`;
  schemas.push(schema);
  return schema;
};

afterAll(async () => {
  await Promise.all(opened.map((store) => store.close()));
  rmSync(folder, { recursive: true, force: true });
  for (const schema of schemas) await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await pool.end();
});

it.runIf(process.env["AMBIT_REQUIRE_SERVICES"] === "1")("finds PostgreSQL", () => {
  expect(isThere).toBe(true);
});

describeRelationStore("SQLite", () => openSqlite(newPath()));

describe("tuples in a file", () => {
  describeSharedRelations("SQLite", async () => {
    const path = newPath();
    return [await openSqlite(path), await openSqlite(path)];
  });

  it("stay when it is closed, and can stand beside the state", async () => {
    const path = newPath();
    const state = await createSqliteState({ path });
    const first = await createSqliteRelations({ path });
    await first.write("t", { add: [tuple(doc("1"), "owner", user("a"))], remove: [] });
    await first.close();
    await state.close();
    const second = await openSqlite(path);
    expect((await second.below("t", [doc("1")], 10)).tuples).toEqual([tuple(doc("1"), "owner", user("a"))]);
  });

  it("are refused when a newer version made them, and when the file is none", async () => {
    const path = newPath();
    await openSqlite(path);
    const file = new DatabaseSync(path);
    file.exec("INSERT INTO relation_migrations VALUES ('9999-later')");
    file.close();
    expect(await rejectionOf(createSqliteRelations({ path }))).toBe("config_invalid");
    expect(await rejectionOf(createSqliteRelations({ path: folder }))).toBe("state_unavailable");
    for (const wrong of ["", ":memory:", "a\0b"]) expect(await rejectionOf(createSqliteRelations({ path: wrong }))).toBe("option_invalid");
    expect(await rejectionOf(createSqliteRelations({ path: newPath(), timeout: 0 }))).toBe("option_invalid");
  });

  it("are not answered for once it is closed", async () => {
    const store = await openSqlite(newPath());
    await store.close();
    expect(await rejectionOf(store.below("t", [doc("1")], 10))).toBe("state_unavailable");
    expect(await rejectionOf(store.write("t", { add: [], remove: [] }))).toBe("state_unavailable");
    expect(await rejectionOf(store.revision("t"))).toBe("state_unavailable");
  });
});

describe.skipIf(!isThere)("tuples in PostgreSQL", () => {
  describeRelationStore("PostgreSQL", () => createPostgresRelations({ pool, schema: newSchema(), timeout: 5000 }));

  describeSharedRelations("PostgreSQL", async () => {
    const schema = newSchema();
    const open = (): Promise<SharedRelations> => createPostgresRelations({ pool, schema, timeout: 5000 });
    return Promise.all([open(), open()]);
  });

  it("are made once by any number who start at the same time", async () => {
    for (let round = 0; round < 5; round++) {
      const schema = newSchema();
      const stores = await Promise.all(Array.from({ length: 8 }, () => createPostgresRelations({ pool, schema, timeout: 5000 })));
      await Promise.all(stores.map((store, index) => store.write("t", { add: [tuple(doc("1"), "owner", user(`u${index}`))], remove: [] })));
      expect(await stores[0]?.revision("t")).toBe(8);
    }
  });

  it("are refused when a newer version made them, or when they may not be brought up to date", async () => {
    const schema = newSchema();
    expect(await rejectionOf(createPostgresRelations({ pool, schema, migrate: false }))).toBe("config_invalid");
    await createPostgresRelations({ pool, schema, timeout: 5000 });
    await createPostgresRelations({ pool, schema, migrate: false });
    await pool.query(`INSERT INTO ${schema}.relation_migrations VALUES ('9999-later')`);
    expect(await rejectionOf(createPostgresRelations({ pool, schema }))).toBe("config_invalid");
    for (const wrong of ["Ambit", "a b", "pg_x", 'a"; --', ""])
      expect(await rejectionOf(createPostgresRelations({ pool, schema: wrong }))).toBe("option_invalid");
    expect(await rejectionOf(createPostgresRelations({ pool, timeout: 0 }))).toBe("option_invalid");
  });

  it("are not answered for when the server is not there", async () => {
    const nowhere = new pg.Pool({ connectionString: "postgres://127.0.0.1:1/none", connectionTimeoutMillis: 500 });
    expect(await rejectionOf(createPostgresRelations({ pool: nowhere }))).toBe("state_unavailable");
    await nowhere.end();
  });
});
