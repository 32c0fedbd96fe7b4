import { createClient } from "redis";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createMemoryRelations } from "../../src/relations/index.ts";
import type { SharedRelations } from "../../src/relations/relation-store.ts";
import { createRedisRelations, createRedisState } from "../../src/state/redis/index.ts";
import { rejectionOf } from "../../../core/test/support/codes.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "../state/redis-store.ts";
import { describeRelationStore, describeSharedRelations, doc, tuple, user } from "./relation-store.contract.ts";

const isThere = await hasRedis();
const prefixes: string[] = [];
const opened: { close(): Promise<void> }[] = [];
const prefixOf = (): string => {
  const prefix = newPrefix();
  prefixes.push(prefix);
  return prefix;
};

async function open(prefix = prefixOf()): Promise<SharedRelations> {
  const store = await createRedisRelations({ url: REDIS_URL, prefix, timeout: 5000 });
  opened.push(store);
  return store;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
});
afterAll(async () => {
  for (const prefix of prefixes) await removeKeys(prefix);
});

const OWNER = tuple(doc("1"), "owner", user("a"));

describe.skipIf(!isThere)("tuples on a Redis server", () => {
  describeRelationStore("Redis", () => open());

  describeSharedRelations("Redis", async () => {
    const prefix = prefixOf();
    return [await open(prefix), await open(prefix)];
  });

  it("keep their own among tenants whose names look like each other's keys (I12)", async () => {
    const store = await open();
    const tenants = ["t", "t}", "t}:tuples", "{t", "t:", "T", "%0074"];
    for (const tenant of tenants) await store.write(tenant, { add: [tuple(doc(tenant), "owner", user("a"))], remove: [] });
    for (const tenant of tenants) expect((await store.above(tenant, [user("a")], [], 10)).tuples).toEqual([tuple(doc(tenant), "owner", user("a"))]);
  });

  it("have no end, and a sweep of the state beside them drops none", async () => {
    const prefix = prefixOf();
    const [store, state, client] = [await open(prefix), await createRedisState({ url: REDIS_URL, prefix }), await createClient({ url: REDIS_URL }).connect()];
    opened.push(state, { close: async () => client.destroy() });
    await state.admit("t", "env_1", 1);
    await store.write("t", { add: [OWNER], remove: [] });
    await state.sweep(8.64e15);
    for (const name of ["tuples", "named", "revision"]) expect(await client.ttl(`{${prefix}:t}:${name}`)).toBe(-1);
    expect((await store.below("t", [doc("1")], 10)).tuples).toEqual([OWNER]);
  });

  it("answer as memory does for whatever matters, however little is wanted", async () => {
    const [store, memory] = [await open(), createMemoryRelations()];
    const objects = ["1", "2", "3"].map(doc);
    const tuples = objects.flatMap((object) => [
      tuple(object, "parent", doc("0")),
      tuple(object, "owner", user("a")),
      tuple(object, "editor", user("a")),
      tuple(object, "owner", { ...user("b"), relation: "deputy" }),
      tuple(object, "owner", { type: "user", everyone: true }),
    ]);
    for (const each of [store, memory]) await each.write("t", { add: tuples, remove: [] });
    for (const relevance of [undefined, { subject: user("a"), tuplesets: ["parent", "owner"] }, { subject: user("b"), tuplesets: [] }]) {
      for (let most = 1; most <= tuples.length; most++) {
        const [one, other] = [await store.below("t", objects, most, relevance), await memory.below("t", objects, most, relevance)];
        expect([one.tuples.length, most, relevance]).toEqual([other.tuples.length, most, relevance]);
      }
    }
  });

  it("are written ten thousand at once, and read so", async () => {
    const store = await open();
    const tuples = Array.from({ length: 10_000 }, (_, index) => tuple(doc(`d${index}`), "owner", user("a")));
    expect(await store.write("t", { add: tuples, remove: [] })).toBe(1);
    expect((await store.above("t", [user("a")], [], 10_000)).tuples).toHaveLength(10_000);
    const page = await store.below(
      "t",
      tuples.map(({ object }) => object),
      10_000,
      { subject: user("a"), tuplesets: ["parent"] },
    );
    expect(page.tuples).toHaveLength(10_000);
    expect(await store.write("t", { add: [], remove: tuples })).toBe(2);
    expect((await store.above("t", [user("a")], [], 10)).tuples).toEqual([]);
  });

  it("are refused with options that cannot be used, and not answered for when the server is not there or it is closed", async () => {
    expect(await rejectionOf(createRedisRelations({ url: REDIS_URL, prefix: "}" }))).toBe("config_invalid");
    expect(await rejectionOf(createRedisRelations({}))).toBe("config_invalid");
    expect(await rejectionOf(createRedisRelations({ url: "redis://127.0.0.1:1" }))).toBe("state_unavailable");
    const store = await open();
    await store.close();
    expect(await rejectionOf(store.below("t", [doc("1")], 10))).toBe("state_unavailable");
    expect(await rejectionOf(store.write("t", { add: [OWNER], remove: [] }))).toBe("state_unavailable");
    expect(await rejectionOf(store.revision("t"))).toBe("state_unavailable");
  });
});
