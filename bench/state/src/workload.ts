import type { Commit, StateStore } from "@ambit/core";

/** What is counted: one commit, one redemption or one settlement. */
export type Operation = "commit, 1 account" | "commit, 3 accounts" | "redeem and settle";

export const OPERATIONS: readonly Operation[] = ["commit, 1 account", "commit, 3 accounts", "redeem and settle"];

/** Runs so many operations, so many at a time, and answers the milliseconds that they took; what comes before and after them is not counted. */
export type Batch = (count: number, concurrency: number) => Promise<number>;

const TENANT = "tenant_acme";
const HOUR = 3_600_000;

/** Calls of one envelope, all of which debit the same accounts: those of the envelope and of its ancestors. Throws when one of them is refused: that is not what is timed. */
export function batchOf(operation: Operation, store: StateStore): Batch {
  const accounts = operation === "commit, 3 accounts" ? 3 : 1;
  return async (count, concurrency) => {
    // A settlement comes with each redemption.
    const isSettled = operation === "redeem and settle";
    const calls = Array.from({ length: isSettled ? Math.ceil(count / 2) : count }, () => nextCommit(accounts));
    const commit = (call: Commit): Promise<void> => expected("committed", async () => (await store.commit(call)).status);
    const redeem = (call: Commit): Promise<void> => expected("redeemed", () => store.redeem(call, call.grant.id, call.callDigest, Date.now()));
    const settle = (call: Commit, action: "commit" | "cancel"): Promise<void> =>
      expected("settled", async () => {
        const settlement = { ...call, grantId: call.grant.id, action, used: {}, observed: false };
        return (await store.settle(settlement)) === undefined ? "unknown" : "settled";
      });
    if (isSettled) {
      await inLanes(calls, 64, commit);
      return (
        (await timed(() =>
          inLanes(calls, concurrency, async (call) => {
            await redeem(call);
            await settle(call, "commit");
          }),
        )) *
        (count / (2 * calls.length))
      );
    }
    const milliseconds = await timed(() => inLanes(calls, concurrency, commit));
    // What is live is as much as that of a busy agent, however long this runs.
    await inLanes(calls, 64, (call) => settle(call, "cancel"));
    return milliseconds;
  };
}

/** Something bare, for comparison: `update` is told which of the lanes asks; `clean` removes what is left behind, and is not counted. */
export function bareBatch(update: (lane: number) => Promise<unknown>, clean = async (): Promise<void> => undefined): Batch {
  return async (count, concurrency) => {
    const items = Array.from({ length: count }, () => undefined);
    const milliseconds = await timed(() => inLanes(items, concurrency, async (_, lane) => void (await update(lane))));
    await clean();
    return milliseconds;
  };
}

export async function inLanes<T>(items: readonly T[], lanes: number, work: (item: T, lane: number) => Promise<void>): Promise<void> {
  let next = 0;
  const run = async (_: unknown, lane: number): Promise<void> => {
    while (next < items.length) await work(items[next++] as T, lane);
  };
  await Promise.all(Array.from({ length: lanes }, run));
}

let number = 0;

/** A commit that no store has seen. */
export function nextCommit(accounts: number, envelopeId = "envelope_1", lineage = "lineage_1"): Commit {
  const [id, now] = [`${process.pid}-${number++}`, Date.now()];
  return {
    tenantId: TENANT,
    lineage,
    envelopeId,
    callId: `call_${id}`,
    callDigest: "sha-256:kEw8kD1mBzt2nqHkSYRbXLO2Sg4YEIx9wb2sDHJYGRM",
    decisionId: `dec_${id}`,
    toolId: "contracts.read",
    reservations: [
      {
        unit: "calls",
        want: 1,
        atLeast: 1,
        refundable: true,
        accounts: Array.from({ length: accounts }, (_, depth) => ({ id: `${envelopeId}/${depth}/calls`, limit: Number.MAX_SAFE_INTEGER })),
      },
    ],
    grant: { id: `grant_${id}`, expiresAt: now + HOUR },
    once: [],
    labels: { integrity: "untrusted", dataClasses: ["contract_metadata"] },
    keepUntil: now + HOUR,
    now,
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function expected(status: string, ask: () => Promise<string>): Promise<void> {
  const answer = await ask();
  if (answer !== status) throw new Error(`refused: ${answer}`);
}
