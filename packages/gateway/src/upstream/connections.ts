import type { Upstream, UpstreamClient, UpstreamConnection } from "./upstream.ts";

/** Connections to upstreams, one for each of those whose calls must not meet: what one of them is told unasked is not for the others. */
export interface Connections {
  /** The connection of `owner` to an upstream, opened where there is none. To be released when the request is over. */
  take(owner: string, upstream: Upstream, client: Omit<UpstreamClient, "onClose">): Promise<{ readonly connection: UpstreamConnection; release(): void }>;
  /** Closes all of an owner. */
  drop(owner: string): Promise<void>;
  close(): Promise<void>;
}

export interface ConnectionsOptions {
  /** Connections at a time; the one that was idle longest makes way. None makes way for one that is in use: then there is no other. */
  readonly most: number;
  /** Milliseconds after which one that nobody uses is closed. */
  readonly idle: number;
  readonly now: () => number;
}

interface Held {
  readonly owner: string;
  readonly opening: Promise<UpstreamConnection>;
  users: number;
  since: number;
}

export function createConnections({ most, idle, now }: ConnectionsOptions): Connections {
  const held = new Map<string, Held>();

  const close = async (key: string): Promise<void> => {
    const entry = held.get(key);
    held.delete(key);
    await (await entry?.opening.catch(() => undefined))?.close().catch(() => undefined);
  };
  const sweep = (): void => {
    const unused = [...held].filter(([, { users }]) => users === 0).sort(([, a], [, b]) => a.since - b.since);
    let over = held.size - most + 1;
    for (const [key, { since }] of unused) if (over-- > 0 || now() - since >= idle) void close(key);
  };
  const timer = setInterval(sweep, Math.max(1000, idle / 2));
  timer.unref();

  return {
    take: async (owner, upstream, client) => {
      const key = JSON.stringify([owner, upstream.name]);
      let entry = held.get(key);
      if (entry === undefined) {
        sweep();
        if (held.size >= most) throw new Error("there are too many connections in use");
        const onClose = (): void => void (held.get(key) === entry && held.delete(key));
        entry = { owner, opening: upstream.open({ ...client, onClose }), users: 0, since: now() };
        held.set(key, entry);
        entry.opening.catch(onClose);
      }
      const { opening } = entry;
      entry.users += 1;
      const release = (): void => {
        if (entry === undefined) return;
        entry.users -= 1;
        entry.since = now();
      };
      try {
        return { connection: await opening, release };
      } catch (error) {
        release();
        throw error;
      }
    },
    drop: async (owner) => void (await Promise.all([...held].filter(([, entry]) => entry.owner === owner).map(([key]) => close(key)))),
    close: async () => {
      clearInterval(timer);
      await Promise.all([...held.keys()].map(close));
    },
  };
}
