import type { CallKey, Commit, CommitAnswer, StateStore } from "@ambit/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startStoreProcess, type StoreProcess } from "./store-process.ts";
import type { SharedStore, SpendJob, SpendReport, StoreModule } from "./store-worker.ts";

/** How a store that several processes share is opened by each of them. */
export interface SharedStoreSetup {
  /** URL of a module that exports `openStore(options)` (`StoreModule`). Child processes load it too, so it must not import vitest. */
  readonly module: string;
  /** Options, plain JSON, of a new and empty store. */
  readonly create: () => Promise<unknown>;
  /** A new and empty store that can be made unreachable, and the ways in which it can. */
  readonly outages: readonly string[];
  readonly createOutage: () => Promise<Outage>;
}

export interface Outage {
  readonly options: unknown;
  /** From now on no commit gets through, until `end`. */
  begin(how: string): Promise<void>;
  end(): Promise<void>;
}

const isDeep = process.env["AMBIT_DEEP"] === "full";
const PROCESSES = isDeep ? 16 : 4;
const CALLS = isDeep ? 2000 : 250;
const LIMIT = (PROCESSES * CALLS) / 2;
const FAR = 1_000_000_000;

/** What happens when several processes share a store: each store that can be shared runs this very suite. `AMBIT_DEEP=full` for all of it. */
export function describeStateRaces(name: string, setup: SharedStoreSetup): void {
  const opened: { close(): Promise<void> }[] = [];
  const start = async (count: number, options: unknown): Promise<readonly StoreProcess[]> => {
    const processes = await Promise.all(Array.from({ length: count }, () => startStoreProcess(setup.module, options)));
    opened.push(...processes);
    return processes;
  };
  const openHere = async (options: unknown): Promise<SharedStore> => {
    const { openStore } = (await import(setup.module)) as StoreModule;
    const store = await openStore(options);
    opened.push(store);
    return store;
  };
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });

  describe(`${name}, shared by processes`, () => {
    it("never overshoots and leaves nothing unused when many debit the same accounts", { timeout: 600_000 }, async () => {
      const options = await setup.create();
      const processes = await start(PROCESSES, options);
      // Each call debits the shared root and one of the leaves, in an order that differs from process to process. They have nothing else in common.
      const reports = await spendAll(processes, (index) => ({
        commit: { ...commitFor(index % 2 === 0 ? ["root", `leaf-${index % 4}`] : [`leaf-${index % 4}`, "root"], LIMIT), lineage: `l${index}` },
        endings: ["leave", "redeem", "commit"],
      }));
      expect(reports.flatMap(({ errors }) => errors)).toEqual([]);
      expect(totalOf(reports, "committed")).toBe(LIMIT);
      expect(totalOf(reports, "exhausted")).toBe(PROCESSES * CALLS - LIMIT);
      expect(await remainingOf(await openHere(options), ["root"], LIMIT, Date.now())).toBe(0);
    });

    it("loses none of the first calls on what nobody has used before", { timeout: 600_000 }, async () => {
      const options = await setup.create();
      const processes = await start(PROCESSES, options);
      const store = await openHere(options);
      const now = Date.now();
      for (let round = 0; round < (isDeep ? 300 : 30); round += 1) {
        const commit = { ...commitFor([`new-${round}`], 100), lineage: `new-${round}` };
        const answers = (await askAll(processes, 3, (ask) => ({
          method: "commit",
          args: [{ ...commit, callId: `n${round}-${ask}`, callDigest: "d", decisionId: "dec", grant: { id: `g-${round}-${ask}`, expiresAt: now + FAR }, now }],
        }))) as readonly CommitAnswer[];
        expect(answers.filter(({ status }) => status === "committed")).toHaveLength(PROCESSES * 3);
        expect(await remainingOf(store, [`new-${round}`], 100, now)).toBe(100 - PROCESSES * 3);
        expect((await store.facts("t1", `new-${round}`)).calls).toBe(PROCESSES * 3);
      }
    });

    it("keeps exactly what was not given back", { timeout: 600_000 }, async () => {
      const options = await setup.create();
      const processes = await start(PROCESSES, options);
      const reports = await spendAll(processes, () => ({
        commit: commitFor(["root"], PROCESSES * CALLS),
        endings: ["release", "commit", "cancel", "leave", "undo", "redeem"],
      }));
      expect(reports.flatMap(({ errors }) => errors)).toEqual([]);
      const kept = reports.reduce((sum, report) => sum + report.kept, 0);
      expect(kept).toBeGreaterThan(0);
      expect(await remainingOf(await openHere(options), ["root"], PROCESSES * CALLS, Date.now())).toBe(PROCESSES * CALLS - kept);
    });

    it("commits the same call once, however many ask, and redeems its grant once", { timeout: 120_000 }, async () => {
      const options = await setup.create();
      const processes = await start(PROCESSES, options);
      const now = Date.now();
      for (let round = 0; round < 5; round += 1) {
        const key: CallKey = { tenantId: "t1", envelopeId: "e1", callId: `same-${round}` };
        const answers = (await askAll(processes, 5, (ask) => ({
          method: "commit",
          args: [{ ...commitFor(["root"], 100), ...key, callDigest: "d", decisionId: `dec-${ask}`, grant: { id: `g-${ask}`, expiresAt: now + FAR }, now }],
        }))) as readonly CommitAnswer[];
        expect(answers.filter(({ status }) => status === "committed")).toHaveLength(1);
        expect(answers.filter(({ status }) => status === "repeated")).toHaveLength(answers.length - 1);
        const grants = new Set(answers.map((answer) => ("grant" in answer ? answer.grant.id : "none")));
        expect(grants.size).toBe(1);
        const redeemed = await askAll(processes, 5, () => ({ method: "redeem", args: [key, [...grants][0], "d", now] }));
        expect(redeemed.filter((answer) => answer === "redeemed")).toHaveLength(1);
        expect(redeemed.filter((answer) => answer === "replayed")).toHaveLength(redeemed.length - 1);
      }
      expect(await remainingOf(await openHere(options), ["root"], 100, now)).toBe(95);
    });

    it("lets each thing be used once, and takes nothing for those that came too late", { timeout: 120_000 }, async () => {
      const options = await setup.create();
      const processes = await start(PROCESSES, options);
      const now = Date.now();
      for (let round = 0; round < 5; round += 1) {
        const [a, b] = [
          { key: `a-${round}`, until: now + FAR },
          { key: `b-${round}`, until: now + FAR },
        ];
        const answers = (await askAll(processes, 5, (ask) => ({
          method: "commit",
          args: [
            {
              ...commitFor(["root"], 100),
              callId: `once-${round}-${ask}`,
              callDigest: "d",
              decisionId: "dec",
              grant: { id: `g-${round}-${ask}`, expiresAt: now + FAR },
              // In different orders, so that whoever takes them as they come waits for each other for ever.
              once: ask % 2 === 0 ? [a, b] : [b, a],
              now,
            },
          ],
        }))) as readonly CommitAnswer[];
        expect(answers.filter(({ status }) => status === "committed")).toHaveLength(1);
        expect(answers.filter(({ status }) => status === "used")).toHaveLength(answers.length - 1);
      }
      const admitted = await askAll(processes, 5, () => ({ method: "admit", args: ["t1", "e1", now + FAR] }));
      expect(admitted.filter((isFirst) => isFirst === true)).toHaveLength(1);
      expect(await remainingOf(await openHere(options), ["root"], 100, now)).toBe(95);
    });

    it("loses nothing and keeps nothing too much when processes are killed at any moment", { timeout: 600_000 }, async () => {
      const options = await setup.create();
      const [rounds, count, limit] = [isDeep ? 20 : 2, 400, isDeep ? 2000 : 150];
      for (let round = 0; round < rounds; round += 1) {
        const processes = await start(2, options);
        await Promise.all(
          processes.map(async (process, index) => {
            const commit = commitFor(["root"], limit);
            const job = { prefix: `k${round}-${index}`, count, parallel: 4, commit, lifetime: 500, endings: ["leave", "redeem", "redeem"] } as const;
            const answer = process.run({ method: "spend", args: [job] }).catch(() => undefined);
            await sleep(40 + Math.random() * 250);
            await process.kill();
            await answer;
          }),
        );
      }
      const store = await openHere(options);
      const after = Date.now() + FAR;
      let redeemed = 0;
      for (let round = 0; round < rounds; round += 1) {
        for (const index of [0, 1]) {
          const ids = Array.from({ length: count }, (_, call) => `k${round}-${index}-${call}`);
          const answers = await Promise.all(ids.map((callId) => store.redeem({ tenantId: "t1", envelopeId: "e1", callId }, `g-${callId}`, "d", after)));
          redeemed += answers.filter((answer) => answer === "replayed").length;
        }
      }
      expect(redeemed).toBeGreaterThan(0);
      expect(redeemed).toBeLessThanOrEqual(limit);
      // Whatever was reserved and never redeemed is available again, and nothing else is.
      expect(await remainingOf(store, ["root"], limit, after)).toBe(limit - redeemed);
    });

    it(
      "lets lapse what a killed process had only reserved, and keeps what it had started until a person settles it",
      {
        timeout: 120_000,
      },
      async () => {
        const options = await setup.create();
        const now = Date.now();
        const commitOf = (callId: string, want: number): Commit => {
          const { reservations, ...commit } = commitFor(["root"], 10);
          const wanted = reservations.map((reservation) => ({ ...reservation, want, atLeast: want }));
          return {
            ...commit,
            reservations: wanted,
            callId,
            callDigest: "d",
            decisionId: `dec-${callId}`,
            grant: { id: `g-${callId}`, expiresAt: now + 60_000 },
            now,
          };
        };
        const keyOf = (callId: string): CallKey => ({ tenantId: "t1", envelopeId: "e1", callId });
        const [reserving, running] = (await start(2, options)) as [StoreProcess, StoreProcess];
        expect(await reserving.run({ method: "commit", args: [commitOf("reserved", 3)] })).toMatchObject({ status: "committed" });
        for (const callId of ["paid", "lost"]) {
          expect(await running.run({ method: "commit", args: [commitOf(callId, 2)] })).toMatchObject({ status: "committed" });
          expect(await running.run({ method: "redeem", args: [keyOf(callId), `g-${callId}`, "d", now + 5] })).toBe("redeemed");
        }
        await Promise.all([reserving.kill(), running.kill()]);

        const store = await openHere(options);
        expect(await remainingOf(store, ["root"], 10, now + 59_999)).toBe(3);
        expect(await remainingOf(store, ["root"], 10, now + 60_000)).toBe(6);
        const unsettled = await store.unsettled("t1", undefined, 10);
        expect(unsettled.map(({ callId, state, startedAt, reserved }) => [callId, state, startedAt, reserved])).toEqual([
          ["lost", "running", now + 5, { calls: 2 }],
          ["paid", "running", now + 5, { calls: 2 }],
        ]);
        const reconcile = (callId: string, outcome: "done" | "not_run", used = {}): Promise<unknown> =>
          store.reconcile({ ...keyOf(callId), outcome, used, startedBefore: now + 6 });
        expect(await reconcile("reserved", "not_run")).toEqual({ status: "none" });
        expect(await reconcile("paid", "done", { calls: 1 })).toMatchObject({ status: "reconciled" });
        expect(await reconcile("lost", "not_run")).toMatchObject({ status: "reconciled" });
        expect(await remainingOf(store, ["root"], 10, now + 60_000)).toBe(9);
        expect(await store.unsettled("t1", undefined, 10)).toEqual([]);
      },
    );

    it("mixes no two tenants that use the same ids at the same time", { timeout: 120_000 }, async () => {
      const options = await setup.create();
      const processes = await start(2, options);
      const reports = await Promise.all(
        processes.map(
          (process, index) =>
            process.run({
              method: "spend",
              args: [
                { prefix: "c", count: 60, parallel: 8, lifetime: FAR, endings: ["redeem"], commit: { ...commitFor(["root"], 40), tenantId: `t${index + 1}` } },
              ],
            }) as Promise<SpendReport>,
        ),
      );
      expect(reports.map(({ statuses }) => statuses)).toEqual([
        { committed: 40, exhausted: 20 },
        { committed: 40, exhausted: 20 },
      ]);
      const store = await openHere(options);
      await store.revoke("t1", ["task:a"], 5, Date.now() + FAR);
      expect(await processes[1]?.run({ method: "revokedAt", args: ["t2", ["task:a"]] })).toEqual([null]);
      expect(await processes[0]?.run({ method: "facts", args: ["t2", "l1"] })).toMatchObject({ calls: 40 });
    });

    it("tells every other process of a revocation within a second", { timeout: 120_000 }, async () => {
      const options = await setup.create();
      const processes = await start(2, options);
      const until = Date.now() + FAR;
      const seen = (): Promise<readonly unknown[]> => Promise.all(processes.map((process) => process.run({ method: "revokedAt", args: ["t1", ["task:a"]] })));
      expect(await seen()).toEqual([[null], [null]]);
      for (const at of [10, 20]) {
        await processes[0]?.run({ method: "revoke", args: ["t1", ["task:a"], at, until] });
        await vi.waitFor(async () => expect(await seen()).toEqual([[at], [at]]), { timeout: 1000, interval: 20 });
      }
    });

    it.each(setup.outages)("refuses while it is out of reach (%s), and goes on without a restart", { timeout: 120_000 }, async (how) => {
      const outage = await setup.createOutage();
      const store = await openHere(outage.options);
      const spend = (prefix: string): Promise<SpendReport> => {
        const job: SpendJob = { prefix, count: 20, parallel: 10, lifetime: FAR, endings: ["redeem"], commit: commitFor(["root"], 50) };
        return spendHere(store, job);
      };
      expect((await spend("before")).statuses).toEqual({ committed: 20 });
      try {
        // In the middle of the work, so that some calls lose their answer.
        const during = spend("during");
        await outage.begin(how);
        await within(during, "what was under way when the store went away");
        const out = await within(spend("out"), "a commit while the store is away");
        expect(out.statuses).toEqual({});
        expect(out.errors).toHaveLength(20);
      } finally {
        await outage.end();
      }
      await vi.waitFor(async () => expect((await store.facts("t1", "l1")).calls).toBeGreaterThanOrEqual(20), { timeout: 10_000, interval: 100 });
      const after = await spend("after");
      expect(after.errors).toEqual([]);
      // Repeated under their ids, all calls have their one answer: what was committed and not told of is not committed twice.
      await spend("during");
      await spend("out");
      const calls = ["before", "during", "out", "after"].flatMap((prefix) => Array.from({ length: 20 }, (_, index) => `${prefix}-${index}`));
      const later = Date.now() + 2 * FAR;
      const answers = await Promise.all(calls.map((callId) => store.redeem({ tenantId: "t1", envelopeId: "e1", callId }, `g-${callId}`, "d", later)));
      const redeemed = answers.filter((answer) => answer === "replayed").length;
      expect(redeemed).toBeLessThanOrEqual(50);
      expect(await remainingOf(store, ["root"], 50, later)).toBe(50 - redeemed);
    });
  });

  async function spendAll(processes: readonly StoreProcess[], jobOf: (index: number) => Pick<SpendJob, "commit" | "endings">): Promise<readonly SpendReport[]> {
    const jobs = processes.map((process, index) =>
      process.run({ method: "spend", args: [{ prefix: `p${index}`, count: CALLS, parallel: 8, lifetime: FAR, ...jobOf(index) }] }),
    );
    return (await Promise.all(jobs)) as readonly SpendReport[];
  }
}

