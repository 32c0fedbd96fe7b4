import { AmbitError } from "@ambit/core";
import type { RedisNode } from "./client.ts";

/**
 * Refuses (`config_invalid`) a server that could forget what was spent, used or revoked when its memory is full, one whose policy cannot be told unless somebody
 * vouches for it (`isPolicyChecked`), a replica, and a server older than 7.0.
 */
export async function checkServer(node: RedisNode, isPolicyChecked: boolean): Promise<void> {
  const [config, info] = await Promise.all([told(node.configGet("maxmemory-policy")), told(node.info())]);
  const facts = typeof info === "string" ? info : "";
  const version = Number(fact(facts, "redis_version")?.split(".")[0] ?? Number.NaN);
  if (version < 7) throw new AmbitError("config_invalid", "the Redis server is older than 7.0");
  const role = fact(facts, "role");
  if (role !== undefined && role !== "master") throw new AmbitError("config_invalid", "the Redis server is a replica", { hint: "connect to the primary" });
  const policy = policyOf(config) ?? fact(facts, "maxmemory_policy");
  if (policy === "noeviction" || (policy === undefined && isPolicyChecked)) return;
  throw new AmbitError(
    "config_invalid",
    policy === undefined
      ? "it cannot be told whether the Redis server evicts keys when its memory is full"
      : `the Redis server evicts keys when its memory is full (\`${policy}\`)`,
    {
      hint:
        policy === undefined
          ? "set its `maxmemory-policy` to `noeviction` and say so by `isEvictionPolicyChecked: true`"
          : "set its `maxmemory-policy` to `noeviction`",
    },
  );
}

/** A managed server may forbid either command. */
async function told(reply: Promise<unknown>): Promise<unknown> {
  return reply.catch((error: unknown) => {
    if (error instanceof Error && /^(NOPERM|ERR)\b/.test(error.message)) return undefined;
    throw error;
  });
}

function policyOf(config: unknown): string | undefined {
  const policy = Object(config)["maxmemory-policy"] as unknown;
  return typeof policy === "string" ? policy : undefined;
}

function fact(info: string, name: string): string | undefined {
  for (const line of info.split("\r\n")) {
    const [key, value] = line.split(":");
    if (key === name) return value;
  }
  return undefined;
}
