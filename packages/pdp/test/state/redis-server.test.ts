import { spawnSync } from "node:child_process";
import { inspect } from "node:util";
import { createClient, createCluster } from "redis";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createRedisRelations, createRedisState, type RedisState, type RedisStateOptions } from "../../src/state/redis/index.ts";
import type { Tuple } from "../../src/relations/index.ts";
import { startProxy, type Proxy } from "./proxy.ts";
import { startRedisServer, type RedisServer } from "./redis-server.ts";
import { commitOf } from "./state-store.contract.ts";

const owner = (id: string): Tuple => ({ object: { type: "Doc", id: "1" }, relation: "owner", subject: { type: "user", id } });

const hasServer = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasServer && process.env["AMBIT_REQUIRE_SERVICES"] === "1") throw new Error("there is no redis-server to start");
if (!hasServer) process.stderr.write("skipped: there is no redis-server to start\n");

const NOW = 1_000_000;
const HOUR = 3_600_000;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function server(...options: readonly string[]): Promise<RedisServer> {
  const started = await startRedisServer(...options);
  closing.push(() => started.remove());
  return started;
}

async function open(options: RedisStateOptions): Promise<RedisState> {
  const store = await createRedisState({ timeout: 5000, ...options });
  closing.push(() => store.close());
  return store;
}

async function networkTo(port: number): Promise<Proxy & { readonly url: string }> {
  const proxy = await startProxy("127.0.0.1", port);
  closing.push(() => proxy.close());
  return { ...proxy, url: `redis://127.0.0.1:${proxy.port}` };
}

async function admin(url: string): Promise<ReturnType<typeof createClient>> {
  const client = createClient({ url });
  client.on("error", () => {}); // its server is killed
  await client.connect();
  closing.push(async () => client.destroy());
  return client as ReturnType<typeof createClient>;
}

describe.skipIf(!hasServer)("a Redis server that could forget", () => {
  it.each(["allkeys-lru", "volatile-lru", "allkeys-random", "volatile-ttl", "volatile-lfu"])("is refused for its memory policy %s", async (policy) => {
    const { url } = await server("--maxmemory-policy", policy);
    await expect(createRedisState({ url, timeout: 5000 })).rejects.toMatchObject({ code: "config_invalid" });
    await expect(createRedisState({ url, timeout: 5000, isEvictionPolicyChecked: true })).rejects.toMatchObject({ code: "config_invalid" });
  });

  it("is found out where it may not be asked for its configuration", async () => {
    const evicting = await server("--maxmemory-policy", "allkeys-lru", "--rename-command", "CONFIG", "");
    await expect(createRedisState({ url: evicting.url, timeout: 5000, isEvictionPolicyChecked: true })).rejects.toMatchObject({ code: "config_invalid" });
    const sound = await server("--rename-command", "CONFIG", "");
    expect(await (await open({ url: sound.url })).admit("t1", "e1", NOW)).toBe(true);
  });

  it("is refused when it cannot be told, unless somebody vouches for it", async () => {
    const { url, port } = await server();
    await (await admin(url)).sendCommand(["ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all", "-config", "-info"]);
    const limited = `redis://app:secret@127.0.0.1:${port}`;
    await expect(createRedisState({ url: limited, timeout: 5000 })).rejects.toMatchObject({ code: "config_invalid" });
    expect(await (await open({ url: limited, isEvictionPolicyChecked: true })).admit("t1", "e1", NOW)).toBe(true);
  });

  it("is refused as a replica, and answers nothing once it became one", async () => {
    const { url } = await server();
    const store = await open({ url });
    await store.revoke("t1", ["task:a"], 5, NOW);
    await (await admin(url)).sendCommand(["REPLICAOF", "127.0.0.1", "1"]);
    await expect(createRedisState({ url, timeout: 5000 })).rejects.toMatchObject({ code: "config_invalid" });
    await expect(store.revokedAt("t1", ["task:a"])).rejects.toMatchObject({ code: "state_unavailable" });
    await expect(store.admitted("t1", ["e1"])).rejects.toMatchObject({ code: "state_unavailable" });
    await expect(store.facts("t1", "l1")).rejects.toMatchObject({ code: "state_unavailable" });
    await expect(store.commit(commitOf())).rejects.toMatchObject({ code: "state_unavailable" });
    await (await admin(url)).sendCommand(["REPLICAOF", "NO", "ONE"]);
    expect(await store.revokedAt("t1", ["task:a"])).toEqual([5]);
  });
});

