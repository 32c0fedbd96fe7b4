import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createSqliteState } from "@ambit/pdp/sqlite";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { hasPostgres, newSchema, POSTGRES_URL, removeSchema } from "../../../pdp/test/state/postgres-schema.ts";
import { openSession, type Session } from "../fixtures/session.ts";

const isThere = await hasPostgres();
const schema = newSchema();

let session: Session;
beforeEach(async () => {
  session = await openSession();
});
afterEach(() => session.end());
afterAll(async () => {
  if (isThere) await removeSchema(schema);
});

const migrate = (...options: readonly string[]): ReturnType<Session["run"]> =>
  session.run(["state", "migrate", "--config", "ambit.config.json", ...options], { env: { STATE_URL: POSTGRES_URL } });

describe.each([
  ["sqlite", true, { kind: "sqlite", path: "state.db" }],
  ["postgres", isThere, { kind: "postgres", url_env: "STATE_URL", schema }],
] as const)("ambit state migrate, with %s", (kind, canRun, state) => {
  test.skipIf(!canRun)("tells what is missing, brings it up to date, and then has nothing to do", async () => {
    await session.write("ambit.config.json", { state });
    const checked = await migrate("--check");
    expect(checked).toMatchObject({ exitCode: 1, out: expect.stringContaining(`${kind}: missing 0001-state\n`), err: "" });
    expect(checked.out).toContain(`${kind}: missing 0001-relations\n`);
    expect(existsSync(join(session.folder, "state.db"))).toBe(false);
    expect(await migrate("--check")).toEqual(checked);
    const migrated = await migrate();
    expect(migrated).toEqual({ ...checked, exitCode: 0, out: checked.out.replaceAll("missing", "applied") });
    expect(await migrate("--check")).toEqual({ exitCode: 0, out: `${kind}: up to date\n`, err: "" });
    expect(await migrate()).toEqual({ exitCode: 0, out: `${kind}: up to date\n`, err: "" });
    expect(JSON.parse((await migrate("--json")).out)).toEqual({ kind, applied: [] });
    expect(JSON.parse((await migrate("--json", "--check")).out)).toEqual({ kind, missing: [] });
  });
});

describe("ambit state migrate", () => {
  test.each(["migrations", "relation_migrations"])("refuses what a newer version made (%s), with exit code 2 and before anything is changed", async (log) => {
    await session.write("ambit.config.json", { state: { kind: "sqlite", path: "state.db" } });
    const file = new DatabaseSync(join(session.folder, "state.db"));
    file.exec(`CREATE TABLE ${log} (name TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID; INSERT INTO ${log} VALUES ('9999-later')`);
    for (const options of [[], ["--check"]])
      expect(await migrate(...options)).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[config_invalid\]/) });
    expect(file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()).toEqual([{ name: log }]);
    file.close();
  });

  test("leaves an SQLite file as it is where only the tuples are missing, and adds them", async () => {
    await session.write("ambit.config.json", { state: { kind: "sqlite", path: "state.db" } });
    await (await createSqliteState({ path: join(session.folder, "state.db") })).close();
    expect(await migrate("--check")).toEqual({ exitCode: 1, out: "sqlite: missing 0001-relations\n", err: "" });
    expect(await migrate()).toEqual({ exitCode: 0, out: "sqlite: applied 0001-relations\n", err: "" });
  });

  test.each(["memory", { kind: "redis", url: "redis://127.0.0.1:1" }])("has nothing to do for %j", async (state) => {
    await session.write("ambit.config.json", { state });
    for (const options of [[], ["--check"]])
      expect(await migrate(...options)).toMatchObject({ exitCode: 0, out: expect.stringMatching(/: there is nothing to migrate\n$/), err: "" });
  });

  test("says what it cannot reach, and nothing of a password", async () => {
    await session.write("ambit.config.json", { state: { kind: "postgres", url: "postgres://u:hunter2secret@127.0.0.1:1/d" } });
    for (const options of [[], ["--check"]]) {
      const ran = await migrate(...options);
      expect(ran).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[state_unavailable\]/) });
      expect(ran.err).not.toContain("hunter2");
    }
  });

  test.each([[["state"]], [["state", "drop"]], [["state", "migrate", "x"]], [["state", "migrate", "--config", ""]], [["state", "migrate", "--force"]]])(
    "answers %j with exit code 2",
    async (args) => {
      expect(await session.run(args)).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[usage\]: /) });
    },
  );

  test("needs a configuration that is there", async () => {
    const ran = await session.run(["state", "migrate", "--config", "no-such.json"]);
    expect(ran).toMatchObject({ exitCode: 2, out: "", err: expect.stringMatching(/^error\[config_invalid\]/) });
  });
});
