import { createServer as createTlsServer } from "node:tls";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pep, Task } from "@ambit/core";
import type { StatePart } from "@ambit/pdp";
import { createClient } from "redis";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createAuthority, type Pair } from "../support/certificates.ts";
import { BEGIN, codeOf, outcomeOf, rejection } from "../support/fixture.ts";
import { openPdp, READ, settingOf } from "./configured.ts";
import { hasPostgresPrograms, startPostgresServer, type PostgresServer } from "./postgres-server.ts";
import { startRedisServer, type RedisServer } from "./redis-server.ts";

const hasPostgres = hasPostgresPrograms();
const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
if (!hasRedis && process.env["AMBIT_REQUIRE_SERVICES"] === "1") throw new Error("there is no redis-server to start");

const [ours, theirs] = [createAuthority("ours"), createAuthority("theirs")];
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function closeAfter<T>(closeable: T, close: (closeable: T) => Promise<unknown>): T {
  closing.push(() => close(closeable));
  return closeable;
}

const opening = (state: StatePart): Promise<string> => settingOf(state).then((setting) => rejection(openPdp(setting).then(({ pdp }) => pdp.close())));

/** A task under way. */
async function working(state: StatePart): Promise<readonly [Pep, Task]> {
  const { pep } = closeAfter(await openPdp(await settingOf(state)), ({ pdp }) => pdp.close());
  const task = await pep.begin(BEGIN);
  expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
  return [pep, task];
}

async function expectDenied([pep, task]: readonly [Pep, Task]): Promise<void> {
  let runs = 0;
  const startedAt = performance.now();
  const enforced = await pep.enforce({ envelope: task, tool: READ[0], arguments: READ[1] }, () => (runs++, READ[2]));
  expect([codeOf(enforced), runs]).toEqual(["state_unavailable", 0]);
  expect(performance.now() - startedAt).toBeLessThan(3000);
}

const expectGoingOn = ([pep, task]: readonly [Pep, Task]): Promise<void> =>
  vi.waitFor(async () => expect(await outcomeOf(pep, task, ...READ)).toBe("permit"), { timeout: 10_000 });

