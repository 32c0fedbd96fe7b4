import type { JsonObject } from "@ambit/core";
import type { Upstream, UpstreamClient, UpstreamConnection } from "./upstream.ts";

/** A request that is relayed, as far as its upstream has something to say or to ask before it answers. */
export interface Asking extends Pick<UpstreamClient, "capabilities" | "isSession"> {
  /** Whether its result must be checked, so that nothing may come before it. */
  readonly isHeld: boolean;
  /** `isHeld`: whether a result is waited for that must be checked. */
  onRequest(server: string, method: string, params: JsonObject, isHeld: boolean): Promise<JsonObject>;
  onNotification(method: string, params: JsonObject): void;
  /** Takes the credential of the request out of what the upstream says. */
  scrub(params: JsonObject): JsonObject;
}

/** Connections to upstreams, one for each of those whose calls must not meet: what one of them is told unasked is not for the others. */
export interface Connections {
  /** The connection of `owner` to an upstream, opened where there is none. To be released when the request is over. */
  take(owner: string, upstream: Upstream, asking: Asking): Promise<{ readonly connection: UpstreamConnection; release(): void }>;
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
  readonly users: Set<Asking>;
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
    const unused = [...held].filter(([, { users }]) => users.size === 0).sort(([, a], [, b]) => a.since - b.since);
    let over = held.size - most + 1;
    for (const [key, { since }] of unused) if (over-- > 0 || now() - since >= idle) void close(key);
  };
  const timer = setInterval(sweep, Math.max(1000, idle / 2));
  timer.unref();

  const open = (key: string, owner: string, upstream: Upstream, first: Asking): Held => {
    sweep();
    if (held.size >= most) throw new Error("there are too many connections in use");
    const users = new Set<Asking>();
    // Which of them it is that an upstream echoes cannot be told.
    const scrub = (params: JsonObject): JsonObject => [...users].reduce((left, user) => user.scrub(left), params);
    const isHeld = (): boolean => [...users].some((user) => user.isHeld);
    // Which of several requests an upstream means, the protocol does not say. In a session it may also mean none.
    const meant = (): Asking | undefined => [...users].at(-1) ?? (first.isSession ? first : undefined);
    const onClose = (): void => void (held.get(key) === entry && held.delete(key));
    const opening = upstream.open({
      capabilities: first.capabilities,
      isSession: first.isSession,
      onRequest: async (method, params) => {
        const asking = [...users].at(-1);
        if (asking === undefined) throw new Error("nobody waits for anything");
        return asking.onRequest(upstream.name, method, scrub(params), isHeld());
      },
      onNotification: (method, params) => (isHeld() ? undefined : meant()?.onNotification(method, scrub(params))),
      onClose,
    });
    const entry: Held = { owner, opening, users, since: now() };
    opening.catch(onClose);
    held.set(key, entry);
    return entry;
  };

  return {
    take: async (owner, upstream, asking) => {
      const key = JSON.stringify([owner, upstream.name]);
      const entry = held.get(key) ?? open(key, owner, upstream, asking);
      entry.users.add(asking);
      const release = (): void => {
        entry.users.delete(asking);
        entry.since = now();
      };
      try {
        return { connection: await entry.opening, release };
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
