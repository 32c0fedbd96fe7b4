import { inspect } from "node:util";
import { generateKeyPair, SignJWT } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import type { AmbitError } from "@ambit/core";
import { openBao, type BaoAuth, type OpenBao, type OpenBaoOptions, type SecretName } from "@ambit/gateway/vault";
import { selfSigned } from "../../../../core/test/identity/issuer.ts";
import { BaoServer, type BaoServerOptions } from "../../support/open-bao-server.ts";
import { CRM, UNAVAILABLE, valueOf } from "../../support/vault-folder.ts";

const DATABASE = { kind: "dynamic", path: "database/creds/readonly" } as const;
const KV_PATH = "secret/data/tenant_acme/crm/api_key";
const AUDIENCE = "https://bao.example";
const { publicKey, privateKey } = await generateKeyPair("ES256");
const stranger = await generateKeyPair("ES256");

const ending: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of ending.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

interface Scene {
  readonly server: BaoServer;
  readonly problems: AmbitError[];
  open(options?: Partial<OpenBaoOptions>): OpenBao;
  readonly login: BaoAuth;
}

async function scene(options: BaoServerOptions = {}): Promise<Scene> {
  const server = await BaoServer.start({ login: { key: publicKey, audience: AUDIENCE, lifetime: 600, mostLifetime: 3600 }, ...options });
  ending.push(server);
  const problems: AmbitError[] = [];
  const jwt = (key = privateKey): Promise<string> =>
    new SignJWT({})
      .setProtectedHeader({ alg: "ES256" })
      .setSubject("gateway")
      .setAudience(AUDIENCE)
      .setExpirationTime(server.now / 1000 + 60)
      .sign(key);
  const login: BaoAuth = { kind: "jwt", role: "gateway", jwt: () => jwt() };
  server.putSecret("tenant_acme/crm/api_key", { value: "hunter2", owner: "ops" });
  return {
    server,
    problems,
    login,
    open: (more) => {
      const vault = openBao({
        address: server.address,
        auth: login,
        allowLoopback: true,
        now: () => server.now,
        onProblem: (error) => problems.push(error),
        ...more,
      });
      ending.push(vault);
      return vault;
    },
  };
}

const strangersJwt = (): Promise<string> =>
  new SignJWT({}).setProtectedHeader({ alg: "ES256" }).setAudience(AUDIENCE).setExpirationTime("1h").sign(stranger.privateKey);

