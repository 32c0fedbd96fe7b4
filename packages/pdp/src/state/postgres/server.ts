import { AmbitError } from "@ambit/core";
import pg from "pg";
import { unavailable } from "../shared-state.ts";
import { connectionsOf, type Connections, type PostgresPool } from "./connection.ts";

export interface PostgresOptions {
  /** Where the primary is. Either this or `pool`. */
  readonly connectionString?: string;
  /** A pool of `pg` that is not closed with the state. Set its `connectionTimeoutMillis`, and listen to its `error` events. */
  readonly pool?: PostgresPool;
  /**
   * The schema of its own that all is kept in: lower-case letters, digits and underscores.
   * @defaultValue "ambit"
   */
  readonly schema?: string;
  /**
   * Milliseconds after which a method rejects, whatever the database does.
   * @defaultValue 500
   */
  readonly timeout?: number;
  /**
   * Connections at most, with `connectionString`. One for each tenant that is busy at the same time is enough.
   * @defaultValue 10
   */
  readonly connections?: number;
  /**
   * Whether the schema is brought up to date when it is not; else it is refused. Needs the right to create.
   * @defaultValue true
   */
  readonly migrate?: boolean;
  /** A read-only copy that answers whether something was revoked, as long as it proves to be at most `maxLag` behind; else the primary does. */
  readonly replica?: { readonly connectionString: string } | { readonly pool: PostgresPool };
  /**
   * Milliseconds that a replica may be behind, at most 1000.
   * @defaultValue 500
   */
  readonly maxLag?: number;
  /** Milliseconds of a clock that never goes back, to tell how old an answer of the replica is. The times that calls are about come with them. */
  readonly now?: () => number;
}

/** A server that was told of, not yet asked. */
export interface PostgresServer {
  readonly setting: Setting;
  readonly primary: Connections;
  readonly replica: Connections | undefined;
  /** Ends the pools that it made. */
  close(): Promise<void>;
}

interface Setting {
  readonly schema: string;
  readonly timeout: number;
  readonly maxLag: number;
  readonly connections: number;
  readonly now: () => number;
}

/** Refuses (`option_invalid`) options it cannot use. */
export function openServer(options: PostgresOptions): PostgresServer {
  const setting = settingOf(options);
  const made: PostgresPool[] = [];
  const primary = connectionsOf(poolOf(setting, options, made), setting.timeout);
  const replica = options.replica === undefined ? undefined : connectionsOf(poolOf(setting, options.replica, made), setting.timeout);
  return { setting, primary, replica, close: async () => void (await Promise.allSettled(made.map((pool) => pool.end()))) };
}

/** INVARIANT I10: a complaint about an address quotes it, with its password. */
export function unusable(error: unknown): AmbitError {
  if ((error as { readonly code?: unknown } | null)?.code === "ERR_INVALID_URL") return new AmbitError("option_invalid", "`connectionString` is no URL");
  return unavailable("the server cannot be used", error);
}

function settingOf({ schema = "ambit", timeout = 500, maxLag = 500, connections = 10, now = performance.now.bind(performance) }: PostgresOptions): Setting {
  // It becomes part of statements, and nothing else does.
  if (typeof schema !== "string" || !/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw new AmbitError("option_invalid", "`schema` must be lower-case letters, digits and underscores, at most 63");
  for (const [name, value, most] of [
    ["timeout", timeout, 2 ** 31 - 1] as const,
    ["maxLag", maxLag, 1000] as const,
    ["connections", connections, 10_000] as const,
  ])
    if (!Number.isSafeInteger(value) || value < 1 || value > most)
      throw new AmbitError("option_invalid", `\`${name}\` must be a whole number from 1 to ${most}`);
  return { schema: `"${schema}"`, timeout, maxLag, connections, now };
}

function poolOf(
  { timeout, connections: max }: Setting,
  { pool, connectionString }: { readonly pool?: PostgresPool; readonly connectionString?: string },
  made: PostgresPool[],
): PostgresPool {
  if ((pool === undefined) === (connectionString === undefined)) throw new AmbitError("option_invalid", "either `connectionString` or `pool` must be given");
  if (pool !== undefined) return pool;
  const limits = { connectionTimeoutMillis: timeout, statement_timeout: timeout, lock_timeout: timeout, idle_in_transaction_session_timeout: timeout };
  // The oldest version that will do exports nothing by name.
  // oxlint-disable-next-line import/no-named-as-default-member
  const own = new pg.Pool({ connectionString, max, ...limits, keepAlive: true, pipeline: true, allowExitOnIdle: true, application_name: "ambit" });
  // A connection that breaks while nobody uses it is replaced when it is needed.
  own.on("error", () => undefined);
  made.push(own);
  return own;
}
