import type { CallKey, CommitAnswer, Reconciliation, ReconcileAnswer, Settlement, StateStore, UnsettledCall } from "@ambit/core";
import { describe, expect, it } from "vitest";
import { commitOf } from "./state-store.contract.ts";

const NOW = 1_000_000;
const MONTH = 2_592_000_000;

/** What every state store does about calls of which nobody says how they ended; each store runs this very suite. */
export function describeUnsettledCalls(name: string, create: () => Promise<StateStore>): void {
  const keyOf = (callId: string): CallKey => ({ tenantId: "t1", envelopeId: "e1", callId });
  const commit = (store: StateStore, callId: string, change = {}): Promise<CommitAnswer> =>
    store.commit(commitOf({ callId, grant: { id: `g-${callId}`, expiresAt: NOW + 1000 }, ...change }));
  const redeem = (store: StateStore, callId: string, now = NOW + 5): ReturnType<StateStore["redeem"]> => store.redeem(keyOf(callId), `g-${callId}`, "d1", now);
  const settle = (store: StateStore, callId: string, action: Settlement["action"], used = {}): ReturnType<StateStore["settle"]> =>
    store.settle({ ...keyOf(callId), decisionId: "dec1", grantId: `g-${callId}`, action, used, observed: false });
  /** Starts a call, and says that nobody knows how it ended where `isUnknown`. */
  const start = async (store: StateStore, callId: string, change = {}, isUnknown = true): Promise<void> => {
    expect(await commit(store, callId, change)).toMatchObject({ status: "committed" });
    expect(await redeem(store, callId)).toBe("redeemed");
    if (isUnknown) expect(await settle(store, callId, "keep")).toBeDefined();
  };
  const reconcile = (store: StateStore, callId: string, change: Partial<Reconciliation> = {}): Promise<ReconcileAnswer> =>
    store.reconcile({ ...keyOf(callId), outcome: "done", used: {}, startedBefore: 0, ...change });
  const leftOf = async (store: StateStore, change = {}): Promise<number> => {
    const answer = await commit(store, "probe", { want: 11, now: NOW + 9999, grant: { id: "g", expiresAt: NOW + 99_999 }, ...change });
    return answer.status === "exhausted" ? answer.remaining : Number.NaN;
  };
  const listed = async (store: StateStore, tenantId = "t1"): Promise<readonly string[]> =>
    (await store.unsettled(tenantId, undefined, 100)).map(({ callId, state }) => `${callId} ${state}`).toSorted();

  describe(name, () => {
    it("keeps what a call reserved of which nobody knows how it ended, and settles it when they know after all", async () => {
      const store = await create();
      for (const [callId, action, left] of [
        ["a", "commit", 8],
        ["b", "release", 8],
      ] as const) {
        await start(store, callId, { want: 6 });
        for (const again of ["keep", "cancel", "undo", "pause"] as const) expect(await settle(store, callId, again)).toBeUndefined();
        expect(await commit(store, callId, { want: 6 })).toEqual({ status: "spent" });
        expect(await redeem(store, callId)).toBe("replayed");
        expect(await leftOf(store)).toBe(callId === "a" ? 4 : 2);
        expect(await settle(store, callId, action, { calls: 2 })).toMatchObject({ reserved: { calls: 6 } });
        expect(await settle(store, callId, "commit")).toBeUndefined();
        expect(await leftOf(store)).toBe(left);
      }
      expect(await listed(store)).toEqual([]);
    });

    it("lists the calls that were started and not settled, with what they hold, and no others", async () => {
      const store = await create();
      await commit(store, "reserved");
      await start(store, "running", { want: 2, toolId: "payments.send" }, false);
      await start(store, "unknown", { unit: "money/EUR", account: "eur", want: 3, lineage: "l2", envelopeId: "e1" });
      await start(store, "done", {}, false);
      await settle(store, "done", "commit");
      await start(store, "paused", {}, false);
      await settle(store, "paused", "pause");
      await start(store, "undone", {}, false);
      await settle(store, "undone", "undo");
      const all = await store.unsettled("t1", undefined, 100);
      expect(all.toSorted((a, b) => (a.callId < b.callId ? -1 : 1))).toEqual([
        {
          envelopeId: "e1",
          callId: "running",
          lineage: "l1",
          decisionId: "dec1",
          toolId: "payments.send",
          reserved: { calls: 2 },
          startedAt: NOW + 5,
          state: "running",
        },
        {
          envelopeId: "e1",
          callId: "unknown",
          lineage: "l2",
          decisionId: "dec1",
          toolId: "tool",
          reserved: { "money/EUR": 3 },
          startedAt: NOW + 5,
          state: "unknown",
        },
      ] satisfies UnsettledCall[]);
    });

    it("lists each call once, page by page, whatever their ids are", async () => {
      const store = await create();
      const ids = ['"', '""', "\\", "a", 'a"', 'a""b', "ä", "\u{10000}", "\uffff", " ", "constructor", "z"];
      for (const callId of ids) await start(store, callId, { want: 0 });
      const seen: string[] = [];
      let last: UnsettledCall | undefined;
      do {
        const page: readonly UnsettledCall[] = await store.unsettled("t1", last, 5);
        expect(page.length).toBeLessThanOrEqual(5);
        seen.push(...page.map(({ callId }) => callId));
        last = page.at(-1);
      } while (last !== undefined);
      expect(seen.toSorted()).toEqual(ids.toSorted());
      expect(await store.unsettled("t1", undefined, 0)).toEqual([]);
      for (const limit of [-1, 0.5, Number.NaN]) await expect(store.unsettled("t1", undefined, limit)).rejects.toThrow("");
    });

    it.each([
      ["done", {}, 4],
      ["done", { calls: 2 }, 8],
      ["done", { calls: 99 }, 4],
      ["not_run", {}, 10],
    ] as const)("reconciles a call as %s with %j, once", async (outcome, used, left) => {
      const store = await create();
      await start(store, "a", { want: 6, refundable: false });
      const call = { envelopeId: "e1", callId: "a", lineage: "l1", decisionId: "dec1", toolId: "tool", reserved: { calls: 6 }, startedAt: NOW + 5 };
      expect(await reconcile(store, "a", { outcome, used })).toEqual({ status: "reconciled", call });
      expect(await leftOf(store)).toBe(left);
      expect(await reconcile(store, "a", { outcome, used })).toEqual({ status: "repeated", call });
      expect(await reconcile(store, "a", { outcome: outcome === "done" ? "not_run" : "done" })).toEqual({ status: "none" });
      expect(await reconcile(store, "a", { outcome, used: { calls: 3 } })).toEqual({ status: "none" });
      for (const action of ["commit", "release", "keep", "cancel", "undo", "pause"] as const) expect(await settle(store, "a", action)).toBeUndefined();
      expect(await redeem(store, "a")).toBe("replayed");
      expect(await listed(store)).toEqual([]);
      expect(await leftOf(store)).toBe(left);
    });

    it("lets a call that never ran be asked again under its id, and one that took effect not", async () => {
      const store = await create();
      await start(store, "a", { want: 10 });
      await reconcile(store, "a", { outcome: "not_run" });
      expect(await commit(store, "a", { want: 11, grant: { id: "g-2", expiresAt: NOW + 1000 } })).toMatchObject({ status: "exhausted", remaining: 10 });
      expect(await commit(store, "a", { want: 10, callDigest: "d1", decisionId: "dec2", grant: { id: "g-2", expiresAt: NOW + 1000 } })).toMatchObject({
        status: "committed",
        decisionId: "dec2",
      });
      // What was said of the one before says nothing of this one.
      expect(await reconcile(store, "a", { outcome: "not_run" })).toEqual({ status: "none" });
      expect(await store.redeem(keyOf("a"), "g-2", "d1", NOW + 7)).toBe("redeemed");
      expect(await reconcile(store, "a", { outcome: "not_run" })).toEqual({ status: "running" });
      expect(await leftOf(store)).toBe(0);
      expect(await reconcile(store, "a", { startedBefore: NOW + 8 })).toMatchObject({ status: "reconciled", call: { decisionId: "dec2", startedAt: NOW + 7 } });
      expect(await commit(store, "a", { want: 1 })).toEqual({ status: "spent" });
    });

    it("leaves alone what may be running, what was never started, what has ended, and what is not there", async () => {
      const store = await create();
      await commit(store, "reserved", { want: 1 });
      await start(store, "running", { want: 1 }, false);
      await start(store, "done", { want: 1 }, false);
      await settle(store, "done", "commit");
      await start(store, "paused", { want: 1 }, false);
      await settle(store, "paused", "pause");
      const never = { startedBefore: Number.MAX_SAFE_INTEGER };
      for (const outcome of ["done", "not_run"] as const) {
        for (const callId of ["reserved", "done", "paused", "nothing", "constructor"])
          expect(await reconcile(store, callId, { ...never, outcome }), callId).toEqual({ status: "none" });
        expect(await reconcile(store, "running", { outcome, startedBefore: NOW + 5 })).toEqual({ status: "running" });
        expect(await reconcile(store, "running", { ...never, outcome, tenantId: "t2" })).toEqual({ status: "none" });
        expect(await reconcile(store, "running", { ...never, outcome, envelopeId: "e2" })).toEqual({ status: "none" });
      }
      expect(await listed(store)).toEqual(["running running"]);
      expect(await listed(store, "t2")).toEqual([]);
      expect(await leftOf(store)).toBe(7);
      expect(await reconcile(store, "running", { startedBefore: NOW + 6 })).toMatchObject({ status: "reconciled" });
    });

    it("takes no amount of what was not reserved, and none that is no amount, and changes nothing then", async () => {
      const store = await create();
      await start(store, "a", { want: 6 });
      for (const unit of ["records", "__proto__", "constructor"])
        expect(await reconcile(store, "a", { used: Object.fromEntries([[unit, 1]]) })).toEqual({ status: "unreserved", unit });
      for (const calls of [Number.NaN, -1, 0.5, Infinity, 2 ** 53]) await expect(reconcile(store, "a", { used: { calls } })).rejects.toThrow("");
      expect(await listed(store)).toEqual(["a unknown"]);
      expect(await leftOf(store)).toBe(4);
    });

    it("counts within its window what took effect, and not what never ran", async () => {
      const store = await create();
      const rate = { unit: "rate", limit: 2, window: 20_000, refundable: false };
      await start(store, "a", rate);
      await start(store, "b", rate);
      await reconcile(store, "a", { outcome: "not_run" });
      await reconcile(store, "b");
      expect(await leftOf(store, { ...rate, want: 3 })).toBe(1);
      expect(await leftOf(store, { ...rate, want: 3, now: NOW + 20_000 })).toBe(2);
    });

    it("goes on with a call that was paused before, and gives all of it back that a person says never ran", async () => {
      const store = await create();
      await start(store, "a", { want: 6 }, false);
      await settle(store, "a", "pause");
      expect(await commit(store, "a", { want: 6 })).toMatchObject({ status: "committed" });
      await redeem(store, "a", NOW + 9);
      expect(await store.unsettled("t1", undefined, 9)).toMatchObject([{ callId: "a", state: "running", startedAt: NOW + 9 }]);
      await settle(store, "a", "keep");
      expect(await settle(store, "a", "undo")).toBeUndefined();
      expect(await reconcile(store, "a", { outcome: "not_run" })).toMatchObject({ status: "reconciled" });
      expect(await leftOf(store)).toBe(10);
    });

    it("is reconciled once, however many say so, and not after it was settled", async () => {
      const store = await create();
      await start(store, "a", { want: 6 });
      const answers = await Promise.all(Array.from({ length: 20 }, () => reconcile(store, "a", { used: { calls: 1 } })));
      expect(answers.filter(({ status }) => status === "reconciled")).toHaveLength(1);
      expect(answers.filter(({ status }) => status === "repeated")).toHaveLength(19);
      expect(await leftOf(store)).toBe(9);
      for (let round = 0; round < 10; round += 1) {
        await start(store, `b${round}`, { want: 1 });
        const [settled, { status }] = await Promise.all([settle(store, `b${round}`, "release"), reconcile(store, `b${round}`, { outcome: "not_run" })]);
        expect([settled !== undefined, status]).toEqual(settled === undefined ? [false, "reconciled"] : [true, "none"]);
      }
      expect(await leftOf(store)).toBe(9);
    });

    it("knows it for a month after its task is over, with the accounts that it debits, and no longer", async () => {
      const store = await create();
      await start(store, "a", { want: 6, keepUntil: NOW + 100 });
      await start(store, "b", { want: 6, keepUntil: NOW + 100, lineage: "l2", account: "two" });
      await start(store, "c", { want: 6, keepUntil: NOW + 100, lineage: "l3", account: "three" }, false);
      for (const later of [NOW + 200, NOW + MONTH]) {
        await store.sweep(later);
        expect(await listed(store)).toEqual(["a unknown", "b unknown", "c running"]);
      }
      expect(await leftOf(store, { lineage: "l4", keepUntil: NOW + 100 })).toBe(4);
      // What waits for nothing any longer goes as all else does.
      await reconcile(store, "b", { outcome: "not_run" });
      await store.sweep(NOW + MONTH);
      expect(await reconcile(store, "b", { outcome: "not_run" })).toEqual({ status: "none" });
      expect((await store.facts("t1", "l2")).calls).toBe(0);
      expect((await store.facts("t1", "l1")).calls).toBe(1);
      await store.sweep(NOW + MONTH + 101);
      expect(await listed(store)).toEqual([]);
      expect(await reconcile(store, "a")).toEqual({ status: "none" });
      expect((await store.facts("t1", "l1")).calls).toBe(0);
      expect(await leftOf(store, { lineage: "l4" })).toBe(10);
    });

    it("forgets it then also where nobody looked in between", async () => {
      const store = await create();
      await start(store, "a", { want: 6, keepUntil: NOW + 100 });
      await store.sweep(NOW + MONTH + 101);
      expect(await listed(store)).toEqual([]);
      expect((await store.facts("t1", "l1")).calls).toBe(0);
      await start(store, "a", { want: 10, keepUntil: NOW + 100 });
      expect(await listed(store)).toEqual(["a unknown"]);
    });
  });
}
