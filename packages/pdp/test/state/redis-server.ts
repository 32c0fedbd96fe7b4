import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";

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

/** A network between a client and a server, which can swallow whatever is sent, in both directions and with new connections too. */
export interface Network {
  readonly url: string;
  swallow(): void;
  /** What was swallowed stays lost, and the connections that it was lost on stay silent. */
  restore(): void;
  close(): Promise<void>;
}

export async function startNetwork(port: number): Promise<Network> {
  let isSilent = false;
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    let isLost = isSilent;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => {
        isLost ||= isSilent;
        if (!isLost) to.write(chunk);
      });
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallow: () => void (isSilent = true),
    restore: () => void (isSilent = false),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
