import type { StatePart } from "@ambit/pdp";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { BEGIN, codeOf, outcomeOf, rejection } from "../support/fixture.ts";
import { openPdp, READ, settingOf } from "./configured.ts";
import { hasPostgres, newSchema, POSTGRES_URL, removeSchema } from "./postgres-schema.ts";
import { SPOILS, startProxy, type Fault, type Proxy } from "./proxy.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "./redis-store.ts";

interface Store {
  readonly name: string;
  readonly isThere: boolean;
  readonly url: string;
  /** What is asked of it when a call is decided: to read, and to take from budgets. */
  readonly moments: readonly (readonly [string, from: string | undefined])[];
  stateAt(url: string): StatePart;
}

const [schema, prefix] = [newSchema(), newPrefix()];
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  if (STORES[0]?.isThere === true) await removeSchema(schema);
  if (STORES[1]?.isThere === true) await removeKeys(prefix);
});

const STORES: readonly Store[] = [
  {
    name: "PostgreSQL",
    isThere: await hasPostgres(),
    url: POSTGRES_URL,
    moments: [
      ["from the first question on", undefined],
      ["in the middle of a transaction", "load_2"],
      ["when a transaction is to end", "save_2"],
    ],
    stateAt: (url) => ({ kind: "postgres", url, schema }),
  },
  {
    name: "Redis",
    isThere: await hasRedis(),
    url: REDIS_URL,
    moments: [
      ["from the first question on", undefined],
      ["when a call is committed", "contracts.read"],
    ],
    stateAt: (url) => ({ kind: "redis", url, prefix }),
  },
];

/** Milliseconds: the store has 500 for one question. */
const SOON = 3000;
const FAULTS: readonly Fault[] = ["drop", "blackhole", ...SPOILS];

for (const { name, isThere, url, moments, stateAt } of STORES) {
  const proxied = async (): Promise<{ readonly proxy: Proxy; readonly state: StatePart }> => {
    const { hostname, port } = new URL(url);
    const proxy = await startProxy(hostname, Number(port === "" ? (name === "Redis" ? 6379 : 5432) : port));
    closing.push(() => proxy.close());
    const through = new URL(url);
    [through.hostname, through.port] = ["127.0.0.1", String(proxy.port)];
    return { proxy, state: stateAt(through.href) };
  };
  const cases = FAULTS.flatMap((how) => moments.filter(([, from]) => from === undefined || how !== "drop").map(([when, from]) => [how, when, from] as const));

  describe.skipIf(!isThere)(`${name} that`, () => {
    it.each(cases)("%s, %s, denies soon and runs no tool, and is used again without a restart", async (how, _, from) => {
      const { proxy, state } = await proxied();
      const { pdp, pep } = await openPdp(await settingOf(state));
      closing.push(() => pdp.close());
      const task = await pep.begin(BEGIN);
      expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
      let runs = 0;
      await proxy.cut(how, from);
      const startedAt = performance.now();
      const enforced = await pep.enforce({ envelope: task, tool: READ[0], arguments: READ[1] }, () => (runs++, READ[2]));
      expect([codeOf(enforced), runs]).toEqual(["state_unavailable", 0]);
      expect(performance.now() - startedAt).toBeLessThan(SOON);
      await proxy.mend();
      await vi.waitFor(async () => expect(await outcomeOf(pep, task, ...READ)).toBe("permit"), { timeout: 10_000, interval: 20 });
    });

    it.each(FAULTS)("%s is not started with", async (how) => {
      const { proxy, state } = await proxied();
      await proxy.cut(how);
      expect(await rejection(openPdp(await settingOf(state)))).toBe("state_unavailable");
    });
  });
}
