import { spawnSync } from "node:child_process";
import { afterAll, describe } from "vitest";
import { startProxy } from "./proxy.ts";
import { startRedisServer } from "./redis-server.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "./redis-store.ts";
import { describeStateRaces } from "./state-store.races.ts";

const isThere = await hasRedis();
const hasServer = spawnSync("redis-server", ["--version"]).status === 0;
const prefixes: string[] = [];
const removals: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const prefix of prefixes) await removeKeys(prefix);
  for (const remove of removals.reverse()) await remove();
});

describe.skipIf(!isThere || !hasServer)("a Redis server", () => {
  describeStateRaces("Redis", {
    module: new URL("redis-store.ts", import.meta.url).href,
    create: async () => {
      const prefix = newPrefix();
      prefixes.push(prefix);
      return { url: REDIS_URL, prefix, timeout: 10_000 };
    },
    outages: ["killed", "frozen", "swallowed by the network"],
    createOutage: async () => {
      const server = await startRedisServer();
      removals.push(() => server.remove());
      const network = await startProxy("127.0.0.1", server.port);
      removals.push(() => network.close());
      let end = async (): Promise<void> => {};
      return {
        options: { url: `redis://127.0.0.1:${network.port}`, prefix: newPrefix(), timeout: 2000 },
        begin: async (how) => {
          if (how === "killed") {
            await server.kill();
            end = () => server.start();
          } else if (how === "frozen") {
            server.freeze();
            end = async () => server.thaw();
          } else {
            await network.cut("blackhole");
            end = async () => network.mendQuietly();
          }
        },
        end: () => end(),
      };
    },
  });
});
