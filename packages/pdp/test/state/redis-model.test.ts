import type { Labels, StateStore, UnsettledCall } from "@ambit/core";
import fc from "fast-check";
import { createClient } from "redis";
import { afterAll, describe, expect, it } from "vitest";
import { createMemoryState } from "../../src/state/memory-state.ts";
import { createRedisState } from "../../src/state/redis/index.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "./redis-store.ts";
import { expectLikeMemory } from "./store-model.ts";

const isThere = await hasRedis();
const isDeep = process.env["AMBIT_DEEP"] === "full";
const prefix = newPrefix();

/** Long before any clock of the server, so that it is their `now` that counts. */
const START = 1_000_000;

/** Ids that end a hash tag, a text or a string, that are inherited names, or that UTF-8 cannot tell apart. */
const HOSTILE = ["}", "{", ":", "a", '"', "\\", "\0", "\ud800", "\udc00", "\ufffd", "__proto__", "constructor", "", "a}:due", '"l', "\u00ff", "%003a"];
const id = fc.constantFrom(...HOSTILE);
const short = fc.oneof({ weight: 6, arbitrary: fc.constant("a") }, { weight: 1, arbitrary: fc.constantFrom("}", "\ud800", "\ufffd") });
const amount = fc.oneof(
  { weight: 40, arbitrary: fc.integer({ min: 0, max: 6 }) },
  { weight: 4, arbitrary: fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1, 2 ** 52) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, -1, 0.5, 2 ** 53, Infinity) },
);
const limit = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 12 }) },
  { weight: 2, arbitrary: fc.constantFrom(Number.MAX_SAFE_INTEGER, 2 ** 53 - 3) },
);
const labels: fc.Arbitrary<Labels> = fc.record({
  integrity: fc.constantFrom("trusted", "untrusted"),
  dataClasses: fc.uniqueArray(id, { maxLength: 3 }).map((classes) => classes.sort()),
});
const unit = fc.constantFrom("calls", "records", "__proto__", "constructor");
const key = { tenantId: short, envelopeId: short, callId: short };
const grant = fc.constantFrom("g", "g", "g", "\ud800");
const digest = fc.constantFrom("d", "d", "d", "e");
const decision = fc.constantFrom("dec", "dec", "dec", "\ufffd");

