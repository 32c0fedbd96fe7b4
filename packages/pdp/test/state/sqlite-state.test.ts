import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { createSqliteState, migrate, missingMigrations, type SharedState, type SqliteOptions } from "../../src/state/sqlite/index.ts";
import { describeDocumentStore } from "./document-store.contract.ts";
import { commitOf, describeStateStore } from "./state-store.contract.ts";
import { describeUnsettledCalls } from "./unsettled.contract.ts";
import { describeStateRaces, type Outage } from "./state-store.races.ts";
import { expectLikeMemory } from "./store-model.ts";

const folder = mkdtempSync(join(tmpdir(), "ambit-sqlite-"));
const opened: SharedState[] = [];
const isDeep = process.env["AMBIT_DEEP"] === "full";
let files = 0;
const newPath = (): string => join(folder, `${(files += 1)}.db`);
const open = async (options: SqliteOptions): Promise<SharedState> => {
  const store = await createSqliteState(options);
  opened.push(store);
  return store;
};

afterAll(async () => {
  await Promise.all(opened.map((store) => store.close()));
  rmSync(folder, { recursive: true, force: true });
});

describeStateStore("SQLite", () => open({ path: newPath() }));
describeUnsettledCalls("SQLite", () => open({ path: newPath() }));
describeDocumentStore("SQLite", () => open({ path: newPath(), synchronous: "normal" }));

describeStateRaces("SQLite", {
  module: new URL("sqlite-store.ts", import.meta.url).href,
  // Sixteen processes on a slow disk keep each other waiting for longer than a caller would.
  create: async () => ({ path: newPath(), timeout: 10_000 }),
  outages: ["another process keeps the file"],
  createOutage: async (): Promise<Outage> => {
    const options = { path: newPath() };
    await migrate(options);
    let other: DatabaseSync | undefined;
    return {
      options,
      begin: async () => {
        other = new DatabaseSync(options.path);
        other.exec("PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE");
      },
      end: async () => other?.close(),
    };
  },
});

describe("a file with state", () => {
  it("answers whatever is asked, in whatever order, as memory does", { timeout: 120_000 }, async () => {
    await expectLikeMemory(() => createSqliteState({ path: newPath(), synchronous: "normal" }), isDeep ? 2000 : 60);
  });

  it("keeps everything when it is closed and opened again", async () => {
    const path = newPath();
    const first = await createSqliteState({ path });
    await first.commit(commitOf({ want: 7 }));
    await first.revoke("t1", ["task:a"], 5, 10);
    await first.close();
    const second = await open({ path });
    expect(await second.commit(commitOf({ callId: "c2", want: 4 }))).toMatchObject({ status: "exhausted", remaining: 3 });
    expect(await second.revokedAt("t1", ["task:a"])).toEqual([5]);
    expect(await second.commit(commitOf({ want: 7 }))).toMatchObject({ status: "repeated" });
  });

  it("is nobody else's to read", async () => {
    const path = newPath();
    await open({ path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is brought up to date once by any number who start at the same time", async () => {
    const path = newPath();
    const steps = await Promise.all(Array.from({ length: 8 }, () => migrate({ path, timeout: 5000 })));
    expect(steps.flat().toSorted()).toEqual(["0001-relations", "0001-state", "0002-documents", "0003-unsettled"]);
    expect(await migrate({ path })).toEqual([]);
  });

  it("is refused when a newer version made it", async () => {
    const path = newPath();
    await migrate({ path });
    const file = new DatabaseSync(path);
    file.exec("INSERT INTO migrations VALUES ('9999-later')");
    file.close();
    await expect(createSqliteState({ path })).rejects.toMatchObject({ code: "config_invalid" });
    await expect(migrate({ path })).rejects.toMatchObject({ code: "config_invalid" });
    await expect(missingMigrations({ path })).rejects.toMatchObject({ code: "config_invalid" });
  });

  it("is refused when it is none", async () => {
    await expect(createSqliteState({ path: folder })).rejects.toMatchObject({ code: "state_unavailable" });
    for (const path of ["", ":memory:", "a\0b"]) await expect(createSqliteState({ path })).rejects.toMatchObject({ code: "option_invalid" });
    for (const timeout of [0, 1.5, Number.NaN]) await expect(createSqliteState({ path: newPath(), timeout })).rejects.toMatchObject({ code: "option_invalid" });
  });

  it("answers nothing any more once it is closed", async () => {
    const store = await createSqliteState({ path: newPath() });
    await store.close();
    await store.close();
    await expect(store.commit(commitOf())).rejects.toMatchObject({ code: "state_unavailable" });
    await expect(store.revokedAt("t1", ["task:a"])).rejects.toMatchObject({ code: "state_unavailable" });
    await expect(store.admitted("t1", ["e1"])).rejects.toMatchObject({ code: "state_unavailable" });
    await expect(store.facts("t1", "l1")).rejects.toMatchObject({ code: "state_unavailable" });
    await expect(store.sweep(1)).rejects.toMatchObject({ code: "state_unavailable" });
  });

  it("refuses names that it would store as others", async () => {
    const store = await open({ path: newPath() });
    for (const name of ["\ud800", "a\0", "a\udc00b"]) {
      await expect(store.commit(commitOf({ callId: name }))).rejects.toMatchObject({ code: "state_unavailable" });
      await expect(store.revokedAt(name, ["task:a"])).rejects.toMatchObject({ code: "state_unavailable" });
      await expect(store.revokedAt("t1", [name])).rejects.toMatchObject({ code: "state_unavailable" });
    }
  });
});
