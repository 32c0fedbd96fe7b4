import type { CallKey, Commit, CommitAnswer, Settlement, StateStore } from "@ambit/core";
import { describe, expect, it } from "vitest";

const NOW = 1_000_000;
const LABELS = { integrity: "untrusted", dataClasses: ["b", "a"] } as const;

interface Wanted {
  readonly unit?: string;
  readonly want?: number;
  readonly atLeast?: number;
  readonly limit?: number;
  readonly account?: string;
  readonly window?: number;
  readonly refundable?: boolean;
}

/** A commit of one call that wants one of an account with a limit. */
export function commitOf(change: Partial<Commit> & Wanted = {}): Commit {
  const { unit = "calls", want = 1, atLeast = want, limit = 10, account = "acc", window, refundable = true, ...commit } = change;
  return {
    tenantId: "t1",
    lineage: "l1",
    envelopeId: "e1",
    callId: "c1",
    callDigest: "d1",
    decisionId: "dec1",
    toolId: "tool",
    reservations: [{ unit, want, atLeast, refundable, accounts: [{ id: account, limit, ...(window === undefined ? {} : { window }) }] }],
    grant: { id: "g1", expiresAt: NOW + 1000 },
    once: [],
    keepUntil: NOW + 100_000,
    labels: LABELS,
    now: NOW,
    ...commit,
  };
}