describe("secrets of the KV engine", () => {
  test("are at tenant, connector and id, and are zeroed after use", async () => {
    const { open } = await scene();
    const lease = await open().lease(CRM);
    expect([Buffer.from(lease.value).toString(), lease.version, lease.expiresAt]).toEqual(["hunter2", 1, undefined]);
    await lease[Symbol.asyncDispose]();
    expect(lease.value.every((byte) => byte === 0)).toBe(true);
    await expect(lease.renew()).rejects.toMatchObject(UNAVAILABLE);
  });

  test("are those of the version that is asked for, until it is deleted", async () => {
    const { server, open } = await scene();
    const vault = open();
    server.putSecret("tenant_acme/crm/api_key", { value: "hunter3" });
    expect(await valueOf(vault)).toBe("hunter3");
    expect(Buffer.from((await vault.lease(CRM, { version: 1 })).value).toString()).toBe("hunter2");
    await expect(vault.lease(CRM, { version: 3 })).rejects.toMatchObject(UNAVAILABLE);
    server.deleteSecret("tenant_acme/crm/api_key");
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    server.putSecret("tenant_acme/crm/api_key", { value: "hunter4" }, new Date(server.now + 5000).toISOString());
    expect((await vault.lease(CRM)).expiresAt).toBe(server.now + 5000);
  });

  test("of another version than the one that was asked for are refused, whoever answers so", async () => {
    const { server, open } = await scene();
    server.putSecret("tenant_acme/crm/api_key", { value: "hunter3" });
    const text = JSON.stringify({ data: { data: { value: "hunter3" }, metadata: { version: 2, deletion_time: "" } } });
    server.instead = ({ path }) => (path === KV_PATH ? { status: 200, text } : undefined);
    await expect(open().lease(CRM, { version: 1 })).rejects.toMatchObject(UNAVAILABLE);
    expect(await valueOf(open())).toBe("hunter3");
  });

  test("are one field, or all of them as JSON", async () => {
    const { open } = await scene();
    const at = (field?: string) => open({ secretAt: () => ({ kind: "kv", mount: "secret", path: "tenant_acme/crm/api_key", field }) });
    expect(await valueOf(at("owner"))).toBe("ops");
    expect(await valueOf(at())).toBe('{"owner":"ops","value":"hunter2"}');
    for (const field of ["none", "constructor", "__proto__", ""]) await expect(at(field).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });

  test("are in the namespace that is configured", async () => {
    const { open } = await scene({ namespace: "acme/prod" });
    expect(await valueOf(open({ namespace: "acme/prod" }))).toBe("hunter2");
    for (const namespace of [undefined, "acme", "other"]) await expect(open({ namespace }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });

  test.each<Partial<SecretName>>([
    { tenant: "tenant_acme/crm", connector: "api_key" },
    { tenant: "tenant_acme%2Fcrm" },
    { id: ".." },
    { id: "." },
    { id: "x." },
    { id: "api_key?version=1" },
    { id: "api_key#" },
    { id: "a b" },
    { id: "" },
    { id: "\ud800" },
    { tenant: "..", connector: "..", id: "sys" },
  ])("are never asked for where another one may be: %j", async (name) => {
    const { server, open } = await scene();
    await expect(open().lease({ ...CRM, ...name })).rejects.toMatchObject(UNAVAILABLE);
    await expect(open({ secretAt: ({ id }) => ({ kind: "kv", mount: "secret", path: `x//${id}` }) }).lease({ ...CRM, ...name })).rejects.toMatchObject(
      UNAVAILABLE,
    );
    expect(server.asked).toEqual([]);
  });

  test("that nobody has configured are not asked for, and a configuration that throws is a refusal", async () => {
    const { server, open } = await scene();
    await expect(open({ secretAt: () => undefined }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    const broken = (): never => {
      throw new TypeError("no such table");
    };
    await expect(open({ secretAt: broken }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    expect(server.asked).toEqual([]);
  });
});

describe("secrets that are made for each lease", () => {
  test("are others each time, end with the lease, and are revoked when it is disposed of", async () => {
    const { server, open } = await scene();
    const vault = open({ secretAt: () => DATABASE });
    const [one, other] = [await vault.lease(CRM), await vault.lease(CRM)];
    expect(JSON.parse(Buffer.from(one.value).toString())).toEqual({
      username: expect.stringMatching(/^v-jwt-/),
      password: expect.stringMatching(/^pass-v-jwt-/),
    });
    expect(other.value).not.toEqual(one.value);
    expect(one.expiresAt).toBe(server.now + 60_000);
    expect(server.users.size).toBe(2);
    await one[Symbol.asyncDispose]();
    await one[Symbol.asyncDispose]();
    expect([...server.users]).toHaveLength(1);
    await other[Symbol.asyncDispose]();
    expect([server.users.size, server.leases.size, server.count("sys/leases/revoke")]).toEqual([0, 0, 2]);
  });

  test("are renewed as long as the server does so", async () => {
    const { server, open } = await scene();
    const lease = await open({ secretAt: () => DATABASE }).lease(CRM);
    server.now += 50_000;
    await lease.renew();
    expect(lease.expiresAt).toBe(server.now + 60_000);
    server.now += 50_000;
    await lease.renew();
    expect(lease.expiresAt).toBe(server.now + 50_000); // no longer than 150 seconds in all
    server.now += 50_000;
    await expect(lease.renew()).rejects.toMatchObject(UNAVAILABLE);
    await lease[Symbol.asyncDispose]();
  });

  test("have no versions", async () => {
    const { server, open } = await scene();
    await expect(open({ secretAt: () => DATABASE }).lease(CRM, { version: 1 })).rejects.toMatchObject(UNAVAILABLE);
    expect(server.users.size).toBe(0);
  });

  test("end at latest with the token that asked for them", async () => {
    const { server, open } = await scene({ login: { key: publicKey, audience: AUDIENCE, lifetime: 20, mostLifetime: 20 } });
    const lease = await open({ secretAt: () => DATABASE }).lease(CRM);
    expect(lease.expiresAt).toBe(server.now + 20_000);
  });

  test("are revoked when they are not what was expected", async () => {
    const { server, open } = await scene();
    await expect(open({ secretAt: () => ({ ...DATABASE, field: "certificate" }) }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    expect([server.users.size, server.count("sys/leases/revoke")]).toEqual([0, 1]);
  });

  test.each(["the deadline", "whoever asked"])("are revoked when they come after %s has given up", async (who) => {
    const { server, open } = await scene();
    let answer = (): void => {};
    server.hold = ({ path }) => (path === DATABASE.path ? new Promise((resolve) => (answer = resolve)) : Promise.resolve());
    const leaving = new AbortController();
    const vault = open({ secretAt: () => DATABASE, deadline: who === "the deadline" ? 200 : 20_000 });
    const leased = vault.lease(CRM, { signal: leaving.signal }).catch((error: unknown) => error);
    await expect.poll(() => server.users.size).toBe(1);
    if (who !== "the deadline") leaving.abort();
    expect(await leased).toMatchObject(UNAVAILABLE);
    answer();
    await expect.poll(() => server.users.size).toBe(0);
  });

  test("that cannot be revoked are tried again, told of, and revoked at latest when the vault is closed", async () => {
    const { server, open, problems } = await scene();
    const vault = open({ secretAt: () => DATABASE });
    const [one, other] = [await vault.lease(CRM), await vault.lease(CRM)];
    server.instead = ({ path }) => (path === "sys/leases/revoke" ? { status: 500, text: '{"errors":["internal error"]}' } : undefined);
    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    expect(problems.map(({ code }) => code)).toEqual(["credential_unavailable", "credential_unavailable"]);
    expect([...one.value, ...other.value].every((byte) => byte === 0)).toBe(true);
    server.instead = undefined;
    await expect.poll(() => server.leases.size, { timeout: 10_000 }).toBe(0);
    const last = await vault.lease(CRM);
    server.instead = ({ path }) => (path === "sys/leases/revoke" ? { status: 500, text: "" } : undefined);
    await last[Symbol.asyncDispose]();
    server.instead = undefined;
    await vault.close();
    expect(server.leases.size).toBe(0);
  });
});

describe("a login", () => {
  test("happens once for all who wait, and serves until half of it is over", async () => {
    const { server, open } = await scene();
    const vault = open();
    expect(new Set(await Promise.all(Array.from({ length: 20 }, () => valueOf(vault))))).toEqual(new Set(["hunter2"]));
    server.now += 299_000;
    await valueOf(vault);
    expect([server.count("auth/jwt/login"), server.count("auth/token/renew-self")]).toEqual([1, 0]);
    server.now += 2000;
    await Promise.all(Array.from({ length: 20 }, () => valueOf(vault)));
    expect([server.count("auth/jwt/login"), server.count("auth/token/renew-self")]).toEqual([1, 1]);
  });

  test("is repeated when the token has ended, or cannot be renewed for ever", async () => {
    const { server, open } = await scene();
    const vault = open();
    await valueOf(vault);
    server.now += 601_000;
    await valueOf(vault);
    expect(server.count("auth/jwt/login")).toBe(2);
    for (let minutes = 0; minutes < 70; minutes += 4) {
      server.now += 240_000;
      expect(await valueOf(vault)).toBe("hunter2");
    }
    expect(server.count("auth/jwt/login")).toBe(3);
  });

  test("is repeated once when the token was revoked, and not because something is forbidden", async () => {
    const { server, open } = await scene();
    const vault = open({ secretAt: ({ id }) => ({ kind: "kv", mount: "secret", path: id, field: "value" }) });
    server.putSecret("key", { value: "hunter2" });
    server.putSecret("forbidden", { value: "hunter2" });
    const [key, forbidden] = [
      { ...CRM, id: "key" },
      { ...CRM, id: "forbidden" },
    ];
    await valueOf(vault, key);
    for (let times = 0; times < 3; times++) await expect(vault.lease(forbidden)).rejects.toMatchObject(UNAVAILABLE);
    expect(server.count("auth/jwt/login")).toBe(1);
    for (const id of [...server.tokens.keys()].filter((token) => token !== "root")) server.revokeToken(id);
    expect(await Promise.all([1, 2, 3].map(() => valueOf(vault, key)))).toEqual(["hunter2", "hunter2", "hunter2"]);
    expect(server.count("auth/jwt/login")).toBe(2);
  });

  test("goes on with the token while it is good and the server neither renews nor takes logins", async () => {
    const { server, open } = await scene();
    const vault = open();
    await valueOf(vault);
    server.instead = ({ path }) => (path === "auth/jwt/login" || path === "auth/token/renew-self" ? { status: 500, text: "" } : undefined);
    server.now += 301_000;
    for (let times = 0; times < 5; times++) expect(await valueOf(vault)).toBe("hunter2");
    expect(server.count("auth/jwt/login")).toBe(2);
    server.now += 300_000;
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    server.instead = undefined;
    expect(await valueOf(vault)).toBe("hunter2");
  });

  test("ends when the vault is closed, and with it what was made", async () => {
    const { server, open } = await scene();
    const vault = open({ secretAt: () => DATABASE });
    await vault.lease(CRM);
    await vault.close();
    expect([server.tokens.size, server.users.size]).toEqual([1, 0]);
  });

  test.each<readonly [string, BaoAuth]>([
    ["a key that nobody trusts", { kind: "jwt", role: "gateway", jwt: strangersJwt }],
    ["a role that there is not", { kind: "jwt", role: "admin", jwt: strangersJwt }],
    ["a method that there is not", { kind: "jwt", role: "gateway", jwt: strangersJwt, mount: "other" }],
    ["no token", { kind: "jwt", role: "gateway", jwt: "" }],
    ["a source that fails", { kind: "jwt", role: "gateway", jwt: () => Promise.reject(new Error("swordfish")) }],
    ["a token that nobody knows", { kind: "token", token: "swordfish" }],
    ["a token that no header can carry", { kind: "token", token: "swordfish\r\nx-evil: 1" }],
    ["a wrapping token that nobody knows", { kind: "wrapped", token: "swordfish" }],
  ])("with %s gives nothing, and quotes nothing", async (_, auth) => {
    const { open } = await scene();
    const error: unknown = await open({ auth })
      .lease(CRM)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(UNAVAILABLE);
    expect(inspect(error, { depth: 9 })).not.toContain("swordfish");
  });

  test("is not needed with a token, which is asked for each time and left alone", async () => {
    const { server, open } = await scene();
    server.newToken();
    const [token = ""] = [...server.tokens.keys()].slice(-1);
    let asked = 0;
    const vault = open({ auth: { kind: "token", token: () => (asked++, token) } });
    await valueOf(vault);
    await valueOf(vault);
    expect([asked, server.asked.length]).toEqual([2, 2]);
    await vault.close();
    expect(server.tokens.has(token)).toBe(true);
  });
});

describe("what is handed over wrapped", () => {
  const wrappedToken = ({ wrap_info: info }: Readonly<Record<string, unknown>>): string => (info as { readonly token: string }).token;

  test("logs in once, and is renewed from then on", async () => {
    const { server, open, problems } = await scene();
    const vault = open({ auth: { kind: "wrapped", token: wrappedToken(server.wrap("auth/token/create", server.newToken())) } });
    for (let times = 0; times < 5; times++) {
      expect(await valueOf(vault)).toBe("hunter2");
      server.now += 2_000_000;
    }
    expect([server.count("sys/wrapping/unwrap"), server.count("auth/token/renew-self"), problems]).toEqual([1, 4, []]);
  });

  test("is opened when it was made for exactly this secret", async () => {
    const { server, open, problems } = await scene();
    const body = { data: { data: { value: "wrapped" }, metadata: { version: 7, deletion_time: "" } } };
    const token = wrappedToken(server.wrap(KV_PATH, body));
    const vault = open({ secretAt: () => ({ kind: "kv", mount: "secret", path: "tenant_acme/crm/api_key", field: "value", wrapped: token }) });
    expect(await valueOf(vault)).toBe("wrapped");
    expect(problems).toEqual([]);
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE); // it opens once
    expect(problems).toHaveLength(1);
    expect(inspect(problems, { depth: 9 })).not.toContain(token);
  });

  test.each(["secret/data/tenant_acme/crm/api_key2", "secret/data/tenant_acme/crm", "sys/wrapping/wrap", "cubbyhole/x", ""])(
    "is not even opened, and told of, when it was made at %j",
    async (path) => {
      const { server, open, problems } = await scene();
      const token = wrappedToken(server.wrap(path, { data: { data: { value: "evil" }, metadata: { version: 1 } } }));
      const vault = open({ secretAt: () => ({ kind: "kv", mount: "secret", path: "tenant_acme/crm/api_key", field: "value", wrapped: token }) });
      await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
      expect([server.count("sys/wrapping/unwrap"), problems.length]).toEqual([0, 1]);
    },
  );

  test("is told of when somebody has opened it before, or it has expired", async () => {
    const { server, open, problems } = await scene();
    const token = wrappedToken(server.wrap("auth/token/create", server.newToken()));
    const vault = open({ auth: { kind: "wrapped", token } });
    server.now += 61_000;
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    expect(problems).toHaveLength(1);
  });

  test("is not called intercepted because the server is away", async () => {
    const { server, open, problems } = await scene();
    server.isSealed = true;
    await expect(open({ auth: { kind: "wrapped", token: "x" } }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    expect(problems).toEqual([]);
  });
});

describe("a server that gives nothing", () => {
  test("because it is sealed is credential_unavailable, and no restart is needed when it is unsealed", async () => {
    const { server, open } = await scene();
    const vault = open();
    server.isSealed = true;
    await expect(vault.lease(CRM)).rejects.toMatchObject({ ...UNAVAILABLE, summary: expect.stringContaining("sealed") });
    server.isSealed = false;
    expect(await valueOf(vault)).toBe("hunter2");
    server.isSealed = true;
    await expect(vault.lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
  });

  test("because it is a standby is not followed, and its leader never sees the token", async () => {
    const { server, open } = await scene();
    const leader = (await scene()).server;
    server.standbyOf = leader.address;
    await expect(open().lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    expect(leader.asked).toEqual([]);
  });

  test("because it is away, or hangs, is told within the deadline", async () => {
    const { server, open } = await scene();
    await expect(open({ address: "http://127.0.0.1:1" }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    server.hold = () => new Promise(() => {});
    await expect(open({ deadline: 200 }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    await expect(open().lease(CRM, { signal: AbortSignal.abort() })).rejects.toMatchObject(UNAVAILABLE);
  });

  const kv = (data: unknown, metadata: unknown = { version: 1, deletion_time: "" }): string => JSON.stringify({ data: { data, metadata } });
  test.each([
    ["nothing", 200, ""],
    ["no JSON", 200, "<html>"],
    ["no object", 200, "[]"],
    ["two values", 200, '{"data":{"data":{"value":"a","value":"b"},"metadata":{"version":1}}}'],
    ["no data", 200, "{}"],
    ["null", 200, kv(null)],
    ["no metadata", 200, kv({ value: "x" }, null)],
    ["no version", 200, kv({ value: "x" }, {})],
    ["a number for a secret", 200, kv({ value: 1 })],
    ["a list for a secret", 200, kv({ value: ["x"] })],
    ["too much", 200, kv({ value: "x".repeat(5000) })],
    ["a secret in an error", 400, kv({ value: "hunter2" })],
    ["a secret with status 201", 201, kv({ value: "hunter2" })],
    ["a failure", 500, '{"errors":["swordfish"]}'],
    ["too many requests", 429, '{"errors":["swordfish"]}'],
  ])("but %s with status is refused, and not quoted", async (_, status, text) => {
    const { server, open } = await scene();
    server.instead = ({ path }) => (path === KV_PATH ? { status, text } : undefined);
    const error: unknown = await open({ mostBytes: 2048 })
      .lease(CRM)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(UNAVAILABLE);
    expect(inspect(error, { depth: 9 })).not.toMatch(/swordfish|hunter2/);
  });

  test.each([
    ["no lease", { lease_duration: 60, data: { username: "x" } }],
    ["no end", { lease_id: "l", data: { username: "x" } }],
    ["an end that is none", { lease_id: "l", lease_duration: -1, data: { username: "x" } }],
    ["no data", { lease_id: "l", lease_duration: 60 }],
  ])("but credentials with %s is refused", async (_, body) => {
    const { server, open } = await scene();
    server.instead = ({ path }) => (path === DATABASE.path ? { status: 200, text: JSON.stringify(body) } : undefined);
    await expect(open({ secretAt: () => DATABASE }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    expect(server.count("sys/leases/revoke")).toBe("lease_id" in body ? 1 : 0);
  });

  test.each([
    ["no token", {}],
    ["an empty token", { client_token: "", lease_duration: 1 }],
    ["no lifetime", { client_token: "x" }],
    ["a lifetime that is none", { client_token: "x", lease_duration: 1.5 }],
  ])("but a login with %s is refused", async (_, granted) => {
    const { server, open } = await scene();
    server.instead = ({ path }) => (path === "auth/jwt/login" ? { status: 200, text: JSON.stringify({ auth: granted }) } : undefined);
    await expect(open().lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    expect(server.asked).toHaveLength(1);
  });
});

const certificate = selfSigned();

describe.skipIf(certificate === undefined)("over TLS", () => {
  test("only a server is asked that the configured authority has vouched for", async () => {
    const { server, open } = await scene({ tls: certificate as NonNullable<typeof certificate> });
    expect(await valueOf(open({ ca: certificate?.cert, allowLoopback: false }))).toBe("hunter2");
    const before = server.asked.length;
    await expect(open({ allowLoopback: false }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    const elsewhere = server.address.replace("localhost", "127.0.0.1"); // which the certificate does not name
    await expect(open({ ca: certificate?.cert, address: elsewhere }).lease(CRM)).rejects.toMatchObject(UNAVAILABLE);
    expect(server.asked).toHaveLength(before);
  });
});

test.each([
  { address: "http://bao.example" },
  { address: "http://127.0.0.1:8200", allowLoopback: false },
  { address: "https://user@bao.example" },
  { address: "https://bao.example?x" },
  { address: "bao.example" },
  { deadline: 0 },
  { deadline: Number.NaN },
  { mostBytes: Infinity },
  { namespace: "a b" },
  { namespace: "a\r\nb" },
  { auth: { kind: "jwt", role: "r", jwt: "j", mount: "../sys" } },
] as readonly Partial<OpenBaoOptions>[])("the options %j are refused", async (options) => {
  const { open } = await scene();
  expect(() => open(options)).toThrow(expect.objectContaining({ code: "option_invalid" }));
});