describe.skipIf(!hasPostgres)("a PostgreSQL server", () => {
  const server = async (...settings: readonly string[]): Promise<PostgresServer> => closeAfter(await startPostgresServer(...settings), (own) => own.remove());
  const urlOf = (own: PostgresServer, change: (url: URL) => void): string => {
    const url = new URL(own.url);
    change(url);
    return url.href;
  };

  it("that does not take the password is not started with, and denies when it takes it no longer", { timeout: 60_000 }, async () => {
    const own = await server();
    await own.query(`CREATE ROLE app LOGIN PASSWORD 'right'; CREATE SCHEMA ambit AUTHORIZATION app`);
    await own.query(`GRANT CREATE ON DATABASE postgres TO app`);
    await own.query(`COPY (SELECT 'host all app 127.0.0.1/32 scram-sha-256' UNION ALL SELECT 'host all postgres 127.0.0.1/32 trust') TO '${await hbaOf(own)}'`);
    await own.query("SELECT pg_reload_conf()");
    const url = (password: string): string => urlOf(own, (changed) => ([changed.username, changed.password] = ["app", password]));
    await vi.waitFor(async () => expect(await opening({ kind: "postgres", url: url("wrong") })).toBe("state_unavailable"), { timeout: 10_000 });
    const work = await working({ kind: "postgres", url: url("right") });
    await own.query("ALTER ROLE app PASSWORD 'another'");
    await own.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    await expectDenied(work);
    await own.query("ALTER ROLE app PASSWORD 'right'");
    await expectGoingOn(work);
  });

  it("that ends sessions and refuses new ones denies, and is worked with again when it lets them in", { timeout: 60_000 }, async () => {
    const own = await server();
    await own.query("CREATE DATABASE state");
    const work = await working({ kind: "postgres", url: urlOf(own, (url) => (url.pathname = "/state")) });
    await own.query("ALTER DATABASE state WITH ALLOW_CONNECTIONS false");
    await own.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'state'");
    await expectDenied(work);
    await own.query("ALTER DATABASE state WITH ALLOW_CONNECTIONS true");
    await expectGoingOn(work);
  });

  it("is not spoken to where its certificate is not of the authority or the name, or where it has none", { timeout: 60_000 }, async () => {
    const own = await server();
    const folder = closeAfter(await mkdtemp(join(tmpdir(), "ambit-certificates-")), (made) => rm(made, { recursive: true }));
    await writeFile(join(folder, "ours.pem"), ours.cert);
    const state = (host: string): StatePart => ({
      kind: "postgres",
      url: urlOf(own, (url) => {
        url.hostname = host;
        url.search = `?sslmode=verify-full&sslrootcert=${join(folder, "ours.pem")}`;
      }),
    });
    /** Why it cannot be opened; a new certificate is there in a moment. */
    const expectCause = (cause: string | undefined): Promise<void> =>
      vi.waitFor(async () => expect(await causeOf(state("localhost"))).toBe(cause), { timeout: 10_000, interval: 100 });
    const present = async (pair: Pair): Promise<void> => {
      const data = await dataOf(own);
      for (const [name, text] of [
        ["server.crt", pair.cert],
        ["server.key", pair.key],
      ] as const)
        await own.query(`COPY (SELECT regexp_split_to_table('${text.trim()}', '\\n')) TO PROGRAM 'umask 077 && cat > ${join(data, name)}'`);
      await own.query("ALTER SYSTEM SET ssl = on");
      await own.query("SELECT pg_reload_conf()");
    };
    await expectCause("state_unavailable: The server does not support SSL connections");
    await present(theirs.issue("DNS:localhost"));
    await expectCause("state_unavailable: UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    await present(ours.issue("DNS:elsewhere.example"));
    await expectCause("state_unavailable: ERR_TLS_CERT_ALTNAME_INVALID");
    await present(ours.issue("DNS:localhost"));
    await expectCause(undefined);
  });
});

/** What was wrong with opening it, if anything was. */
async function causeOf(state: StatePart): Promise<string | undefined> {
  const setting = await settingOf(state);
  return openPdp(setting).then(
    async ({ pdp }) => void (await pdp.close()),
    ({ code, cause }: { readonly code: string; readonly cause: { readonly code?: string; readonly message: string } }) =>
      `${code}: ${cause.code ?? cause.message}`,
  );
}

async function dataOf(own: PostgresServer): Promise<string> {
  return ((await own.query("SHOW data_directory"))[0] as { readonly data_directory: string }).data_directory;
}

async function hbaOf(own: PostgresServer): Promise<string> {
  return ((await own.query("SHOW hba_file"))[0] as { readonly hba_file: string }).hba_file;
}

describe.skipIf(!hasRedis)("a Redis server", () => {
  const server = async (...options: readonly string[]): Promise<RedisServer> => closeAfter(await startRedisServer(...options), (own) => own.remove());

  it("that does not take the password is not started with, and denies when it takes it no longer", { timeout: 60_000 }, async () => {
    const own = await server();
    const admin = createClient({ url: own.url });
    await admin.connect();
    closing.push(async () => admin.destroy());
    await admin.sendCommand(["ACL", "SETUSER", "app", "on", ">right", "~*", "&*", "+@all"]);
    const url = (password: string): string => `redis://app:${password}@127.0.0.1:${own.port}`;
    expect(await opening({ kind: "redis", url: url("wrong") })).toBe("state_unavailable");
    const work = await working({ kind: "redis", url: url("right") });
    await admin.sendCommand(["ACL", "SETUSER", "app", "resetpass", ">another"]);
    await admin.sendCommand(["CLIENT", "KILL", "USER", "app"]);
    await expectDenied(work);
    await admin.sendCommand(["ACL", "SETUSER", "app", "resetpass", ">right"]);
    await expectGoingOn(work);
  });

  it("is not spoken to where its certificate is of nobody we trust, where it has none, or where it is asked without one", { timeout: 60_000 }, async () => {
    const own = await server();
    expect(await opening({ kind: "redis", url: `rediss://127.0.0.1:${own.port}` })).toBe("state_unavailable");
    const front = createTlsServer(theirs.issue("IP:127.0.0.1"), (near) => {
      const far = connect(own.port, "127.0.0.1");
      for (const socket of [near, far]) socket.on("error", () => undefined);
      near.pipe(far).pipe(near);
    });
    front.on("tlsClientError", () => undefined);
    front.listen(0, "127.0.0.1");
    await once(front, "listening");
    closing.push(async () => void front.close());
    const { port } = front.address() as AddressInfo;
    for (const protocol of ["redis", "rediss"]) expect(await opening({ kind: "redis", url: `${protocol}://127.0.0.1:${port}` })).toBe("state_unavailable");
  });
});