/** What every state store must do; each store runs this very suite. */
export function describeStateStore(name: string, create: () => Promise<StateStore>): void {
  const keyOf = (callId: string): CallKey => ({ tenantId: "t1", envelopeId: "e1", callId });
  const settle = (
    store: StateStore,
    callId: string,
    action: Settlement["action"],
    used = {},
    observed = true,
    grantId = `g-${callId}`,
  ): ReturnType<StateStore["settle"]> => store.settle({ ...keyOf(callId), decisionId: "dec1", grantId, action, used, observed });
  const spend = async (store: StateStore, callId: string, change = {}): Promise<CommitAnswer> =>
    store.commit(commitOf({ callId, grant: { id: `g-${callId}`, expiresAt: NOW + 1000 }, ...change }));
  const redeem = (store: StateStore, callId: string, now = NOW): ReturnType<StateStore["redeem"]> => store.redeem(keyOf(callId), `g-${callId}`, "d1", now);

  describe(name, () => {
    it("reserves until the limit and says what is left", async () => {
      const store = await create();
      expect(await spend(store, "a", { want: 7 })).toMatchObject({ status: "committed", reserved: { calls: 7 } });
      expect(await spend(store, "b", { want: 4 })).toEqual({ status: "exhausted", unit: "calls", remaining: 3 });
      expect(await spend(store, "c", { want: 3 })).toMatchObject({ status: "committed" });
      expect(await spend(store, "d")).toMatchObject({ status: "exhausted", remaining: 0 });
    });

    it("reserves a part where a part is of use, and the same on every account", async () => {
      const store = await create();
      const reservation = {
        unit: "records",
        want: 50,
        atLeast: 1,
        refundable: true,
        accounts: [
          { id: "child", limit: 20 },
          { id: "parent", limit: 12 },
        ],
      };
      expect(await store.commit(commitOf({ reservations: [reservation] }))).toMatchObject({ reserved: { records: 12 } });
      expect(await store.commit(commitOf({ callId: "c2", reservations: [{ ...reservation, accounts: [{ id: "child", limit: 20 }] }] }))).toMatchObject({
        reserved: { records: 8 },
      });
    });

    it("says what counts on each account: reserved or spent, until it is given back or its time is over", async () => {
      const store = await create();
      const spent = (now = NOW, tenantId = "t1"): Promise<readonly number[]> => store.spent(tenantId, ["acc", "none", "win", "acc"], now);
      expect(await spent()).toEqual([0, 0, 0, 0]);
      expect(await store.spent("t1", [], NOW)).toEqual([]);
      await spend(store, "a", { want: 4 });
      await spend(store, "b", { want: 3 });
      await spend(store, "w", { want: 2, account: "win", window: 5000 });
      expect(await spent()).toEqual([7, 0, 2, 7]);
      expect(await spent(NOW, "t2")).toEqual([0, 0, 0, 0]);
      for (const call of ["a", "w"]) expect(await redeem(store, call)).toBe("redeemed");
      await settle(store, "a", "commit", { calls: 1 });
      await settle(store, "w", "commit");
      expect(await spent()).toEqual([4, 0, 2, 4]);
      expect(await spent(NOW + 1000)).toEqual([1, 0, 2, 1]);
      expect(await spent(NOW + 5000)).toEqual([1, 0, 0, 1]);
      expect(await redeem(store, "b"), "who only looked has ended nothing").toBe("redeemed");
    });

    it("counts a unit by its own name, also where that is an inherited one", async () => {
      const store = await create();
      for (const unit of ["__proto__", "constructor", "toString"]) {
        const answer = await spend(store, unit, { unit, want: 3, account: unit });
        expect(Object.entries("reserved" in answer ? answer.reserved : {})).toEqual([[unit, 3]]);
        expect(await spend(store, unit, { unit, want: 3, account: unit })).toMatchObject({ status: "repeated" });
        await redeem(store, unit);
        await settle(store, unit, "commit", Object.fromEntries([[unit, 1]]));
        expect(await spend(store, `${unit} again`, { unit, want: 10, account: unit })).toMatchObject({ status: "exhausted", unit, remaining: 9 });
      }
    });

    it("takes nothing from any account when one of them refuses", async () => {
      const store = await create();
      const [open, full] = [
        { id: "open", limit: 1 },
        { id: "full", limit: 0 },
      ];
      expect(await store.commit(commitOf({ reservations: [{ unit: "calls", want: 1, atLeast: 1, refundable: true, accounts: [open, full] }] }))).toMatchObject({
        status: "exhausted",
      });
      expect(
        await store.commit(commitOf({ callId: "c2", reservations: [{ unit: "calls", want: 1, atLeast: 1, refundable: true, accounts: [open] }] })),
      ).toMatchObject({
        status: "committed",
      });
    });

    it("never overshoots under parallel debits", async () => {
      const store = await create();
      const answers = await Promise.all(Array.from({ length: 500 }, (_, index) => spend(store, `c${index}`, { limit: 100 })));
      expect(answers.filter(({ status }) => status === "committed")).toHaveLength(100);
    });

    it("answers the same call with what was committed, once, however often it is asked in parallel", async () => {
      const store = await create();
      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => spend(store, "same", { limit: 1, decisionId: `dec${index}` })));
      expect(answers.filter(({ status }) => status === "committed")).toHaveLength(1);
      expect(new Set(answers.map((answer) => ("decisionId" in answer ? answer.decisionId : "none"))).size).toBe(1);
    });

    it("redeems a grant at most once", async () => {
      const store = await create();
      await spend(store, "a");
      const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(store, "a")));
      expect(answers.filter((answer) => answer === "redeemed")).toHaveLength(1);
      expect(answers.filter((answer) => answer === "replayed")).toHaveLength(19);
      expect(await spend(store, "a")).toEqual({ status: "spent" });
    });

    it("redeems no grant of another call, digest, envelope, tenant or name, and none too late", async () => {
      const store = await create();
      await spend(store, "a");
      expect(await store.redeem({ ...keyOf("a"), tenantId: "t2" }, "g-a", "d1", NOW)).toBe("unknown");
      expect(await store.redeem({ ...keyOf("a"), envelopeId: "e2" }, "g-a", "d1", NOW)).toBe("unknown");
      expect(await store.redeem(keyOf("b"), "g-a", "d1", NOW)).toBe("unknown");
      expect(await store.redeem(keyOf("a"), "g-b", "d1", NOW)).toBe("unknown");
      expect(await store.redeem(keyOf("a"), "g-a", "d2", NOW)).toBe("unknown");
      expect(await store.redeem(keyOf("constructor"), "g-a", "d1", NOW)).toBe("unknown");
      expect(await redeem(store, "a", NOW + 1000)).toBe("expired");
      expect(await redeem(store, "a", Number.NaN)).toBe("expired");
    });

    it("settles no call of another envelope, decision or grant", async () => {
      const store = await create();
      await spend(store, "a", { want: 10 });
      await redeem(store, "a");
      const settlement = { ...keyOf("a"), decisionId: "dec1", grantId: "g-a", action: "release", used: {}, observed: true } as const;
      expect(await store.settle({ ...settlement, envelopeId: "e2" })).toBeUndefined();
      expect(await store.settle({ ...settlement, decisionId: "dec2" })).toBeUndefined();
      expect(await store.settle({ ...settlement, grantId: "g-b" })).toBeUndefined();
      expect((await store.facts("t1", "l1")).labels.integrity).toBe("trusted");
      expect(await spend(store, "b")).toMatchObject({ status: "exhausted" });
      expect(await store.settle(settlement)).toBeDefined();
    });

    it("tells the calls of two envelopes apart, whatever ids they share", async () => {
      const store = await create();
      await spend(store, "a", { want: 4 });
      expect(await spend(store, "a", { envelopeId: "e2", want: 4, decisionId: "dec2" })).toMatchObject({ status: "committed", decisionId: "dec2" });
      expect(await spend(store, "b", { want: 3 })).toMatchObject({ status: "exhausted", remaining: 2 });
    });

    it.each([Number.NaN, -1, 0.5, Infinity, 2 ** 53])("refuses a reservation of %d, and takes nothing", async (bad) => {
      const store = await create();
      await expect(spend(store, "a", { want: bad })).rejects.toBeInstanceOf(Error);
      await expect(spend(store, "a", { want: 1, atLeast: bad })).rejects.toBeInstanceOf(Error);
      expect(await spend(store, "a", { want: 10 })).toMatchObject({ status: "committed", reserved: { calls: 10 } });
      expect(await spend(store, "b")).toMatchObject({ status: "exhausted", remaining: 0 });
    });

    it("decides other arguments under an id afresh, and leaves what was reserved as it was when they do not fit", async () => {
      const store = await create();
      await spend(store, "a", { want: 6 });
      expect(await spend(store, "a", { callDigest: "d2", want: 11 })).toMatchObject({ status: "exhausted", remaining: 10 });
      expect(await spend(store, "b", { want: 5 })).toMatchObject({ status: "exhausted", remaining: 4 });
      expect(await spend(store, "a", { callDigest: "d2", want: 9, grant: { id: "g-2", expiresAt: NOW + 1000 } })).toMatchObject({ status: "committed" });
      expect(await redeem(store, "a")).toBe("unknown");
      expect(await spend(store, "b", { want: 2 })).toMatchObject({ status: "exhausted", remaining: 1 });
      expect(await store.redeem(keyOf("a"), "g-2", "d2", NOW)).toBe("redeemed");
    });

    it("lets a grant stand that other arguments under its id did not replace", async () => {
      const store = await create();
      await spend(store, "a", { want: 10 });
      await spend(store, "a", { callDigest: "d2", want: 11 });
      expect(await redeem(store, "a")).toBe("redeemed");
      expect(await spend(store, "b")).toMatchObject({ status: "exhausted", remaining: 0 });
    });

    it.each([
      ["release", false, 4],
      ["release", true, 10],
      ["cancel", false, 10],
      ["undo", false, 10],
    ] as const)("by %s of what is refundable: %j leaves %d", async (action, refundable, left) => {
      const store = await create();
      await spend(store, "a", { want: 6, refundable });
      if (action !== "cancel") await redeem(store, "a");
      await settle(store, "a", action);
      expect(await spend(store, "b", { want: 11, now: NOW + 9999 })).toMatchObject({ status: "exhausted", remaining: left });
      expect(await spend(store, "a", { want: left })).toMatchObject({ status: "committed" });
    });

    it("counts what failed within a window, when it is not refundable", async () => {
      const store = await create();
      await spend(store, "a", { unit: "rate", limit: 1, window: 1000, refundable: false });
      await redeem(store, "a");
      await settle(store, "a", "release");
      expect(await spend(store, "b", { unit: "rate", limit: 1, window: 1000, now: NOW + 999 })).toMatchObject({ status: "exhausted", unit: "rate" });
      const later = { now: NOW + 1000, grant: { id: "g-b", expiresAt: NOW + 9000 } };
      expect(await spend(store, "b", { unit: "rate", limit: 1, window: 1000, ...later })).toMatchObject({ status: "committed" });
    });

    it("holds nothing for a grant that expired unused, and for one that was used until it is settled", async () => {
      const store = await create();
      await spend(store, "a", { want: 10 });
      expect(await spend(store, "b", { now: NOW + 999 })).toMatchObject({ status: "exhausted" });
      expect(await spend(store, "b", { now: NOW + 1000, grant: { id: "g-b", expiresAt: NOW + 2000 } })).toMatchObject({ status: "committed" });
      await redeem(store, "b", NOW + 1000);
      expect(await spend(store, "c", { want: 10, now: NOW + 5000, grant: { id: "g-c", expiresAt: NOW + 9000 } })).toMatchObject({
        status: "exhausted",
        remaining: 9,
      });
    });

    it("redeems no grant of which another call has what it held, whatever the clock of whoever asks", async () => {
      const store = await create();
      await spend(store, "a", { want: 10 });
      expect(await spend(store, "b", { want: 10, now: NOW + 1000, grant: { id: "g-b", expiresAt: NOW + 9000 } })).toMatchObject({ status: "committed" });
      expect(await redeem(store, "a", NOW + 999)).toBe("expired");
    });

    it("debits an account twice that is named twice", async () => {
      const store = await create();
      const reservation = { want: 6, atLeast: 6, refundable: true, accounts: [{ id: "acc", limit: 10 }] };
      const reservations = ["calls", "records"].map((unit) => ({ ...reservation, unit }));
      expect(await store.commit(commitOf({ reservations }))).toEqual({ status: "exhausted", unit: "records", remaining: 4 });
      expect(await spend(store, "a", { want: 10 })).toMatchObject({ status: "committed" });
    });

    it.each([Number.NaN, -1, 0.5, Infinity])("refuses a limit of %s, and to settle with as much used, and changes nothing", async (amount) => {
      const store = await create();
      await expect(spend(store, "a", { limit: amount })).rejects.toThrow("");
      await spend(store, "a", { want: 6 });
      await redeem(store, "a");
      await expect(settle(store, "a", "commit", { calls: amount })).rejects.toThrow("");
      expect(await settle(store, "a", "commit", { calls: 2 })).toBeDefined();
      expect(await spend(store, "b", { want: 9 })).toMatchObject({ status: "exhausted", remaining: 8 });
    });

    it.each([
      ["commit", { calls: 2 }, 8],
      ["commit", { calls: 99 }, 4],
      ["commit", {}, 4],
      ["release", {}, 10],
    ] as const)("settles by %s with %j, and no second time", async (action, used, left) => {
      const store = await create();
      await spend(store, "a", { want: 6 });
      await redeem(store, "a");
      expect(await settle(store, "a", action, used)).toEqual({ labels: LABELS, reserved: { calls: 6 } });
      expect(await settle(store, "a", "release")).toBeUndefined();
      expect(await spend(store, "b", { want: left + 1, now: NOW + 9999, grant: { id: "g", expiresAt: NOW + 99_999 } })).toMatchObject({
        status: "exhausted",
        remaining: left,
      });
    });

    it("lets a paused call go on, once for each pause, with what it reserved and as the call that it was", async () => {
      const store = await create();
      const again = (grantId: string, change = {}): Promise<CommitAnswer> =>
        store.commit(commitOf({ callId: "a", want: 7, limit: 7, grant: { id: grantId, expiresAt: NOW + 1000 }, ...change }));
      const start = (grantId: string, now = NOW): ReturnType<StateStore["redeem"]> => store.redeem(keyOf("a"), grantId, "d1", now);
      const end = (action: Settlement["action"], grantId: string): ReturnType<StateStore["settle"]> => settle(store, "a", action, {}, true, grantId);

      expect(await again("g-a")).toMatchObject({ status: "committed", reserved: { calls: 7 } });
      expect(await end("pause", "g-a")).toBeUndefined();
      await start("g-a");
      expect(await end("pause", "g-a")).toEqual({ labels: LABELS, reserved: { calls: 7 } });
      expect(await end("commit", "g-a")).toBeUndefined();
      expect(await start("g-a")).toBe("replayed");
      expect(await again("g-x", { callDigest: "d2" })).toEqual({ status: "spent" });
      expect(await spend(store, "b", { limit: 7 })).toMatchObject({ status: "exhausted" });

      // All that there is was reserved by itself.
      expect(await again("g-2", { decisionId: "dec1" })).toMatchObject({ status: "committed", grant: { id: "g-2" }, reserved: { calls: 7 } });
      expect(await again("g-3")).toMatchObject({ status: "repeated", grant: { id: "g-2" } });
      expect(await start("g-a")).toBe("unknown");
      // Whoever gives it up, or does not run it, leaves it paused.
      expect(await end("cancel", "g-2")).toBeDefined();
      await again("g-4");
      expect(await start("g-4", NOW + 1000)).toBe("expired");
      expect(await again("g-5", { now: NOW + 1000, grant: { id: "g-5", expiresAt: NOW + 2000 } })).toMatchObject({ status: "committed" });
      expect([await start("g-5"), await start("g-5")]).toEqual(["redeemed", "replayed"]);
      expect(await end("undo", "g-5")).toBeDefined();
      expect(await spend(store, "b", { limit: 7 })).toMatchObject({ status: "exhausted" });

      await again("g-6");
      await start("g-6");
      expect(await end("commit", "g-6")).toBeDefined();
      expect(await again("g-7")).toEqual({ status: "spent" });
      expect(await store.facts("t1", "l1")).toMatchObject({ calls: 1 });
      expect(await spend(store, "b", { limit: 8 })).toMatchObject({ status: "committed" });
    });

    it("cancels only what nobody redeemed, and undoes only what somebody did", async () => {
      const store = await create();
      await spend(store, "a", { want: 6 });
      await spend(store, "b", { want: 4 });
      await redeem(store, "b");
      expect(await settle(store, "a", "undo")).toBeUndefined();
      expect(await settle(store, "a", "cancel")).toBeDefined();
      expect(await settle(store, "b", "cancel")).toBeUndefined();
      expect(await redeem(store, "a")).toBe("unknown");
      expect(await spend(store, "c", { want: 7 })).toMatchObject({ status: "exhausted", remaining: 6 });
    });

    it("lets a call that failed be asked again under its id, with a new grant, and one that ran not", async () => {
      const store = await create();
      for (const action of ["release", "commit"] as const) {
        await spend(store, "a", { want: 10 });
        await redeem(store, "a");
        await settle(store, "a", action);
        const again = await spend(store, "a", { want: 10, grant: { id: "g-2", expiresAt: NOW + 1000 } });
        expect(again.status).toBe(action === "release" ? "committed" : "spent");
        expect(await redeem(store, "a")).toBe(action === "release" ? "unknown" : "replayed");
        if (again.status === "committed") await settle(store, "a", "cancel", {}, true, "g-2");
      }
    });

    it("frees a window as time goes by", async () => {
      const store = await create();
      for (const [index, at] of [0, 400].entries()) {
        await spend(store, `w${index}`, { limit: 2, window: 1000, now: NOW + at });
        await redeem(store, `w${index}`);
        await settle(store, `w${index}`, "commit");
      }
      expect(await spend(store, "x", { limit: 2, window: 1000, now: NOW + 999 })).toMatchObject({ status: "exhausted" });
      expect(await spend(store, "y", { limit: 2, window: 1000, now: NOW + 1000, grant: { id: "g-y", expiresAt: NOW + 9000 } })).toMatchObject({
        status: "committed",
      });
      expect(await spend(store, "z", { limit: 2, window: 1000, now: NOW + 1000 })).toMatchObject({ status: "exhausted" });
    });

    it("gives back each reservation when its own time has come, whatever became of those before it", async () => {
      const store = await create();
      const until = (callId: string, expiresAt: number, now: number): Promise<CommitAnswer> =>
        spend(store, callId, { limit: 2, now, grant: { id: `g-${callId}`, expiresAt } });
      expect(await until("a", NOW + 1000, NOW)).toMatchObject({ status: "committed" });
      expect(await until("b", NOW + 2000, NOW)).toMatchObject({ status: "committed" });
      expect(await redeem(store, "a")).toBe("redeemed");
      expect(await until("c", NOW + 9000, NOW + 1500)).toMatchObject({ status: "exhausted" }); // `a` runs, `b` may still
      expect(await until("d", NOW + 2500, NOW + 2000)).toMatchObject({ status: "committed" });
      expect(await until("e", NOW + 9000, NOW + 2499)).toMatchObject({ status: "exhausted" });
      expect(await until("f", NOW + 9000, NOW + 2500)).toMatchObject({ status: "committed" });
      expect(await settle(store, "a", "undo")).toBeDefined();
      expect(await until("g", NOW + 9000, NOW + 2500)).toMatchObject({ status: "committed" });
      expect(await until("h", NOW + 9000, NOW + 2500)).toMatchObject({ status: "exhausted" });
    });

    it("counts facts when reserved, and adds labels only of what was shown", async () => {
      const store = await create();
      await spend(store, "a");
      await spend(store, "b", { toolId: "other" });
      expect(await store.facts("t1", "l1")).toEqual({
        calls: 2,
        toolsUsed: ["other", "tool"],
        previousTool: "other",
        labels: { integrity: "trusted", dataClasses: [] },
      });
      await settle(store, "a", "commit", {}, false);
      expect((await store.facts("t1", "l1")).labels).toEqual({ integrity: "trusted", dataClasses: [] });
      await settle(store, "b", "commit");
      await store.label("t1", "l1", { integrity: "trusted", dataClasses: ["c"] }, NOW);
      expect((await store.facts("t1", "l1")).labels).toEqual({ integrity: "untrusted", dataClasses: ["a", "b", "c"] });
      expect((await store.facts("t1", "l2")).calls).toBe(0);
    });

    it("takes what may be used once with the call that it is for, and for no other", async () => {
      const store = await create();
      const once = [
        { key: "proof", until: NOW + 500 },
        { key: "approval", until: NOW + 5000 },
      ];
      expect(await spend(store, "a", { once, want: 11 })).toMatchObject({ status: "exhausted" });
      expect(await spend(store, "a", { once })).toMatchObject({ status: "committed" });
      expect(await spend(store, "a", { once })).toMatchObject({ status: "repeated" });
      expect(await spend(store, "b", { once: [{ key: "other", until: NOW + 500 }, ...once] })).toEqual({ status: "used", key: "proof" });
      expect(await spend(store, "b", { once: once.slice(1), now: NOW + 501 })).toEqual({ status: "used", key: "approval" });
      expect(await spend(store, "b", { once: [{ key: "other", until: NOW + 500 }] })).toMatchObject({ status: "committed" });
      expect(await spend(store, "c", { once, tenantId: "t2" })).toMatchObject({ status: "committed" });
      await settle(store, "a", "cancel");
      expect(await spend(store, "a", { once })).toEqual({ status: "used", key: "proof" });
    });

    it("gives what may be used once to one of many who ask at the same time", async () => {
      const store = await create();
      const once = [{ key: "proof", until: NOW + 500 }];
      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => spend(store, `c${index}`, { once, limit: 100 })));
      expect(answers.filter(({ status }) => status === "committed")).toHaveLength(1);
      expect(answers.filter(({ status }) => status === "used")).toHaveLength(49);
      expect(await spend(store, "rest", { want: 99, limit: 100 })).toMatchObject({ status: "committed" });
    });

    it("lets an envelope in once", async () => {
      const store = await create();
      expect(await store.admitted("t1", ["e1", "constructor"])).toEqual([false, false]);
      const answers = await Promise.all(Array.from({ length: 20 }, () => store.admit("t1", "e1", NOW + 500)));
      expect(answers.filter((isFirst) => isFirst)).toHaveLength(1);
      expect(await store.admitted("t1", ["e2", "e1"])).toEqual([false, true]);
      expect(await store.admitted("t2", ["e1"])).toEqual([false]);
      expect(await store.admitted("t1", [])).toEqual([]);
    });

    it("remembers the latest revocation of each scope", async () => {
      const store = await create();
      const scopes = ["envelope:a", "task:b", "constructor", "__proto__"];
      expect(await store.revokedAt("t1", scopes)).toEqual([null, null, null, null]);
      await store.revoke("t1", ["envelope:a"], 50, NOW);
      await store.revoke("t1", ["envelope:a", "task:c"], 20, NOW);
      await store.revoke("t1", ["constructor"], 70, NOW);
      expect(await store.revokedAt("t1", scopes)).toEqual([50, null, 70, null]);
      expect(await store.revokedAt("t1", ["task:c", "envelope:a", "task:c"])).toEqual([20, 50, 20]);
    });

    it("drops what nothing can ask for any longer, and nothing else", async () => {
      const store = await create();
      await spend(store, "a", { want: 10, account: "one", keepUntil: NOW + 100 });
      await spend(store, "b", { want: 10, account: "two", lineage: "l2", keepUntil: NOW + 100, once: [{ key: "long", until: NOW + 300 }] });
      await spend(store, "c", { want: 5, account: "three", lineage: "l2", keepUntil: NOW + 300, once: [{ key: "short", until: NOW + 100 }] });
      await store.label("t1", "l3", { integrity: "untrusted", dataClasses: [] }, NOW + 300);
      await store.admit("t1", "e1", NOW + 100);
      await store.admit("t1", "e2", NOW + 300);
      await store.revoke("t1", ["task:short"], 5, NOW + 100);
      await store.revoke("t1", ["task:long"], 5, NOW + 300);
      await store.revoke("t1", ["task:long"], 4, NOW + 100);
      await store.sweep(NOW + 200);
      expect((await store.facts("t1", "l1")).calls).toBe(0);
      expect((await store.facts("t1", "l2")).calls).toBe(2);
      expect((await store.facts("t1", "l3")).labels.integrity).toBe("untrusted");
      expect(await spend(store, "a", { want: 10, account: "one" })).toMatchObject({ status: "committed" });
      expect(await spend(store, "d", { want: 10, account: "two" })).toMatchObject({ status: "exhausted" });
      expect(await store.admitted("t1", ["e1", "e2"])).toEqual([false, true]);
      expect(await store.revokedAt("t1", ["task:short", "task:long"])).toEqual([null, 5]);
      expect(await spend(store, "e", { want: 0, once: [{ key: "short", until: NOW + 900 }] })).toMatchObject({ status: "committed" });
      expect(await spend(store, "f", { want: 0, once: [{ key: "long", until: NOW + 900 }] })).toMatchObject({ status: "used" });
    });

    it("mixes no two tenants, whatever ids they share", async () => {
      const store = await create();
      await spend(store, "a", { want: 10 });
      await store.revoke("t1", ["tenant"], 50, NOW);
      expect(await store.commit(commitOf({ tenantId: "t2", want: 10 }))).toMatchObject({ status: "committed" });
      expect(await store.revokedAt("t2", ["tenant"])).toEqual([null]);
      const settlement = { decisionId: "dec1", grantId: "g-a", action: "release", used: {}, observed: true } as const;
      expect(await store.settle({ ...keyOf("a"), ...settlement, tenantId: "t2" })).toBeUndefined();
      expect((await store.facts("t2", "l1")).calls).toBe(1);
    });
  });
}
