import { AmbitError } from "@ambit/core";
import type { RedisClient, RedisCluster } from "./client.ts";
import { borrow, connect, inTime, unavailable, type Connection } from "./connection.ts";
import { checkServer } from "./server-check.ts";

export interface RedisStateOptions {
  /** Where the server is, as `rediss://user:password@host:6379`; the store opens and closes its own connection. Either this or `client`. */
  readonly url?: string;
  /**
   * A connected client of the package `redis` 5 or 6 (one connection, a pool, a sentinel or a cluster), which stays its owner's: who also listens to its errors and
   * sees to it that it notices a dead network (`pingInterval` and `socketTimeout`).
   */
  readonly client?: RedisClient | RedisCluster;
  /**
   * What the keys begin with: letters, digits, `_`, `.`, `:` and `-`.
   *
   * @defaultValue `"ambit"`
   */
  readonly prefix?: string;
  /**
   * Milliseconds in which a method answers, or rejects.
   *
   * @defaultValue `500`
   */
  readonly timeout?: number;
  /**
   * Somebody made sure that the server does not evict keys, where it is forbidden to ask it. A server that says that it does is refused all the same.
   *
   * @defaultValue `false`
   */
  readonly isEvictionPolicyChecked?: boolean;
}

/** A server that was found usable, and what of the options its keys and questions depend on. */
export interface RedisServer {
  readonly connection: Connection;
  readonly prefix: string;
  readonly timeout: number;
}

/** Refuses (`config_invalid`) options it cannot use, a server that evicts keys, a replica; and (`state_unavailable`) a server that cannot be reached. */
export async function openServer(options: RedisStateOptions): Promise<RedisServer> {
  const { url, client, prefix = "ambit", timeout = 500, isEvictionPolicyChecked = false } = options;
  if (!/^[\w.:-]{1,64}$/.test(prefix)) throw new AmbitError("config_invalid", "the `prefix` may consist of 64 letters, digits, `_`, `.`, `:` and `-`");
  if (!Number.isSafeInteger(timeout) || timeout < 1 || timeout > 60_000)
    throw new AmbitError("config_invalid", "the `timeout` must be 1 to 60000 whole milliseconds");
  const connection = await connectionOf(url, client, timeout);
  try {
    const checked = async (): Promise<void> => {
      for (const node of await connection.primaries()) await checkServer(node, isEvictionPolicyChecked);
    };
    await inTime(timeout, checked);
  } catch (error) {
    await connection.close();
    throw AmbitError.isInstance(error) ? error : unavailable(error);
  }
  return { connection, prefix, timeout };
}

async function connectionOf(url: string | undefined, client: RedisClient | RedisCluster | undefined, timeout: number): Promise<Connection> {
  if (url !== undefined && client === undefined) return connect(url, timeout);
  if (client !== undefined && url === undefined) return borrow(client, timeout);
  throw new AmbitError("config_invalid", "the Redis store needs either a `url` or a `client`");
}
