import { afterAll, afterEach, describe } from "vitest";
import { createRedisState, type RedisState } from "../../src/state/redis/index.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "./redis-store.ts";
import { describeDocumentStore } from "./document-store.contract.ts";
import { describeStateStore } from "./state-store.contract.ts";
import { describeUnsettledCalls } from "./unsettled.contract.ts";

const isThere = await hasRedis();
const prefixes: string[] = [];
const stores: RedisState[] = [];

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});
afterAll(async () => {
  for (const prefix of prefixes) await removeKeys(prefix);
});

async function create(): Promise<RedisState> {
  const prefix = newPrefix();
  prefixes.push(prefix);
  const store = await createRedisState({ url: REDIS_URL, prefix, timeout: 5000 });
  stores.push(store);
  return store;
}

describe.skipIf(!isThere)("a Redis server", () => {
  describeStateStore("Redis", create);
  describeUnsettledCalls("Redis", create);
  describeDocumentStore("Redis", create);
});