/** A commit of one call on accounts that all have the same limit. */
function commitFor(accounts: readonly string[], limit: number): SpendJob["commit"] {
  return {
    tenantId: "t1",
    lineage: "l1",
    envelopeId: "e1",
    toolId: "tool",
    reservations: [{ unit: "calls", want: 1, atLeast: 1, refundable: true, accounts: accounts.map((id) => ({ id, limit })) }],
    once: [],
    labels: { integrity: "trusted", dataClasses: [] },
    keepUntil: Date.now() + 4 * FAR,
  };
}

/** What is left on accounts, asked by wanting more than there can be. */
async function remainingOf(store: StateStore, accounts: readonly string[], limit: number, now: number): Promise<number> {
  const wanted = commitFor(accounts, limit);
  const reservations = wanted.reservations.map((reservation) => ({ ...reservation, want: limit + 1, atLeast: limit + 1 }));
  const commit: Commit = { ...wanted, reservations, callId: "probe", callDigest: "d", decisionId: "dec", grant: { id: "g-probe", expiresAt: now + 1000 }, now };
  const answer = await store.commit(commit);
  if (answer.status !== "exhausted") throw new Error(`more was reserved than there can be: ${answer.status}`);
  return answer.remaining;
}

/** The same question, or one of a kind, several times from each process, all at the same time. */
async function askAll(
  processes: readonly StoreProcess[],
  times: number,
  jobOf: (ask: number) => Parameters<StoreProcess["run"]>[0],
): Promise<readonly unknown[]> {
  return Promise.all(processes.flatMap((process, index) => Array.from({ length: times }, (_, time) => process.run(jobOf(index * times + time)))));
}

function totalOf(reports: readonly SpendReport[], status: string): number {
  return reports.reduce((sum, { statuses }) => sum + (statuses[status] ?? 0), 0);
}

async function spendHere(store: StateStore, job: SpendJob): Promise<SpendReport> {
  const { runJob } = await import("./store-worker.ts");
  return (await runJob(store, { method: "spend", args: [job] })) as SpendReport;
}

/** A store that hangs is as bad as one that is gone: its refusals must come, by far sooner than this. */
async function within<T>(answer: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs: ${what}`)), 20_000);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
