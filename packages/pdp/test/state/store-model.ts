import type { StateStore } from "@ambit/core";
import fc from "fast-check";
import { expect } from "vitest";
import { createMemoryState } from "../../src/state/memory-state.ts";
import { commitOf } from "./state-store.contract.ts";

/** What may be asked of a store, with ids so few that they meet. */
type Step =
  | {
      readonly kind: "commit";
      readonly call: number;
      readonly digest: number;
      readonly lineage: number;
      readonly accounts: readonly number[];
      readonly want: number;
      readonly atLeast: number;
      readonly limit: number;
      readonly window: boolean;
      readonly refundable: boolean;
      readonly lifetime: number;
      readonly once: number | null;
    }
  | { readonly kind: "redeem"; readonly call: number; readonly digest: number; readonly grant: number }
  | {
      readonly kind: "settle";
      readonly call: number;
      readonly grant: number;
      readonly action: "commit" | "release" | "keep" | "cancel" | "undo" | "pause";
      readonly used: number;
    }
  /** A commit and the redemption of whatever grant it has: chance alone seldom gets as far. */
  | { readonly kind: "start"; readonly call: number; readonly lineage: number; readonly account: number; readonly window: boolean }
  | { readonly kind: "reconcile"; readonly call: number; readonly isDone: boolean; readonly used: number; readonly ago: number }
  | { readonly kind: "label"; readonly lineage: number };

interface Group {
  /** Asked at the same time, and thus in one transaction where the store can. */
  readonly steps: readonly (Step & { readonly tenant: number; readonly skew: number })[];
  readonly wait: number;
  readonly sweeps: boolean;
}

const small = (max: number): fc.Arbitrary<number> => fc.nat({ max });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("commit" as const),
      call: small(3),
      digest: small(1),
      lineage: small(1),
      accounts: fc.array(small(2), { maxLength: 3 }),
      want: small(4),
      atLeast: small(4),
      limit: small(9),
      window: fc.boolean(),
      refundable: fc.boolean(),
      lifetime: fc.constantFrom(0, 5, 20, 1000),
      once: fc.option(small(2)),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("redeem" as const), call: small(3), digest: small(1), grant: small(4) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      call: small(3),
      grant: small(4),
      action: fc.constantFrom("commit", "release", "keep", "cancel", "undo", "pause"),
      used: small(5),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("start" as const), call: small(3), lineage: small(1), account: small(2), window: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("reconcile" as const),
      call: small(3),
      isDone: fc.boolean(),
      used: small(5),
      ago: fc.constantFrom(-1000, 0, 7),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("label" as const), lineage: small(1) }) },
);
const group: fc.Arbitrary<Group> = fc.record({
  steps: fc.array(
    fc.tuple(step, small(1), fc.constantFrom(0, 0, 3, -4)).map(([one, tenant, skew]) => ({ ...one, tenant, skew })),
    { minLength: 1, maxLength: 6 },
  ),
  wait: fc.constantFrom(0, 1, 7, 30, 500),
  sweeps: fc.nat({ max: 9 }).map((roll) => roll === 0),
});

/**
 * Holds when a store answers whatever it is asked as memory does, and has the same facts in the end. `inTurn`: it is asked one thing after another, as what is asked at the
 * same time may be answered in another order.
 */
export async function expectLikeMemory(open: () => Promise<StateStore & { close(): Promise<void> }>, numRuns: number, inTurn = false): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(group, { minLength: 1, maxLength: 14 }), async (groups) => {
      const store = await open();
      const memory = createMemoryState();
      let now = 1_000_000;
      try {
        for (const { steps, wait, sweeps } of groups) {
          now += wait;
          const ask = async (state: StateStore): Promise<readonly unknown[]> => {
            if (!inTurn) return Promise.all(steps.map((one) => run(state, one, now + one.skew)));
            const answers: unknown[] = [];
            for (const one of steps) answers.push(await run(state, one, now + one.skew));
            return answers;
          };
          expect(await ask(store)).toEqual(await ask(memory));
          if (sweeps) await Promise.all([store.sweep(now), memory.sweep(now)]);
          for (const tenant of ["t0", "t1"]) {
            expect(await store.unsettled(tenant, undefined, 100)).toEqual(await memory.unsettled(tenant, undefined, 100));
            for (const lineage of ["l0", "l1"]) {
              expect(await store.facts(tenant, lineage)).toEqual(await memory.facts(tenant, lineage));
              const accounts = ["a0", "a1", "a2"].map((account) => `${lineage}/${account}`);
              expect(await store.spent(tenant, accounts, now)).toEqual(await memory.spent(tenant, accounts, now));
            }
          }
        }
      } finally {
        await store.close();
      }
    }),
    { numRuns },
  );
}

async function run(state: StateStore, one: Group["steps"][number], now: number): Promise<unknown> {
  const tenantId = `t${one.tenant}`;
  if (one.kind === "label") return state.label(tenantId, `l${one.lineage}`, { integrity: "untrusted", dataClasses: [`c${now % 3}`] }, now + 200);
  // A call is its lineage's: here they go by the same envelope.
  const key = { tenantId, envelopeId: `e${one.call % 2}`, callId: `c${one.call}` };
  if (one.kind === "redeem") return state.redeem(key, `g${one.grant}`, `d${one.digest}`, now);
  if (one.kind === "reconcile") {
    const used = one.used === 5 ? {} : { calls: one.used };
    return state.reconcile({ ...key, outcome: one.isDone ? "done" : "not_run", used, startedBefore: now - one.ago });
  }
  if (one.kind === "settle") {
    const { action, used, grant } = one;
    return state.settle({ ...key, decisionId: "dec", grantId: `g${grant}`, action, used: used === 5 ? {} : { calls: used }, observed: used % 2 === 0 });
  }
  const lineage = `l${one.lineage}`;
  if (one.kind === "start") {
    const accounts = [{ id: `${lineage}/a${one.account}`, limit: 9, ...(one.window ? { window: 10 } : {}) }];
    const reservations = [{ unit: "calls", want: 2, atLeast: 2, refundable: true, accounts }];
    const grant = { id: "g0", expiresAt: now + 20 };
    const answer = await state.commit({ ...commitOf(), ...key, lineage, callDigest: "d0", decisionId: "dec", reservations, grant, keepUntil: now + 1000, now });
    return [answer, "grant" in answer ? await state.redeem(key, answer.grant.id, "d0", now) : "none"];
  }
  const window = one.window ? { window: 10 } : {};
  const accounts = one.accounts.map((id) => ({ id: `${lineage}/a${id}`, limit: one.limit, ...window }));
  const { want, refundable } = one;
  return state.commit({
    ...commitOf(),
    ...key,
    lineage,
    callDigest: `d${one.digest}`,
    decisionId: "dec",
    toolId: `tool${one.digest}`,
    reservations: [{ unit: "calls", want, atLeast: Math.min(want, one.atLeast), refundable, accounts }],
    grant: { id: `g${(now + one.digest) % 5}`, expiresAt: now + one.lifetime },
    once: one.once === null ? [] : [{ key: `o${one.once}`, until: now + 15 }],
    keepUntil: now + 1000,
    now,
  });
}