describe.skipIf(!hasServer)("a Redis server in trouble", () => {
  it("is worked with again after its scripts were flushed", async () => {
    const { url } = await server();
    const store = await open({ url });
    await store.commit(commitOf({ want: 4 }));
    await (await admin(url)).sendCommand(["SCRIPT", "FLUSH"]);
    expect(await store.redeem({ tenantId: "t1", envelopeId: "e1", callId: "c1" }, "g1", "d1", NOW)).toBe("redeemed");
    expect(await store.commit(commitOf({ callId: "c2", want: 7 }))).toMatchObject({ status: "exhausted", remaining: 6 });
  });

  it("loses nothing that it confirmed when it is killed in the middle of the work and started again", async () => {
    const own = await server();
    const store = await open({ url: own.url });
    const spend = (index: number): Promise<string> =>
      store.commit(commitOf({ callId: `c${index}`, limit: 1000, grant: { id: `g${index}`, expiresAt: NOW + HOUR } })).then(
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
    await vi.waitFor(() => store.facts("t1", "l1"), { timeout: 10_000 });
    // What was confirmed is there; what was not may be, and is then not spent twice.
    const again = await Promise.all(answers.map((_, index) => spend(index)));
    answers.forEach((answer, index) => expect(["repeated", ...(answer === "committed" ? [] : ["committed"])]).toContain(again[index]));
    expect(await store.commit(commitOf({ callId: "rest", limit: 1000, want: 701 }))).toMatchObject({ status: "exhausted", remaining: 700 });
  });

  it("takes no new calls when its memory is full, and still settles and revokes", async () => {
    const { url } = await server();
    const store = await open({ url });
    await store.commit(commitOf({ want: 10 }));
    await (await admin(url)).sendCommand(["CONFIG", "SET", "maxmemory", "1"]);
    await expect(store.commit(commitOf({ callId: "c2" }))).rejects.toMatchObject({ code: "state_unavailable" });
    await expect(store.admit("t1", "e1", NOW)).rejects.toMatchObject({ code: "state_unavailable" });
    await store.revoke("t1", ["task:a"], 5, NOW);
    expect(await store.revokedAt("t1", ["task:a"])).toEqual([5]);
    const settlement = {
      tenantId: "t1",
      envelopeId: "e1",
      callId: "c1",
      decisionId: "dec1",
      grantId: "g1",
      action: "cancel",
      used: {},
      observed: false,
    } as const;
    expect(await store.settle(settlement)).toBeDefined();
    await (await admin(url)).sendCommand(["CONFIG", "SET", "maxmemory", "0"]);
    expect(await store.commit(commitOf({ callId: "c2", want: 10 }))).toMatchObject({ status: "committed" });
  });

  it("takes no new relations when its memory is full, and still takes away", async () => {
    const { url } = await server();
    const relations = await createRedisRelations({ url, timeout: 5000 });
    closing.push(() => relations.close());
    await relations.write("t1", { add: [owner("a"), owner("b")], remove: [] });
    await (await admin(url)).sendCommand(["CONFIG", "SET", "maxmemory", "1"]);
    await expect(relations.write("t1", { add: [owner("c")], remove: [owner("b")] })).rejects.toMatchObject({ code: "state_unavailable" });
    expect(await relations.write("t1", { add: [], remove: [owner("a")] })).toBe(2);
    expect(await relations.below("t1", [owner("a").object], 10)).toEqual({ revision: 2, tuples: [owner("b")] });
  });

  it("is refused at the start when it cannot be reached, or says nothing", async () => {
    const own = await server();
    const network = await networkTo(own.port);
    await network.cut("blackhole");
    await expect(createRedisState({ url: network.url, timeout: 100 })).rejects.toMatchObject({ code: "state_unavailable" });
    await own.kill();
    await expect(createRedisState({ url: own.url, timeout: 100 })).rejects.toMatchObject({ code: "state_unavailable" });
  });

  it("rejects each method in time when the network swallows everything, whoever opened the client", async () => {
    const { port } = await server();
    const network = await networkTo(port);
    const client = await admin(network.url);
    const stores = [await open({ url: network.url, timeout: 100 }), await open({ client, timeout: 100 })];
    await network.cut("blackhole");
    for (const store of stores) {
      const key = { tenantId: "t1", envelopeId: "e1", callId: "c1" };
      const answers = await Promise.allSettled([
        store.commit(commitOf()),
        store.redeem(key, "g1", "d1", NOW),
        store.settle({ ...key, decisionId: "dec1", grantId: "g1", action: "commit", used: {}, observed: true }),
        store.facts("t1", "l1"),
        store.label("t1", "l1", { integrity: "trusted", dataClasses: [] }, NOW),
        store.admit("t1", "e1", NOW),
        store.admitted("t1", ["e1"]),
        store.revoke("t1", ["task:a"], 5, NOW),
        store.revokedAt("t1", ["task:a"]),
      ]);
      for (const answer of answers) expect(answer).toMatchObject({ status: "rejected", reason: { code: "state_unavailable" } });
    }
    // The connections on which something was lost stay silent for ever, so only a new one helps.
    network.mendQuietly();
    await vi.waitFor(async () => expect(await stores[0]?.admit("t1", "e1", NOW)).toBe(true), { timeout: 10_000, interval: 50 });
  });
});

describe.skipIf(!hasServer)("what is kept on a Redis server", () => {
  it("has keys that no id can get out of, all of a tenant in one slot, and an end", async () => {
    const { url } = await server();
    const store = await open({ url });
    const client = await admin(url);
    const hostile = ["}", "{", "}:calls", "a:b", "\0", "\ud800", "\udc00", "\ufffd", "__proto__", "", "%007d", "ä", "*", "t 1\r\n"];
    for (const tenantId of hostile) {
      for (const text of hostile) {
        const ids = { tenantId, lineage: text, envelopeId: text, callId: text, account: text, toolId: text, callDigest: text, decisionId: text };
        const grant = { id: text, expiresAt: NOW + 1000 };
        expect(await store.commit(commitOf({ ...ids, limit: 1, grant, once: [{ key: text, until: NOW }] }))).toMatchObject({ status: "committed", grant });
        expect(await store.redeem({ tenantId, envelopeId: text, callId: text }, text, text, NOW)).toBe("redeemed");
        await store.label(tenantId, text, { integrity: "untrusted", dataClasses: [text] }, NOW);
        expect(await store.facts(tenantId, text)).toMatchObject({ calls: 1, toolsUsed: [text], previousTool: text, labels: { dataClasses: [text] } });
        expect(await store.admit(tenantId, text, NOW)).toBe(true);
        expect(await store.revokedAt(tenantId, [text])).toEqual([null]);
        await store.revoke(tenantId, [text], 5, NOW);
      }
    }
    const keys = await client.keys("*");
    expect(keys).toHaveLength(hostile.length * 7); // all was redeemed, so none is `open`
    for (const key of keys) {
      expect(key).toMatch(/^\{ambit:[\w.%-]*\}:[a-z]+$/);
      expect(await client.pTTL(key)).toBeGreaterThan(HOUR / 2);
    }
    expect(new Set(keys.map((key) => key.slice(0, key.indexOf("}")))).size).toBe(hostile.length);
  });

  it("ends together, and never sooner than it was last said to", async () => {
    const { url } = await server();
    const store = await open({ url });
    const client = await admin(url);
    const far = Date.now() + 1000 * HOUR;
    const ends = async (): Promise<readonly number[]> => Promise.all((await client.keys("{ambit:t1}:*")).map((key) => client.pExpireTime(key)));
    await store.revoke("t1", ["task:a"], 5, far);
    await store.label("t1", "l1", { integrity: "trusted", dataClasses: [] }, NOW);
    expect(new Set(await ends()).size).toBe(1);
    expect(Math.min(...(await ends()))).toBeGreaterThan(far);
    await store.commit(commitOf({ keepUntil: far + HOUR }));
    expect(await ends()).toHaveLength(7);
    expect(new Set(await ends()).size).toBe(1);
    await store.admit("t1", "e1", far + 100 * HOUR);
    expect(new Set(await ends()).size).toBe(1);
    expect(Math.min(...(await ends()))).toBeGreaterThan(far + 100 * HOUR);
  });

  it("ends also where the last of it was made by a redemption or a settlement", async () => {
    const { url } = await server();
    const store = await open({ url });
    const client = await admin(url);
    const ends = async (): Promise<readonly number[]> => Promise.all((await client.keys("{ambit:t1}:*")).map((key) => client.pExpireTime(key)));
    const key = { tenantId: "t1", envelopeId: "e1", callId: "c1" };
    await store.commit(commitOf({ window: 10 * HOUR }));
    expect(await store.redeem(key, "g1", "d1", NOW)).toBe("redeemed");
    expect([(await ends()).length, new Set(await ends()).size]).toEqual([7, 1]);
    await client.del("{ambit:t1}:lineages");
    await store.settle({ ...key, decisionId: "dec1", grantId: "g1", action: "commit", used: {}, observed: true });
    expect([(await ends()).length, new Set(await ends()).size]).toEqual([6, 1]);
    expect(Math.min(...(await ends()))).toBeGreaterThan(Date.now());
  });

  it("has documents whose keys end by themselves, and not while any of them has to be kept", async () => {
    const { url } = await server();
    const store = await open({ url });
    const client = await admin(url);
    const far = Date.now() + 1000 * HOUR;
    const ends = async (collection: string): Promise<readonly number[]> =>
      Promise.all((await client.keys(`{ambit:t1}:*:${collection}`)).map((key) => client.pExpireTime(key)));
    await store.put("t1", "c", "near", {}, 0, NOW);
    expect(Math.max(...(await ends("c")))).toBeLessThan(far);
    await store.put("t1", "c", "far", {}, 0, far);
    await store.put("t1", "c", "near", {}, 1, NOW);
    await store.put("t1", "other", "d", {}, 0, NOW);
    expect(await ends("c")).toHaveLength(3);
    expect(new Set(await ends("c")).size).toBe(1);
    expect(Math.min(...(await ends("c")))).toBeGreaterThan(far);
    expect(Math.max(...(await ends("other")))).toBeLessThan(far);
    await store.put("t1", "c", "users are not forgotten", {}, 0, Number.MAX_SAFE_INTEGER);
    expect(Math.min(...(await ends("c")))).toBeGreaterThan(8.64e15);
  });

  it("goes by itself as calls come in, once its time and an hour are over", async () => {
    const { url } = await server();
    const store = await open({ url });
    const client = await admin(url);
    const spend = (index: number, now: number): Promise<unknown> => {
      const grant = { id: `g${index}`, expiresAt: now + 1000 };
      const ids = { callId: `c${index}`, lineage: `l${index % 10}-${now}`, account: `a${index % 10}-${now}` };
      return store.commit(commitOf({ ...ids, now, grant, limit: 1000, keepUntil: now + 5000, once: [{ key: `once${index}`, until: now + 5000 }] }));
    };
    const sizes = async (): Promise<readonly number[]> =>
      Promise.all([
        client.hLen("{ambit:t1}:calls"),
        client.hLen("{ambit:t1}:spent"),
        client.zCard("{ambit:t1}:open"),
        client.hLen("{ambit:t1}:lineages"),
        client.zCard("{ambit:t1}:index"),
        client.zCard("{ambit:t1}:due"),
      ]);
    for (let index = 0; index < 100; index += 1) await spend(index, NOW);
    expect(await sizes()).toEqual([100, 21, 100, 10, 110, 110]);
    for (let index = 100; index < 120; index += 1) await spend(index, NOW + HOUR + 5001);
    expect(await sizes()).toEqual([20, 21, 20, 10, 30, 30]);
    await store.sweep(NOW + 2 * HOUR);
    expect(await sizes()).toEqual([0, 1, 0, 0, 0, 0]);
  });

  it("is left alone where the clock of a caller is ahead", async () => {
    const { url } = await server();
    const store = await open({ url });
    const now = Date.now();
    await store.admit("t1", "e1", now + 1000);
    await store.commit(commitOf({ now: now + 100 * HOUR, grant: { id: "g1", expiresAt: now + 101 * HOUR }, keepUntil: now + 101 * HOUR }));
    expect(await store.admitted("t1", ["e1"])).toEqual([true]);
  });

  it("holds an account for as long as any lineage that was debited on it", async () => {
    const { url } = await server();
    const store = await open({ url });
    await store.commit(commitOf({ want: 3, keepUntil: NOW + 100 }));
    await store.commit(commitOf({ callId: "c2", want: 4, lineage: "l2", keepUntil: NOW + 300, grant: { id: "g2", expiresAt: NOW + 1000 } }));
    await store.sweep(NOW + 200);
    // The unredeemed call of the lineage that is gone holds nothing any longer.
    expect(await store.commit(commitOf({ callId: "c3", want: 11, lineage: "l2" }))).toMatchObject({ status: "exhausted", remaining: 6 });
  });

  it("is dropped with its lineage also where it outlived its call, and then counts nowhere", async () => {
    const { url } = await server();
    const store = await open({ url });
    const failed = { unit: "rate", want: 3, window: 10 * HOUR, refundable: false };
    await store.commit(commitOf({ ...failed, keepUntil: NOW + 100 }));
    const key = { tenantId: "t1", envelopeId: "e1", callId: "c1" };
    await store.redeem(key, "g1", "d1", NOW);
    await store.settle({ ...key, decisionId: "dec1", grantId: "g1", action: "release", used: {}, observed: false });
    expect(await store.commit(commitOf({ ...failed, callId: "c2", want: 8 }))).toMatchObject({ status: "exhausted", remaining: 7 });
    await store.sweep(NOW + 200);
    expect(await (await admin(url)).zCard("{ambit:t1}:open")).toBe(0);
    expect(await store.commit(commitOf({ ...failed, callId: "c3", want: 11 }))).toMatchObject({ status: "exhausted", remaining: 10 });
  });

  it("goes with the lineage that a call was last committed in", async () => {
    const { url } = await server();
    const store = await open({ url });
    await store.commit(commitOf({ keepUntil: NOW + 100 }));
    await store.commit(commitOf({ callDigest: "d2", lineage: "l2", keepUntil: NOW + 300, grant: { id: "g2", expiresAt: NOW + 1000 } }));
    await store.sweep(NOW + 200);
    expect(await store.redeem({ tenantId: "t1", envelopeId: "e1", callId: "c1" }, "g2", "d2", NOW)).toBe("redeemed");
  });

  it("is freed completely, however much ran out at once", async () => {
    const { url } = await server();
    const store = await open({ url, timeout: 10_000 });
    const many = Array.from({ length: 2500 }, (_, index) => index);
    await Promise.all(many.map((index) => store.commit(commitOf({ callId: `c${index}`, limit: 2500, grant: { id: `g${index}`, expiresAt: NOW + 1000 } }))));
    expect(await store.commit(commitOf({ callId: "over", limit: 2500 }))).toMatchObject({ status: "exhausted", remaining: 0 });
    expect(await store.commit(commitOf({ callId: "over", limit: 2500, want: 2501, now: NOW + 1000 }))).toMatchObject({ status: "exhausted", remaining: 2500 });
    await store.sweep(NOW + HOUR);
    expect(await (await admin(url)).hLen("{ambit:t1}:calls")).toBe(0);
  });

  it("gives no grant what another call was given, by whichever clock", async () => {
    const { url } = await server();
    const store = await open({ url });
    await store.commit(commitOf({ want: 10 }));
    const grant = { id: "g2", expiresAt: NOW + 9000 };
    expect(await store.commit(commitOf({ callId: "c2", want: 10, now: NOW + 1000, grant }))).toMatchObject({ status: "committed" });
    expect(await store.redeem({ tenantId: "t1", envelopeId: "e1", callId: "c1" }, "g1", "d1", NOW + 999)).toBe("expired");
    expect(await store.commit(commitOf({ want: 1 }))).toMatchObject({ status: "exhausted", remaining: 0 });
  });

  it("is the same on a cluster", async () => {
    const { url } = await server("--cluster-enabled", "yes");
    await (await admin(url)).sendCommand(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    const client = createCluster({ rootNodes: [{ url }] });
    await vi.waitFor(() => client.connect(), { timeout: 10_000 });
    closing.push(async () => client.destroy());
    const store = await open({ client });
    for (const tenantId of ["t1", "t2", "}"]) {
      await vi.waitFor(async () => expect(await store.commit(commitOf({ tenantId, want: 10 }))).toMatchObject({ status: "committed" }), { timeout: 10_000 });
      expect(await store.redeem({ tenantId, envelopeId: "e1", callId: "c1" }, "g1", "d1", NOW)).toBe("redeemed");
      expect(await store.commit(commitOf({ tenantId, callId: "c2" }))).toMatchObject({ status: "exhausted" });
    }
    await store.sweep(NOW + 31 * 24 * HOUR); // nobody settled them
    expect((await store.facts("t2", "l1")).calls).toBe(0);
  });
});

describe("the options of the Redis store", () => {
  it.each([
    {},
    { url: "redis://127.0.0.1:1", client: {} },
    { url: "not a url" },
    { url: "http://127.0.0.1:1" },
    { url: "redis://127.0.0.1:1", prefix: "" },
    { url: "redis://127.0.0.1:1", prefix: "a}b" },
    { url: "redis://127.0.0.1:1", prefix: "a*" },
    { url: "redis://127.0.0.1:1", timeout: 0 },
    { url: "redis://127.0.0.1:1", timeout: Number.NaN },
  ])("are refused as %j", async (options) => {
    await expect(createRedisState(options as unknown as RedisStateOptions)).rejects.toMatchObject({ code: "config_invalid" });
  });

  it("are refused without quoting the password of an address", async () => {
    for (const url of ["redis://u:hunter2secret@[x", "http://u:hunter2secret@h", "redis://u:hunter2secret@127.0.0.1:1"]) {
      const error: unknown = await createRedisState({ url, timeout: 100 }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
    }
  });

  it.skipIf(!hasServer)("leave a client to its owner, who goes on with it after the store was closed", async () => {
    const { url } = await server();
    const client = await admin(url);
    for (const store of [await open({ client }), await open({ url })]) {
      await store.admit("t1", "e1", NOW);
      await store.close();
      await store.close();
      await expect(store.admitted("t1", ["e1"])).rejects.toMatchObject({ code: "state_unavailable" });
    }
    expect(await client.ping()).toBe("PONG");
  });
});
