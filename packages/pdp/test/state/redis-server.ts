import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { freePort } from "../support/free-port.ts";

/** A server of a test's own, which may be killed, frozen and started again with what it had confirmed. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  start(): Promise<void>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

export async function startRedisServer(...options: readonly string[]): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "ambit-redis-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];
    child = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, ...durable, ...options], { stdio: "ignore" });
    const client = createClient({ url, socket: { reconnectStrategy: () => 20 } });
    client.on("error", () => {}); // it is not up yet
    await client.connect();
    for (;;) {
      if (await client.ping().catch(() => undefined)) break; // it loads what it had
    }
    client.destroy();
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  await start();
  return {
    url,
    port,
    kill,
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
    start,
    remove: async () => {
      await kill();
      await rm(folder, { recursive: true });
    },
  };
}
