import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chainOf, createPep, type Pep } from "@ambit/core";
import { generateKey, generatePrivateJwk, type SigningKey } from "@ambit/core/token";
import { createPdp, type EmbeddedPdp, type PdpConfig, type StatePart } from "@ambit/pdp";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { countRequest } from "../../src/approvals/request-count.ts";
import { createMemoryDocuments } from "../../src/state/memory-documents.ts";
import { createSqliteState } from "../../src/state/sqlite/index.ts";
import { hasPostgres, newSchema, POSTGRES_URL, removeSchema } from "../state/postgres-schema.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "../state/redis-store.ts";
import { BEGIN, CONFIG, fixture, NOW, outcomeOf, rejection } from "../support/fixture.ts";
import { deskOf, TICKET } from "./scene.ts";

const folder = mkdtempSync(join(tmpdir(), "ambit-approvals-"));
const opened: { close(): Promise<void> }[] = [];
const removals: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});
afterAll(async () => {
  for (const remove of removals) await remove();
  rmSync(folder, { recursive: true });
});

const newSqlite = (): StatePart => ({ kind: "sqlite", path: join(folder, `${randomBytes(6).toString("hex")}.db`) });
const newPostgres = (): StatePart => {
  const schema = newSchema();
  removals.push(() => removeSchema(schema));
  return { kind: "postgres", url: POSTGRES_URL, schema };
};
const newRedis = (): StatePart => {
  const prefix = newPrefix();
  removals.push(() => removeKeys(prefix));
  return { kind: "redis", url: REDIS_URL, prefix };
};
const kinds: readonly (readonly [name: string, isThere: boolean, create: () => StatePart])[] = [
  ["SQLite", true, newSqlite],
  ["PostgreSQL", await hasPostgres(), newPostgres],
  ["Redis", await hasRedis(), newRedis],
];

async function open(config: PdpConfig): Promise<{ readonly pdp: EmbeddedPdp; readonly pep: Pep }> {
  const pdp = await createPdp(config);
  opened.push(pdp);
  return { pdp, pep: createPep({ pdp, agent: "reviewer", deadline: 10_000 }) };
}

for (const [name, isThere, create] of kinds) {
  describe.skipIf(!isThere)(`requests for approval in ${name}`, () => {
    const configOf = async (key: object | undefined = undefined): Promise<PdpConfig> => ({
      ...CONFIG,
      state: create(),
      approvals: key === undefined ? {} : { key: { ...key } },
    });

    it("need a key that all who read them share: without one nothing starts", async () => {
      const config = await configOf();
      const message = await createPdp(config).then(
        () => "it started",
        (error: { readonly code: string; readonly message: string }) => `${error.code}: ${error.message}`,
      );
      expect(message).toMatch(/^config_invalid: .*"key": "approvals.jwk".*`approvals`/);
      const { pdp } = await open({ ...config, approvals: "none" });
      expect(await rejection(pdp.reload(config))).toBe("config_invalid");
    });

    it("are answered at one replica for a call of the other, without any signed envelope", async () => {
      const config = await configOf(await generatePrivateJwk("Ed25519"));
      const [one, other] = [await open(config), await open(config)];
      const task = await one.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
      const call = (): Promise<string> => outcomeOf(one.pep, task, ...TICKET);
      expect(await call()).toBe("approval_required");
      const { waiting, say } = deskOf(other.pdp);
      expect((await waiting())[0]?.request).toMatchObject({ arguments: TICKET[1], changes: { money: { amount: 5, currency: "EUR" } } });
      expect(await say()).toBe("resolved");
      expect([await call(), await call()]).toEqual(["permit", "approval_required"]);
    });

    it("are not approved by a replica with a key of its own", async () => {
      const config = await configOf(await generatePrivateJwk("Ed25519"));
      const [one, other] = [await open(config), await open({ ...config, approvals: { key: await generatePrivateJwk("Ed25519") } })];
      const task = await one.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
      expect(await outcomeOf(one.pep, task, ...TICKET)).toBe("approval_required");
      expect(await deskOf(other.pdp).say()).toBe("resolved");
      expect(await outcomeOf(one.pep, task, ...TICKET)).toBe("approval_required");
    });

    it("count together: what one replica has asked the other cannot ask as well", async () => {
      const reviewer = await generateKey();
      const config: PdpConfig = {
        ...(await configOf()),
        agents: { agents: { reviewer: { trust_zone: "first_party", ceiling: "none", keys: [reviewer.public.jwk] } } },
        signing: { issuer: "https://pdp.example", key: await generatePrivateJwk("Ed25519"), tenants: ["tenant_1"] },
        audience: ["urn:example:pdp"],
      };
      const keys: ReadonlyMap<string, SigningKey> = new Map([["reviewer", reviewer]]);
      const pdps = [await open(config), await open(config)];
      const peps = pdps.map(({ pdp }) => createPep({ pdp, agent: "reviewer", keys, deadline: 10_000 })) as [Pep, Pep];
      const task = await peps[0].begin({ ...BEGIN, approvals: ["tickets.create"] });
      const tasks = [task, await peps[1].receive(chainOf(task) ?? [])] as const;
      const codes: string[] = [];
      for (let cost = 0; cost < 102; cost++) {
        const at = (cost % 2) as 0 | 1;
        codes.push(await outcomeOf(peps[at], tasks[at], TICKET[0], { title: "t", cost }));
      }
      expect(codes).toEqual([...Array<string>(100).fill("approval_required"), "budget_exhausted", "budget_exhausted"]);
      const another = await peps[0].begin({ ...BEGIN, approvals: ["tickets.create"] });
      expect(await outcomeOf(peps[0], another, ...TICKET)).toBe("approval_required");
    });
  });
}

describe("requests for approval that the application keeps elsewhere", () => {
  it("need a key as well: nobody knows who else reads them", async () => {
    const store = await createSqliteState({ path: join(folder, "given.db") });
    opened.push(store);
    for (const options of [{ state: store }, { documents: createMemoryDocuments() }]) {
      expect(await rejection(fixture({ approvals: {} }, options))).toBe("config_invalid");
      expect(await rejection(fixture({ approvals: { key: await generatePrivateJwk("Ed25519") } }, options))).toBe("resolved");
    }
    expect(await rejection(fixture({ approvals: {} }))).toBe("resolved");
  });
});

describe("the count of requests", () => {
  it("is of one lineage of one tenant, and of the time that a request waits", async () => {
    const documents = createMemoryDocuments();
    const count = (now: number, lineage = "l", tenant = "t"): Promise<boolean> => countRequest(documents, tenant, lineage, now, 1000);
    for (let index = 0; index < 100; index++) expect(await count(NOW + index)).toBe(true);
    expect([await count(NOW + 100), await count(NOW + 999)]).toEqual([false, false]);
    expect([await count(NOW, "l", "t2"), await count(NOW, "l0"), await count(NOW, "k"), await count(NOW, "m")]).toEqual([true, true, true, true]);
    expect([await count(NOW + 1000), await count(NOW + 1000), await count(NOW + 1001)]).toEqual([true, false, true]);
  });

  it("is never too low when many ask at the same time", async () => {
    const documents = createMemoryDocuments();
    for (let index = 0; index < 95; index++) await countRequest(documents, "t", "l", NOW, 1000);
    const asked = await Promise.all(Array.from({ length: 40 }, () => countRequest(documents, "t", "l", NOW, 1000)));
    expect(asked.filter((isCounted) => isCounted).length).toBeLessThanOrEqual(5);
  });
});