/** One step: how much later it is, and what is asked. The accounts of a lineage are its own, as those of envelopes are. */
const step = fc.tuple(
  fc.constantFrom(0, 0, 0, 1, 40, 100),
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        method: fc.constant("commit" as const),
        ...key,
        lineage: short,
        callDigest: digest,
        decisionId: decision,
        toolId: id,
        grantId: grant,
        lifetime: fc.constantFrom(0, 1, 50, 200),
        keepFor: fc.constantFrom(0, 100, 1000),
        labels,
        once: fc.array(fc.record({ key: id, lasts: fc.constantFrom(0, 50, 500) }), { maxLength: 2 }),
        reservations: fc.uniqueArray(
          fc.record({
            unit,
            want: amount,
            atLeast: amount,
            refundable: fc.boolean(),
            accounts: fc.array(fc.record({ id: short, limit, window: fc.constantFrom(undefined, undefined, 0, 60, 300) }), { maxLength: 3 }),
          }),
          { maxLength: 2, selector: (reservation) => reservation.unit },
        ),
      }),
    },
    { weight: 4, arbitrary: fc.record({ method: fc.constant("redeem" as const), ...key, grantId: grant, callDigest: digest }) },
    {
      weight: 4,
      arbitrary: fc.record({
        method: fc.constant("settle" as const),
        ...key,
        decisionId: decision,
        grantId: grant,
        action: fc.constantFrom("commit", "commit", "release", "keep", "cancel", "undo", "pause"),
        used: fc.dictionary(unit, fc.integer({ min: 0, max: 8 })),
        observed: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        method: fc.constant("reconcile" as const),
        ...key,
        outcome: fc.constantFrom("done", "not_run"),
        used: fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.dictionary(unit, fc.integer({ min: 0, max: 8 })) }),
        ago: fc.constantFrom(-1000, -1000, 0, 40),
      }),
    },
    { weight: 1, arbitrary: fc.record({ method: fc.constant("unsettled" as const), tenantId: short }) },
    { weight: 1, arbitrary: fc.record({ method: fc.constant("facts" as const), tenantId: short, lineage: short }) },
    {
      weight: 2,
      arbitrary: fc.record({ method: fc.constant("spent" as const), tenantId: short, lineage: short, accounts: fc.array(short, { maxLength: 3 }) }),
    },
    { weight: 1, arbitrary: fc.record({ method: fc.constant("label" as const), tenantId: short, lineage: short, labels, keepFor: fc.constantFrom(0, 500) }) },
    { weight: 1, arbitrary: fc.record({ method: fc.constant("admit" as const), tenantId: short, envelopeId: id, keepFor: fc.constantFrom(0, 100) }) },
    { weight: 1, arbitrary: fc.record({ method: fc.constant("admitted" as const), tenantId: short, envelopeIds: fc.array(id, { maxLength: 4 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        method: fc.constant("revoke" as const),
        tenantId: short,
        scopes: fc.array(id, { maxLength: 3 }),
        at: fc.nat(100),
        keepFor: fc.constantFrom(0, 100),
      }),
    },
    { weight: 1, arbitrary: fc.record({ method: fc.constant("revokedAt" as const), tenantId: short, scopes: fc.array(id, { maxLength: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ method: fc.constant("sweep" as const) }) },
  ),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(store: StateStore, [, asked]: Step, now: number): Promise<unknown> {
  switch (asked.method) {
    case "commit": {
      const { lifetime, keepFor, grantId, once, reservations, ...commit } = asked;
      return store.commit({
        ...commit,
        grant: { id: grantId, expiresAt: now + lifetime },
        keepUntil: now + keepFor,
        once: once.map(({ key: name, lasts }) => ({ key: name, until: now + lasts })),
        reservations: reservations.map(({ accounts, ...reservation }) => ({
          ...reservation,
          accounts: accounts.map(({ id: account, limit: most, window }) => ({
            id: `${commit.lineage}/${account}`,
            limit: most,
            ...(window === undefined ? {} : { window }),
          })),
        })),
        now,
      });
    }
    case "redeem":
      return store.redeem(asked, asked.grantId, asked.callDigest, now);
    case "settle":
      return store.settle(asked);
    case "reconcile": {
      const { ago, ...reconciliation } = asked;
      return store.reconcile({ ...reconciliation, startedBefore: now - ago });
    }
    case "unsettled":
      // In an order of the store's own.
      return (await store.unsettled(asked.tenantId, undefined, 100)).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    case "facts":
      return store.facts(asked.tenantId, asked.lineage);
    case "spent":
      return store.spent(
        asked.tenantId,
        asked.accounts.map((account) => `${asked.lineage}/${account}`),
        now,
      );
    case "label":
      return store.label(asked.tenantId, asked.lineage, asked.labels, now + asked.keepFor);
    case "admit":
      return store.admit(asked.tenantId, asked.envelopeId, now + asked.keepFor);
    case "admitted":
      return store.admitted(asked.tenantId, asked.envelopeIds);
    case "revoke":
      return store.revoke(asked.tenantId, asked.scopes, asked.at, now + asked.keepFor);
    case "revokedAt":
      return store.revokedAt(asked.tenantId, asked.scopes);
    case "sweep":
      return store.sweep(now);
  }
}

/** Questions of one kind that follow each other, to be asked at the same time, as they then come to one script. */
function togetherOf(steps: readonly Step[]): readonly (readonly Step[])[] {
  const scriptOf = ([, { method }]: Step): string => (["redeem", "settle", "reconcile"].includes(method) ? "end" : method);
  const groups: Step[][] = [];
  for (const asked of steps) {
    const group = groups.at(-1);
    const first = group?.[0];
    const isSame = first !== undefined && scriptOf(first) === scriptOf(asked) && ["commit", "end"].includes(scriptOf(asked));
    if (isSame) group?.push(asked);
    else groups.push([asked]);
  }
  return groups;
}

function nameOf({ envelopeId, callId }: UnsettledCall): string {
  return JSON.stringify([envelopeId, callId]);
}

function kindOf(answer: unknown): string {
  return typeof answer === "object" && answer !== null && "status" in answer ? String(answer.status) : typeof answer === "string" ? answer : typeof answer;
}

afterAll(async () => {
  if (isThere) await removeKeys(prefix);
});

describe.skipIf(!isThere)("the Redis store", () => {
  it("answers whatever is asked of a few calls, in whatever order, as memory does", { timeout: 600_000 }, async () => {
    const client = await createClient({ url: REDIS_URL }).connect();
    let run = 0;
    await expectLikeMemory(() => createRedisState({ client, prefix: `${prefix}:few-${(run += 1)}`, timeout: 5000 }), isDeep ? 2000 : 60, true);
    client.destroy();
  });

  it("answers any sequence of questions as the memory store does, whether they come one after another or at the same time", { timeout: 600_000 }, async () => {
    const client = await createClient({ url: REDIS_URL }).connect();
    let run = 0;
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const [memory, redis] = [createMemoryState(), await createRedisState({ client, prefix: `${prefix}:${(run += 1)}`, timeout: 5000 })];
        let now = START;
        for (const together of togetherOf(steps)) {
          const asked = together.map((one) => [one, (now += one[0])] as const);
          const [expected, answers] = await Promise.all(
            [memory, redis].map((store) => Promise.all(asked.map(([one, at]) => take(store, one, at).catch((error: Error) => error.name)))),
          );
          expect(answers).toEqual(expected);
          for (const [index, [, { method }]] of together.entries()) {
            const kind = `${method}: ${kindOf(expected?.[index])}`;
            seen.set(kind, (seen.get(kind) ?? 0) + 1);
          }
        }
      }),
      { numRuns: isDeep ? 10_000 : 400 },
    );
    client.destroy();
    // What never came up was not compared.
    const answers = ["committed", "repeated", "exhausted", "spent", "used", "RangeError"].map((status) => `commit: ${status}`);
    const others = ["redeem: redeemed", "redeem: replayed", "redeem: expired", "redeem: unknown", "settle: object", "settle: undefined"];
    for (const kind of [...answers, ...others]) expect(seen.get(kind), kind).toBeGreaterThan(0);
  });
});
