import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { freePort } from "../support/free-port.ts";

/** A server of a test's own, which may be killed and started again with what it had committed. */
export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  query(text: string): Promise<readonly unknown[]>;
  /** Kills it at once (`SIGKILL`); its files stay. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

const INITDB = "initdb";
const programs = findPrograms();
const owner = process.getuid?.() === 0 ? idsOf("postgres") : undefined;

/** Whether there are programs to start a server with. `AMBIT_REQUIRE_SERVICES=1` makes their absence an error, else what needs them is skipped visibly. */
export function hasPostgresPrograms(): boolean {
  const isThere = programs !== undefined && (process.getuid?.() !== 0 || owner !== undefined);
  if (!isThere && process.env["AMBIT_REQUIRE_SERVICES"] === "1") throw new Error("there is no PostgreSQL server to start");
  if (!isThere) process.stderr.write("skipped: there is no PostgreSQL server to start\n");
  return isThere;
}

export async function startPostgresServer(...settings: readonly string[]): Promise<PostgresServer> {
  return startServer(settings, (folder) => run(INITDB, "-D", folder, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"));
}

/** A read-only copy that follows another server. */
export async function startPostgresReplica(primary: PostgresServer): Promise<PostgresServer> {
  return startServer([], (folder) => run("pg_basebackup", "-D", folder, "-d", primary.url, "-R", "-X", "stream", "--no-sync", "-c", "fast"));
}

async function startServer(settings: readonly string[], fill: (folder: string) => void): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "ambit-postgres-"));
  await chmod(folder, 0o700);
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
  fill(folder);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  let child: ChildProcess | undefined;
  const query = async (text: string): Promise<readonly unknown[]> => {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
    client.on("error", () => {}); // it may be killed
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    const options = ["fsync=off", "unix_socket_directories=", "listen_addresses=127.0.0.1", ...settings].flatMap((setting) => ["-c", setting]);
    for (let attempts = 0; attempts < 400; attempts += 1) {
      // What it was killed with may hold its memory for a moment.
      if (!isRunning(child)) child = spawn(pathOf("postgres"), ["-D", folder, "-p", String(port), ...options], { stdio: "ignore", ...owner });
      if (await query("SELECT 1").catch(() => undefined)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("the PostgreSQL server did not start");
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || !isRunning(child)) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  await start();
  return {
    url,
    port,
    query,
    kill,
    start,
    remove: async () => {
      await kill();
      await rm(folder, { recursive: true, maxRetries: 20 });
    },
  };
}

function isRunning(child: ChildProcess | undefined): boolean {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(pathOf(program), args, { stdio: ["ignore", "ignore", "pipe"], cwd: tmpdir(), ...owner });
}

function pathOf(program: string): string {
  return join(programs ?? "", program);
}

/** Where they are installed; mostly not where commands are looked for. Empty: there they are. */
function findPrograms(): string | undefined {
  const root = "/usr/lib/postgresql";
  try {
    const [newest = ""] = readdirSync(root).toSorted((a, b) => Number(b) - Number(a));
    return join(root, newest, "bin");
  } catch {
    return spawnSync(INITDB, ["--version"]).status === 0 ? "" : undefined;
  }
}

/** The server runs as nobody's superuser. */
function idsOf(user: string): { readonly uid: number; readonly gid: number } | undefined {
  try {
    const id = (flag: string): number => Number(execFileSync("id", [flag, user], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined;
  }
}
