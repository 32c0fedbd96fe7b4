export { createRedisState } from "./redis-state.ts";
export type { RedisState, RedisStateOptions } from "./redis-state.ts";
export type { RedisClient, RedisCluster, RedisNode, RedisScripts } from "./client.ts";
