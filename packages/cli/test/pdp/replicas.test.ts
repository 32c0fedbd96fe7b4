import { chainOf, type Pep, type Task } from "@ambit/core";
import type { PdpClient } from "@ambit/core/pdp-client";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { hasPostgres, newSchema, POSTGRES_URL, removeSchema } from "../../../pdp/test/state/postgres-schema.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "../../../pdp/test/state/redis-store.ts";
import { begin, call, openSite, TENANT, type Served, type Site } from "../fixtures/served.ts";

const removals: (() => Promise<unknown>)[] = [];
const STORES: readonly (readonly [string, isThere: boolean, state: () => object])[] = [
  [
    "PostgreSQL",
    await hasPostgres(),
    () => {
      const schema = newSchema();
      removals.push(() => removeSchema(schema));
      return { kind: "postgres", url: POSTGRES_URL, schema };
    },
  ],
  [
    "Redis",
    await hasRedis(),
    () => {
      const prefix = newPrefix();
      removals.push(() => removeKeys(prefix));
      return { kind: "redis", url: REDIS_URL, prefix };
    },
  ],
];
/** Of a store that did not answer in time; `policy_error` where that was asked who the delegator is. */
const UNANSWERED: ReadonlySet<string> = new Set(["state_unavailable", "policy_error", "pdp_timeout", "pdp_unavailable"]);
const NAMES = ["one", "two", "three"] as const;

afterAll(async () => {
  for (const remove of removals) await remove();
});

for (const [store, isThere, state] of STORES) {
  describe.skipIf(!isThere)(`three processes over one ${store} are one decision point:`, () => {
    let site: Site;
    let served: readonly [Served, Served, Served];
    let peps: readonly [Pep, Pep, Pep];
    beforeAll(async () => {
      site = await openSite();
      const shared = state();
      for (const name of NAMES) await site.configure(name, { state: shared });
      // One after the other: the first makes what they share.
      const running: Served[] = [];
      for (const name of NAMES) running.push(await site.serve(name));
      served = running as unknown as typeof served;
      peps = running.map(({ url }) => site.pepOf(site.connect(url))) as unknown as typeof peps;
    }, 120_000);
    afterAll(() => site.end());
    /** The same task, for the enforcement points before each of the processes. */
    const everywhere = async (task: Task): Promise<readonly Task[]> => Promise.all(peps.map((pep) => pep.receive(chainOf(task) ?? [])));
    /**
     * The same question at each of them `times` times, all at once, and how often which answer came. Where the machine is so busy that the store does not answer in time, the very call is asked again: it has been
     * decided, or was not.
     */
    const all = async (task: Task, times: number, idOf: (index: number) => string): Promise<Readonly<Record<string, number>>> => {
      const tasks = await everywhere(task);
      const counts: Record<string, number> = {};
      const ask = async (index: number): Promise<void> => {
        let code: string | undefined;
        while (code === undefined || UNANSWERED.has(code)) code = await call(peps[index % 3] as Pep, tasks[index % 3] as Task, idOf(index));
        counts[code] = (counts[code] ?? 0) + 1;
      };
      await Promise.all(Array.from({ length: times * 3 }, (_, index) => ask(index)));
      return counts;
    };

    test("a budget is spent exactly, by all of them together", async () => {
      const task = await begin(peps[0], { budgets: { calls: 20 } });
      // A call that was paid for, and whose answer was lost, has run as far as anybody can tell.
      const { permit = 0, grant_replayed: lost = 0, ...others } = await all(task, 15, (index) => `call_${index}`);
      expect([permit + lost, others]).toEqual([20, { budget_exhausted: 25 }]);
      expect(permit).toBeGreaterThan(0);
    });

    test("a call runs once, whichever of them it is asked of, and takes from the budget once", async () => {
      const task = await begin(peps[0], { budgets: { calls: 2 } });
      const { permit = 0, ...others } = await all(task, 4, () => "call_1");
      expect([permit <= 1, others]).toEqual([true, { grant_replayed: 12 - permit }]);
      const { permit: more = 0, grant_replayed: lost = 0, ...refused } = await all(task, 2, (index) => `other_${index}`);
      expect([more + lost, refused]).toEqual([1, { budget_exhausted: 5 }]);
    });

    test("an approval that is given to one of them is used once, at any of them", async () => {
      const task = await begin(peps[0], { approvals: ["contracts.read"] });
      expect(await call(peps[0], task)).toBe("approval_required");
      const listed = await site.ambit(served[1].url, "approvals", "list", "--tenant", TENANT, "--json");
      const { approvals } = JSON.parse(listed.out) as { readonly approvals: readonly { readonly id: string; readonly status: string }[] };
      const id = approvals.find(({ status }) => status === "pending")?.id ?? "";
      const approve = (url: string) => site.ambit(url, "approvals", "approve", id, "--tenant", TENANT, "--approver", "user_1");
      const answers = await Promise.all(served.map(({ url }) => approve(url)));
      expect(answers.filter(({ exitCode }) => exitCode === 0)).toHaveLength(1);
      const { permit = 0, grant_replayed: lost = 0, ...others } = await all(task, 3, (index) => `call_${index}`);
      expect([permit + lost, others]).toEqual([1, { approval_required: 8 }]);
    });

    test("what one of them revokes the others refuse within a second", async () => {
      const tasks = await everywhere(await begin(peps[0], { delegatorId: "user_2" }));
      const ask = (): Promise<readonly string[]> => Promise.all(peps.map((pep, index) => call(pep, tasks[index] as Task)));
      await vi.waitFor(async () => expect(await ask()).toEqual(["permit", "permit", "permit"]));
      expect(await site.ambit(served[2].url, "revoke", "delegator", "user_2", "--tenant", TENANT)).toMatchObject({ exitCode: 0 });
      await vi.waitFor(async () => expect(await ask()).toEqual(["envelope_revoked", "envelope_revoked", "envelope_revoked"]), { timeout: 1000, interval: 20 });
      expect(await call(peps[1], await begin(peps[1], { delegatorId: "user_3" }))).toBe("permit");
    });

    test("the proof of a call is taken once by all of them together", async () => {
      const task = await begin(peps[0]);
      const clients = served.map(({ url }) => site.connect(url));
      const [first] = clients as [PdpClient];
      let asked: Parameters<PdpClient["decide"]>[0] | undefined;
      const keeping = site.pepOf({ ...first, decide: (request) => ((asked = request), Promise.reject(new Error("kept"))) });
      await call(keeping, await keeping.receive(chainOf(task) ?? []));
      // As somebody would who has recorded it: under other ids, at each of them.
      const { context, ...request } = asked as NonNullable<typeof asked>;
      const answers = await Promise.all(
        [0, 1, 2, 3, 4, 5].map((index) =>
          (clients[index % 3] as PdpClient).decide({ ...request, context: { ...context, call_id: `${context.call_id}-${index}` } }),
        ),
      );
      const codes = answers.map(({ decision, context: { refusal } }) => (decision ? "permit" : refusal?.code));
      expect(codes.toSorted()).toEqual(["permit", ...Array<string>(5).fill("pop_replayed")]);
    });
  });
}
