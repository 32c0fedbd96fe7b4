import { chainOf } from "@ambit/core";
import type { StatePart } from "@ambit/pdp";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createPostgresState, type SharedState } from "../../src/state/postgres/index.ts";
import { BEGIN, outcomeOf } from "../support/fixture.ts";
import { openPdp, READ, settingOf } from "./configured.ts";
import { hasPostgresPrograms, startPostgresReplica, startPostgresServer, type PostgresServer } from "./postgres-server.ts";
import { commitOf } from "./state-store.contract.ts";

const hasServer = hasPostgresPrograms();
const HOUR = 3_600_000;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function closeAfter<T>(closeable: T, close: (closeable: T) => Promise<unknown>): T {
  closing.push(() => close(closeable));
  return closeable;
}

const server = async (): Promise<PostgresServer> => closeAfter(await startPostgresServer(), (own) => own.remove());
const open = async (options: Parameters<typeof createPostgresState>[0]): Promise<SharedState> =>
  closeAfter(await createPostgresState(options), (store) => store.close());

describe.skipIf(!hasServer)("a PostgreSQL server", () => {
  it("loses nothing that it confirmed when it is killed in the middle of the work and started again", { timeout: 60_000 }, async () => {
    const own = await server();
    const store = await open({ connectionString: own.url, timeout: 5000 });
    const { now } = commitOf();
    const spend = (index: number): Promise<string> =>
      store.commit(commitOf({ callId: `c${index}`, limit: 1000, grant: { id: `g${index}`, expiresAt: now + HOUR } })).then(
        ({ status }) => status,
        (error: { readonly code?: string }) => String(error.code),
      );
    const spendAll = (from: number, to: number): Promise<readonly string[]> =>
      Promise.all(Array.from({ length: to - from }, (_, index) => spend(from + index)));
    const before = await spendAll(0, 100);
    const during = spendAll(100, 200);
    await own.kill();
    const answers = [...before, ...(await during), ...(await spendAll(200, 300))];
    expect(new Set(answers)).toEqual(new Set(["committed", "state_unavailable"]));
    await own.start();
    await vi.waitFor(() => store.facts("t1", "l1"), { timeout: 20_000 });
    // What was confirmed is there; what was not may be, and is then not spent twice.
    const again = await Promise.all(answers.map((_, index) => spend(index)));
    answers.forEach((answer, index) => expect(["repeated", ...(answer === "committed" ? [] : ["committed"])]).toContain(again[index]));
    expect(await store.commit(commitOf({ callId: "rest", limit: 1000, want: 701 }))).toMatchObject({ status: "exhausted", remaining: 700 });
  });

  it("that is killed denies what is asked of the decision point within its deadline, and is worked with again without a restart", async () => {
    const own = await server();
    const { pep } = closeAfter(await openPdp(await settingOf({ kind: "postgres", url: own.url })), ({ pdp }) => pdp.close());
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 2 } });
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    await own.kill();
    const startedAt = performance.now();
    expect(await outcomeOf(pep, task, ...READ)).toBe("state_unavailable");
    expect(performance.now() - startedAt).toBeLessThan(5000);
    await own.start();
    await vi.waitFor(async () => expect(await outcomeOf(pep, task, ...READ)).toBe("permit"), { timeout: 20_000 });
    expect(await outcomeOf(pep, task, ...READ)).toBe("budget_exhausted");
  });
});

describe.skipIf(!hasServer)("decision points with a replica of PostgreSQL", () => {
  it("hear within a second what another one revoked, whether it follows, lags or is gone", { timeout: 60_000 }, async () => {
    const primary = await server();
    const replica = closeAfter(await startPostgresReplica(primary), (own) => own.remove());
    const state: StatePart = { kind: "postgres", url: primary.url, replica: { url: replica.url, max_lag_ms: 400 } };
    const setting = await settingOf(state);
    const [one, other] = [await openPdp(setting), await openPdp(setting)];
    for (const { pdp } of [one, other]) closeAfter(pdp, (own) => own.close());
    /** Milliseconds from the revocation until the other one refuses what it permitted just before. */
    const heard = async (): Promise<number> => {
      const task = await one.pep.begin(BEGIN);
      const same = await other.pep.receive(chainOf(task) ?? []);
      await vi.waitFor(async () => expect(await outcomeOf(other.pep, same, ...READ)).toBe("permit"), { timeout: 5000 });
      await one.pdp.revoke({ tenantId: "tenant_1", scope: "envelope", id: task.envelopeId, by: "security" });
      const revokedAt = performance.now();
      for (;;) {
        const askedAt = performance.now();
        if ((await outcomeOf(other.pep, same, ...READ)) === "envelope_revoked") return askedAt - revokedAt;
      }
    };
    expect(await heard()).toBeLessThan(1000);
    const asked = `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'ambit'`;
    expect((await replica.query(asked))[0]).not.toEqual({ count: 0 });
    await replica.query("SELECT pg_wal_replay_pause()");
    expect(await heard()).toBeLessThan(1000);
    await replica.query("SELECT pg_wal_replay_resume()");
    expect(await heard()).toBeLessThan(1000);
    await replica.kill();
    expect(await heard()).toBeLessThan(1000);
  });
});
