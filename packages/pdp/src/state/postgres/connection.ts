import { inTime, unavailable } from "../shared-state.ts";

/** What is used of a client of `pg`. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[]; readonly rowCount: number | null; readonly command: string }>;
  release(error?: Error | boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

/** What is used of a pool of `pg`. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
}

export interface Connections {
  /** One statement, by itself. */
  query<T>(text: string, values: readonly unknown[]): Promise<readonly T[]>;
  /**
   * Loads with one statement, lets `work` tell what to write, and writes it with another one: one transaction. Done again, from the start, when another transaction was
   * in the way.
   */
  transact(load: Statement, work: (loaded: unknown) => Statement | undefined): Promise<void>;
  /** Runs `work` on a client of its own, with no limits but its own. */
  alone<T>(work: (client: PostgresClient) => Promise<T>): Promise<T>;
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Somebody inserted it before, a serialization failure, a deadlock: nothing took effect, and the next attempt finds something else. */
const RETRIED = ["23505", "40001", "40P01"];
/** Each attempt that fails is one that another transaction won. */
const ATTEMPTS = 20;

/** All that is done with a pool: no client is waited for, and none is waited upon, for longer than `timeout` milliseconds. */
export function connectionsOf(pool: PostgresPool, timeout: number): Connections {
  // Whoever is cut off within a transaction must not keep what it locked from everybody else.
  const limits = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"].map((name) => `SET LOCAL ${name} = ${timeout}`);
  const begin = ["BEGIN ISOLATION LEVEL READ COMMITTED", ...limits].join("; ");

  const alone = async <T>(work: (client: PostgresClient) => Promise<T>, limit?: number): Promise<T> => {
    const client = await connect(pool, timeout);
    // A connection that breaks tells whoever waits for an answer; told to nobody, it would end the process.
    const ignore = (): void => undefined;
    client.on("error", ignore);
    let broken: Error | undefined;
    try {
      return await (limit === undefined ? work(client) : inTime(work(client), limit));
    } catch (error) {
      // An answer that did not come may come later, to somebody else's question.
      if (sqlStateOf(error) === undefined) broken = error as Error;
      throw error;
    } finally {
      client.removeListener("error", ignore);
      client.release(broken);
    }
  };

  const attempt = async (client: PostgresClient, load: Statement, work: (loaded: unknown) => Statement | undefined): Promise<void> => {
    const [, loaded] = await both(client, { text: begin, values: [] }, load);
    const save = work((loaded.rows[0] as { readonly loaded: unknown } | undefined)?.loaded);
    if (save === undefined) {
      await client.query("ROLLBACK");
      return;
    }
    const [, end] = await both(client, save, { text: "COMMIT", values: [] });
    if (end.command !== "COMMIT") throw unavailable("a transaction was not committed");
  };

  return {
    alone,
    query: (text, values) =>
      alone(async (client) => {
        for (let attempts = 1; ; attempts += 1) {
          try {
            return (await client.query(text, [...values])).rows as never;
          } catch (error) {
            if (!RETRIED.includes(sqlStateOf(error) ?? "") || attempts === ATTEMPTS) throw error;
          }
        }
      }, timeout),
    transact: (load, work) =>
      alone(async (client) => {
        for (let attempts = 1; ; attempts += 1) {
          try {
            return await attempt(client, load, work);
          } catch (error) {
            const state = sqlStateOf(error);
            if (state === undefined) throw error;
            await client.query("ROLLBACK");
            if (!RETRIED.includes(state) || attempts === ATTEMPTS) throw error;
          }
        }
      }, timeout),
  };
}

/** The server's own code for what was wrong; there is none when the connection was. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code, severity } = (error ?? {}) as { readonly code?: unknown; readonly severity?: unknown };
  return typeof code === "string" && typeof severity === "string" && severity !== "FATAL" && severity !== "PANIC" ? code : undefined;
}

type Result = Awaited<ReturnType<PostgresClient["query"]>>;

/** Two statements, in one round trip where the client sends the second before the first was answered. Throws what the first one threw, if any. */
async function both(client: PostgresClient, first: Statement, second: Statement): Promise<readonly [Result, Result]> {
  const ask = ({ text, values }: Statement): Promise<Result> => (values.length === 0 ? client.query(text) : client.query(text, [...values]));
  if ((client as { readonly pipeline?: unknown }).pipeline !== true) return [await ask(first), await ask(second)];
  const [one, two] = await Promise.allSettled([ask(first), ask(second)]);
  if (one.status === "rejected") throw one.reason;
  if (two.status === "rejected") throw two.reason;
  return [one.value, two.value];
}

/** A client that comes too late goes back at once. */
async function connect(pool: PostgresPool, timeout: number): Promise<PostgresClient> {
  const coming = pool.connect();
  try {
    return await inTime(coming, timeout);
  } catch (error) {
    coming.then(
      (client) => client.release(),
      () => undefined,
    );
    throw error;
  }
}
