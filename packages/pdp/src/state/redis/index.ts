/**
 * State on a Redis or Valkey server, for processes on any number of hosts.
 *
 * @module
 */
export { createRedisState } from "./redis-state.ts";
export type { RedisState } from "./redis-state.ts";
export type { RedisStateOptions } from "./server.ts";
export type { RedisClient, RedisCluster, RedisNode, RedisScripts } from "./client.ts";

// Tuples of relations, beside the state or elsewhere.
export { createRedisRelations } from "../../relations/redis/redis-relations.ts";
