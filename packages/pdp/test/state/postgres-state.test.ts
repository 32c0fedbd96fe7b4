import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import type { Commit } from "@ambit/core";
import pg, { type PoolClient } from "pg";
import { afterAll, describe, expect, it, vi } from "vitest";
import {
  createPostgresState,
  migrate,
  missingMigrations,
  type PostgresClient,
  type PostgresOptions,
  type PostgresPool,
  type SharedState,
} from "../../src/state/postgres/index.ts";
import { startProxy, type Proxy } from "./proxy.ts";
import { describeDocumentStore } from "./document-store.contract.ts";
import { commitOf, describeStateStore } from "./state-store.contract.ts";
import { describeUnsettledCalls } from "./unsettled.contract.ts";
import { describeStateRaces } from "./state-store.races.ts";
import { expectLikeMemory } from "./store-model.ts";

const url = process.env["AMBIT_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
const admin = new pg.Pool({ connectionString: url, max: 5, connectionTimeoutMillis: 2000, allowExitOnIdle: true });
const isThere = await admin.query("SELECT 1").then(
  () => true,
  () => false,
);

/** That of `commitOf`. */
const NOW = commitOf().now;
const isDeep = process.env["AMBIT_DEEP"] === "full";
const schemas: string[] = [];
const opened: { close(): Promise<void> }[] = [];
const newSchema = (): string => {
  const schema = `ambit_test_${randomBytes(6).toString("hex")}`;
  schemas.push(schema);
  return schema;
};
const newOptions = (): PostgresOptions & { readonly schema: string } => ({ connectionString: url, schema: newSchema(), timeout: 5000 });
const open = async (options: PostgresOptions): Promise<SharedState> => {
  const store = await createPostgresState(options);
  opened.push(store);
  return store;
};

const runOnce = async (store: SharedState, commit: Commit, afterEach = (): void => undefined): Promise<void> => {
  const { callDigest, decisionId, grant, now } = commit;
  for (const step of [
    () => store.commit(commit),
    () => store.redeem(commit, grant.id, callDigest, now),
    () => store.settle({ ...commit, decisionId, grantId: grant.id, action: "commit", used: {}, observed: true }),
  ]) {
    await step();
    afterEach();
  }
};
/** One connection; after each transaction `pages` is how many pages of tables and indexes it looked at. */
const countingPool = async (schema: string): Promise<{ readonly pool: PostgresPool; readonly pages: () => number }> => {
  const client = await admin.connect();
  opened.push({ close: async () => client.release(true) });
  let [pages, counted] = [0, 0];
  const query = async (text: string, values?: unknown[]): ReturnType<PostgresClient["query"]> => {
    if (text === "COMMIT") {
      const count = "SELECT sum(pg_stat_get_xact_blocks_fetched(oid)) AS pages FROM pg_class WHERE relnamespace = $1::regnamespace";
      const total = Number(((await client.query(count, [schema])).rows[0] as { readonly pages: string }).pages);
      // It goes on counting until PostgreSQL collects it, now and then.
      [pages, counted] = [total < counted ? total : total - counted, total];
    }
    return client.query(text, values);
  };
  const connected = { query, release: () => undefined, on: () => undefined, removeListener: () => undefined };
  return { pool: { connect: async () => connected, end: async () => undefined }, pages: () => pages };
};

afterAll(async () => {
  await Promise.all(opened.map((one) => one.close()));
  for (const schema of schemas) await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await admin.end();
});

it.runIf(process.env["AMBIT_REQUIRE_SERVICES"] === "1")("finds PostgreSQL", () => {
  expect(isThere).toBe(true);
});

// Without the server this is skipped, visibly.
describe.skipIf(!isThere)(`PostgreSQL at ${new URL(url).host} (AMBIT_TEST_POSTGRES_URL)`, () => {
  describeStateStore("PostgreSQL", () => open(newOptions()));
  describeUnsettledCalls("PostgreSQL", () => open(newOptions()));
  describeDocumentStore("PostgreSQL", () => open(newOptions()));

  describeStateRaces("PostgreSQL", {
    module: new URL("postgres-store.ts", import.meta.url).href,
    create: async () => ({ ...newOptions(), timeout: 20_000, connections: 2 }),
    outages: ["drop", "blackhole"],
    createOutage: async () => {
      const { hostname, port } = new URL(url);
      const proxy = await startProxy(hostname, Number(port === "" ? 5432 : port));
      opened.push(proxy);
      const through = new URL(url);
      [through.hostname, through.port] = ["127.0.0.1", String(proxy.port)];
      return {
        options: { connectionString: through.href, schema: newSchema() },
        begin: (how) => proxy.cut(how as Parameters<Proxy["cut"]>[0]),
        end: () => proxy.mend(),
      };
    },
  });

  describe("a schema with state", () => {
    it("answers whatever is asked, in whatever order, as memory does", { timeout: 600_000 }, async () => {
      const options = newOptions();
      await migrate(options);
      const tables = ["calls", "accounts", "debits", "lineages", "once"].map((table) => `${options.schema}.${table}`);
      const openEmpty = async (): Promise<SharedState> => {
        await admin.query(`TRUNCATE ${tables.join(", ")}`);
        return createPostgresState(options);
      };
      await expectLikeMemory(openEmpty, isDeep ? 500 : 15);
    });

    it("is brought up to date once by any number who start at the same time", async () => {
      const options = newOptions();
      const steps = await Promise.all(Array.from({ length: 8 }, () => migrate(options)));
      expect(steps.flat().toSorted()).toEqual(["0001-relations", "0001-state", "0002-functions", "0003-documents", "0004-plans", "0005-unsettled"]);
      expect(await migrate(options)).toEqual([]);
    });

    it("is refused when a newer version made it, and when it may not be brought up to date", async () => {
      const options = newOptions();
      await expect(createPostgresState({ ...options, migrate: false })).rejects.toMatchObject({ code: "config_invalid" });
      await migrate(options);
      await open({ ...options, migrate: false });
      await admin.query(`INSERT INTO ${options.schema}.migrations VALUES ('9999-later')`);
      await expect(createPostgresState(options)).rejects.toMatchObject({ code: "config_invalid" });
      await expect(migrate(options)).rejects.toMatchObject({ code: "config_invalid" });
      await expect(missingMigrations(options)).rejects.toMatchObject({ code: "config_invalid" });
    });

    it("is not opened with options that are none, or where there is no server", async () => {
      const bad = [
        { schema: "Ambit" },
        { schema: 'a"; DROP SCHEMA public; --' },
        { schema: "" },
        { schema: "pg_mine" },
        { schema: "a".repeat(64) },
        { timeout: 0 },
        { timeout: Number.NaN },
        { maxLag: 1001 },
        { connections: 0 },
        { pool: admin as PostgresPool },
      ];
      for (const options of bad) await expect(createPostgresState({ ...newOptions(), ...options })).rejects.toMatchObject({ code: "option_invalid" });
      await expect(createPostgresState({})).rejects.toMatchObject({ code: "option_invalid" });
      await expect(createPostgresState({ connectionString: "postgres://127.0.0.1:1/none" })).rejects.toMatchObject({ code: "state_unavailable" });
    });

    it("is not opened at an address that is none, and no password is in what is told of it", async () => {
      for (const connectionString of ["postgres://u:hunter2secret@[x/d", "postgres://u:p:hunter2secret@h:port/d", "postgres://u:hunter2secret@127.0.0.1:1/d"]) {
        for (const opening of [createPostgresState, migrate, missingMigrations]) {
          const error: unknown = await opening({ connectionString }).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          expect(error).toMatchObject({ code: connectionString.endsWith(":1/d") ? "state_unavailable" : "option_invalid" });
          expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
        }
      }
    });

    it("leaves a pool open that it was given", async () => {
      const store = await createPostgresState({ pool: admin as PostgresPool, schema: newSchema(), timeout: 5000 });
      expect(await store.commit(commitOf())).toMatchObject({ status: "committed" });
      await store.close();
      await expect(store.commit(commitOf())).rejects.toMatchObject({ code: "state_unavailable" });
      await expect(store.revokedAt("t1", ["a"])).rejects.toMatchObject({ code: "state_unavailable" });
      expect((await admin.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    });

    it("lets others go on when a process is stopped in the middle of a transaction", async () => {
      const options = newOptions();
      const store = await open(options);
      await store.commit(commitOf({ limit: 100 }));
      // It loads, and is never heard of again: neither does it write, nor is its connection closed.
      const stopped: PoolClient[] = [];
      const pool: PostgresPool = {
        connect: async () => {
          const client = await admin.connect();
          client.on("error", () => undefined);
          stopped.push(client);
          const query = (text: string, values?: unknown[]): ReturnType<PostgresClient["query"]> =>
            text.includes("save_2") ? new Promise(() => undefined) : client.query(text, values);
          return { query, release: () => undefined, on: () => undefined, removeListener: () => undefined };
        },
        end: async () => undefined,
      };
      await migrate(options);
      const other = await open({ schema: options.schema, pool, timeout: 500 });
      await expect(other.commit(commitOf({ callId: "c2", limit: 100 }))).rejects.toMatchObject({ code: "state_unavailable" });
      expect(await store.commit(commitOf({ callId: "c3", limit: 100 }))).toMatchObject({ status: "committed" });
      expect((await store.facts("t1", "l1")).calls).toBe(2);
      for (const client of stopped) client.release(true);
    });

    it("reads a few rows of a tenant that has many, also on a connection that was there when it had none", async () => {
      const { schema } = newOptions();
      const { pool, pages } = await countingPool(schema);
      const store = await open({ pool, schema, timeout: 5000 });
      // Often enough for PostgreSQL to keep the plans.
      for (let call = 0; call < 10; call += 1) await runOnce(store, commitOf({ callId: `before-${call}`, limit: 100 }));
      await admin.query(`
        INSERT INTO ${schema}.accounts SELECT 't1', 'a' || n, 0, 'l1', 0 FROM generate_series(1, 5000) AS n;
        INSERT INTO ${schema}.lineages SELECT 't1', 'l' || n, 0, '{}' FROM generate_series(2, 5000) AS n;
        INSERT INTO ${schema}.calls SELECT 't1', 'e' || n, 'c', 'l1', 'redeemed', '{}' FROM generate_series(2, 5000) AS n;
        INSERT INTO ${schema}.debits (tenant, account, envelope, call, unit, amount, refundable, held, due)
          SELECT 't1', 'a' || n, 'e' || n, 'c', 'calls', 1, true, ${NOW}, ${Number.MAX_SAFE_INTEGER} FROM generate_series(2, 5000) AS n;
      `);
      const counts: number[] = [];
      await runOnce(store, commitOf({ callId: "after", limit: 100 }), () => void counts.push(pages()));
      expect(counts).toHaveLength(3);
      for (const count of counts) expect(count).toBeLessThan(100);
    });

    it("gives nobody what is just being redeemed by another process", async () => {
      const options = newOptions();
      const store = await open(options);
      await store.commit(commitOf({ want: 10 }));
      const client = await admin.connect();
      const needs = { calls: [{ envelope: "e1", call: "c1", debits: false, labels: false }], accounts: [], lineages: [], once: [], now: 0 };
      await client.query("BEGIN");
      await client.query(`SELECT ${options.schema}.load_2($1, $2)`, ["t1", JSON.stringify(needs)]);
      const late = commitOf({ callId: "c2", want: 10, now: NOW + 1000, grant: { id: "g2", expiresAt: NOW + 5000 } });
      expect(await store.commit(late)).toMatchObject({ status: "exhausted", remaining: 0 });
      await client.query("ROLLBACK");
      client.release();
      expect(await store.commit(late)).toMatchObject({ status: "committed" });
    });

    it("refuses what it cannot store, and nothing else that is asked at the same time", async () => {
      const store = await open(newOptions());
      const long = "x".repeat(100_000) + randomBytes(20_000).toString("hex");
      const answers = await Promise.allSettled([
        store.commit(commitOf({ callId: "first" })),
        store.commit(commitOf({ callId: "a" })),
        store.commit(commitOf({ callId: long })),
        store.commit(commitOf({ callId: "b" })),
        store.commit(commitOf({ callId: "\0" })),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled", "rejected"]);
      expect((await store.facts("t1", "l1")).calls).toBe(3);
    });
  });

  describe("a replica that lags", () => {
    /** Answers from a snapshot that is taken when `catchUp` is called: what was committed later, it does not show. */
    const laggingPool = async (onQuery = (): void => undefined): Promise<{ readonly pool: PostgresPool; readonly catchUp: () => Promise<void> }> => {
      const pool = new pg.Pool({ connectionString: url, max: 1 });
      const client = await pool.connect();
      opened.push({
        close: async () => {
          client.release(true);
          await pool.end();
        },
      });
      // The first statement, not `BEGIN`, takes the snapshot.
      const begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1";
      await client.query(begin);
      const frozen = {
        query: (text: string, values?: unknown[]) => {
          onQuery();
          return client.query(text, values);
        },
        release: () => undefined,
        on: () => undefined,
        removeListener: () => undefined,
      };
      return {
        pool: { connect: async () => frozen, end: async () => undefined },
        catchUp: async () => {
          await client.query("COMMIT");
          await client.query(begin);
        },
      };
    };
    /** Nobody waits for it to be written. */
    const beaconOf = (schema: string): Promise<void> =>
      vi.waitFor(async () => expect((await admin.query(`SELECT n FROM ${schema}.beacons`)).rows).toHaveLength(1), { timeout: 10_000, interval: 5 });

    it("hides no revocation for longer than it may lag", async () => {
      const options = newOptions();
      const other = await open(options);
      const { pool, catchUp } = await laggingPool();
      let now = 0;
      const store = await open({ ...options, replica: { pool }, maxLag: 1000, now: () => now });
      // It has the beacon, and so is believed for a while.
      await store.revokedAt("t1", ["task:a"]);
      await beaconOf(options.schema);
      await catchUp();
      expect(await store.revokedAt("t1", ["task:a"])).toEqual([null]);
      await other.revoke("t1", ["task:a"], 5, 1000);
      now += 1001;
      for (let time = 0; time < 5; time += 1) expect(await store.revokedAt("t1", ["task:a", "task:b"])).toEqual([5, null]);
    });

    it("is not believed when it took too long to answer", async () => {
      const options = newOptions();
      let now = 0;
      let slow = 0;
      const { pool, catchUp } = await laggingPool(() => void (now += slow));
      const store = await open({ ...options, timeout: 5000, replica: { pool }, maxLag: 1000, now: () => now });
      await store.revokedAt("t1", ["task:a"]);
      await beaconOf(options.schema);
      await catchUp();
      await admin.query(`INSERT INTO ${options.schema}.revocations VALUES ('t1', 'task:a', 5, 1000)`);
      expect(await store.revokedAt("t1", ["task:a"])).toEqual([null]);
      slow = 1001;
      expect(await store.revokedAt("t1", ["task:a"])).toEqual([5]);
    });

    it("is asked as long as it keeps up, and shows a process what it has revoked itself at once", async () => {
      const options = newOptions();
      const { pool, catchUp } = await laggingPool();
      const store = await open({ ...options, replica: { pool }, now: () => 0 });
      await store.revokedAt("t1", ["task:a"]);
      await beaconOf(options.schema);
      await catchUp();
      // Changed behind its back: whoever answers "never" is the replica.
      await admin.query(`INSERT INTO ${options.schema}.revocations VALUES ('t1', 'task:a', 5, 1000)`);
      expect(await store.revokedAt("t1", ["task:a"])).toEqual([null]);
      await store.revoke("t1", ["task:b"], 6, 1000);
      expect(await store.revokedAt("t1", ["task:a", "task:b"])).toEqual([5, 6]);
    });

    it("is done without when it is away, or hangs", async () => {
      const options = newOptions();
      const other = await open(options);
      await other.revoke("t1", ["task:a"], 5, 1000);
      const pools: PostgresPool[] = [
        { connect: () => Promise.reject(new Error("away")), end: async () => undefined },
        { connect: () => new Promise(() => undefined), end: async () => undefined },
      ];
      for (const pool of pools) {
        const store = await open({ ...options, timeout: 1000, replica: { pool } });
        expect(await store.revokedAt("t1", ["task:a"])).toEqual([5]);
      }
    });
  });
});
