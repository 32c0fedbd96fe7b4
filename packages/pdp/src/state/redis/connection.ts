import { AmbitError } from "@ambit/core";
import { createClient } from "redis";
import { primariesOf, type RedisClient, type RedisCluster, type RedisNode } from "./client.ts";
import type { Script } from "./script.ts";

/** Scripts on a server, each answered or rejected (`state_unavailable`) in time. */
export interface Connection {
  run(script: Script, keys: string[], args: string[]): Promise<unknown>;
  /** The servers that are written to. */
  primaries(): Promise<readonly RedisNode[]>;
  /** Waits for what is under way, no longer than the timeout. */
  close(): Promise<void>;
}

/** A connection of our own. Refuses (`config_invalid`) what is no URL, and (`state_unavailable`) a server that cannot be reached in time. */
export async function connect(url: string, timeout: number): Promise<Connection> {
  let trouble: unknown;
  const open = () => {
    const client = createClient({
      url,
      // What could not be sent at once is refused, not sent later.
      disableOfflineQueue: true,
      commandsQueueMaxLength: 65_536,
      // A connection that is alive answers this often; one that is silent for longer is given up.
      pingInterval: Math.max(timeout, 1000),
      socket: {
        connectTimeout: Math.max(timeout, 1000),
        socketTimeout: 2 * Math.max(timeout, 1000),
        reconnectStrategy: (retries) => Math.min(500, 25 * 2 ** Math.min(retries, 5)),
      },
    });
    client.on("error", (error) => void (trouble = error)); // each call that it befell was told; it connects again by itself
    return client;
  };
  let client: ReturnType<typeof open>;
  try {
    client = open();
  } catch {
    // INVARIANT I10: a complaint about an address quotes it, with its password.
    throw new AmbitError("config_invalid", "the `url` of the Redis server cannot be used");
  }
  const connected = client.connect();
  connected.catch(() => {}); // when it is given up below
  try {
    await inTime(timeout, () => connected);
  } catch (cause) {
    end(client);
    throw unavailable(trouble ?? cause);
  }
  let isClosed = false;
  // A network that swallows everything is noticed by nobody but who waits for an answer.
  const replace = (silent: typeof client): void => {
    if (client !== silent || isClosed) return;
    client = open();
    client.connect().catch(() => {}); // only `close` ends it
    end(silent);
  };
  let answers = 0;
  return {
    run: async (script, keys, args) => {
      const [asked, before] = [client, answers];
      const evaluated = inTime(timeout, (signal) => evaluate(asked, script, keys, args, signal));
      try {
        const reply = await evaluated;
        answers += 1;
        return reply;
      } catch (cause) {
        if (!(cause instanceof TooLate)) answers += 1;
        else if (answers === before) replace(asked);
        throw unavailable(cause);
      }
    },
    primaries: () => primariesOf(client),
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await inTime(timeout, async () => client.close()).catch(() => {}); // it is ended anyway
      end(client);
    },
  };
}

function end(client: { destroy(): void }): void {
  try {
    client.destroy();
  } catch {
    // It was closed before: the client of 5.0 minds that.
  }
}

/** Somebody else's client, who opened it and closes it. */
export function borrow(client: RedisClient | RedisCluster, timeout: number): Connection {
  let isClosed = false;
  return {
    run: async (script, keys, args) => {
      try {
        if (isClosed) throw new Error("closed");
        return await inTime(timeout, (signal) => evaluate(client, script, keys, args, signal));
      } catch (cause) {
        throw unavailable(cause);
      }
    },
    primaries: () => primariesOf(client),
    close: async () => void (isClosed = true),
  };
}

class TooLate extends Error {}

export function unavailable(cause: unknown): AmbitError {
  return new AmbitError("state_unavailable", cause instanceof TooLate ? "the Redis server did not answer in time" : "the Redis server did not answer", {
    cause,
  });
}

/** Once it is too late the signal takes back what was not sent yet. What was sent may have taken effect, or may still. */
export async function inTime<T>(timeout: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work(controller.signal),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          reject(new TooLate());
          controller.abort();
        }, timeout);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

async function evaluate(client: RedisClient | RedisCluster, { source, sha }: Script, keys: string[], args: string[], signal: AbortSignal): Promise<unknown> {
  const commands = client.withCommandOptions({ abortSignal: signal });
  try {
    return await commands.evalSha(sha, { keys, arguments: args });
  } catch (error) {
    // A server that was started, flushed or failed over does not know the script; nothing was done.
    if (!(error instanceof Error && /^NOSCRIPT\b/.test(error.message))) throw error;
    signal.throwIfAborted();
    return commands.eval(source, { keys, arguments: args });
  }
}
