import { randomBytes } from "node:crypto";
import { createClient } from "redis";
import { createRedisState, type RedisState } from "../../src/state/redis/index.ts";

/** The server that tests share with whoever else uses it; they touch only keys below prefixes of their own. */
export const REDIS_URL = process.env["AMBIT_TEST_REDIS_URL"] ?? "redis://127.0.0.1:6379";

/** Whether the server is there. `AMBIT_REQUIRE_SERVICES=1` makes its absence an error, else what needs it is skipped visibly. */
export async function hasRedis(): Promise<boolean> {
  try {
    const store = await createRedisState({ url: REDIS_URL, timeout: 5000 });
    await store.close();
    return true;
  } catch (cause) {
    if (process.env["AMBIT_REQUIRE_SERVICES"] === "1") throw new Error(`there is no usable Redis server at ${REDIS_URL}`, { cause });
    process.stderr.write(`skipped: there is no usable Redis server at ${REDIS_URL} (AMBIT_TEST_REDIS_URL)\n`);
    return false;
  }
}

export function newPrefix(): string {
  return `ambit-test-${randomBytes(9).toString("hex")}`;
}

/** Removes what a test left below its prefix. */
export async function removeKeys(prefix: string, url = REDIS_URL): Promise<void> {
  const client = await createClient({ url }).connect();
  for await (const keys of client.scanIterator({ MATCH: `{${prefix}:*`, COUNT: 1000 })) if (keys.length > 0) await client.unlink(keys);
  client.destroy();
}

/** For `store-worker.ts`. */
export async function openStore(options: unknown): Promise<RedisState> {
  return createRedisState(options as { readonly url: string; readonly prefix: string });
}
