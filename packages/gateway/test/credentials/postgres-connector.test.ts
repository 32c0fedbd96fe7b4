import { createHmac, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import type { AmbitError } from "@ambit/core";
import { postgresConnector, type PostgresConnectorOptions, type TableAccess } from "@ambit/gateway/postgres";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action, Upstream } from "../../src/index.ts";
import { scramVerifier } from "../../src/credentials/postgres/scram.ts";
import { action } from "../support/action.ts";
import { observedClient, waysFound } from "../support/observed-client.ts";
import { bytes, vaultFolder } from "../support/vault-folder.ts";
import { createWorld } from "../support/world.ts";

const url = process.env["AMBIT_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
const [random, NOBODY] = [randomBytes(6).toString("hex"), new AbortController().signal];
const [database, prefix, keeper] = [`ambit_test_${random}`, `t${random}`, `keeper_${random}`];
const at = (name: string, user?: { readonly user: string; readonly password: string }): string => {
  const address = new URL(url);
  address.pathname = `/${name}`;
  if (user !== undefined) [address.username, address.password] = [user.user, user.password];
  return address.href;
};

async function query(connectionString: string, text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

const CONTRACTS: TableAccess = {
  table: "contracts",
  columns: ["id", "customer_id", "title"],
  rows: ({ arguments: args }) => ({ customer_id: String(args["customer_id"]) }),
};
const rolesLeft = (): Promise<readonly Record<string, unknown>[]> =>
  query(at(database), "SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1)", [prefix]);

beforeAll(async () => {
  await query(url, `CREATE DATABASE ${database}`);
  // Neither a superuser nor the owner of the database.
  await query(url, `CREATE ROLE ${keeper} LOGIN CREATEROLE`);
  await query(
    at(database),
    `REVOKE TEMPORARY ON DATABASE ${database} FROM PUBLIC;
     GRANT CREATE ON DATABASE ${database} TO ${keeper};
     CREATE TABLE contracts (id int, customer_id text, title text, secret text);
     INSERT INTO contracts VALUES (1, 'c1', 'one', 's1'), (2, 'c2', 'two', 's2'), (3, 'x'' OR ''1''=''1', 'three', 's3');
     ALTER TABLE contracts OWNER TO ${keeper}`,
  );
});
afterAll(async () => {
  await query(url, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await query(url, `DROP ROLE IF EXISTS ${keeper}`);
});

async function setting(more: Partial<PostgresConnectorOptions> = {}) {
  const folder = await vaultFolder();
  const vault = folder.open();
  const admin = at(database, { user: keeper, password: "canary-admin-3b9f50c2" });
  await vault.set({ tenant: "tenant_1", connector: "crm", id: "admin" }, bytes(admin));
  const connector = postgresConnector({ vault, name: "crm", tables: { contracts_read: [CONTRACTS], echo: [CONTRACTS] }, prefix, ...more });
  return {
    connector,
    obtain: (of: Partial<Action> = {}) => connector.obtain(action(of), NOBODY),
    codeOf: (of: Partial<Action> = {}) =>
      connector.obtain(action(of), NOBODY).then(
        () => "obtained",
        (error: AmbitError) => error.code,
      ),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

describe("a login for one action", () => {
  it("sees the rows and columns of the action alone, and is gone after it, with its sessions", async () => {
    await using of = await setting();
    const credential = await of.obtain();
    const as = at(database, credential.login);
    expect(credential.overPrivileged).toBeUndefined();
    expect(await query(as, "SELECT * FROM contracts")).toEqual([{ id: 1, customer_id: "c1", title: "one" }]);
    for (const text of [
      "SELECT * FROM public.contracts",
      "SELECT secret FROM contracts",
      "UPDATE contracts SET title = 'mine'",
      "DELETE FROM contracts",
      "INSERT INTO contracts VALUES (4, 'c1', 'four')",
      "CREATE TEMPORARY TABLE t (i int)",
      "CREATE TABLE t (i int)",
      "CREATE ROLE another",
      `SET ROLE ${keeper}`,
      "SELECT rolpassword FROM pg_authid",
    ])
      await expect(query(as, text)).rejects.toMatchObject({ severity: "ERROR" });
    const open = new pg.Client({ connectionString: as });
    const lost = new Promise((resolve) => open.on("error", resolve));
    await open.connect();
    await credential[Symbol.asyncDispose]();
    expect(await lost).toMatchObject({ code: "57P01" });
    await expect(query(as, "SELECT 1")).rejects.toMatchObject({ code: "28000" });
    expect(await rolesLeft()).toEqual([]);
    expect(await query(at(database), "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, $1)", [prefix])).toEqual([]);
  });

  it.each(["x' OR '1'='1", "'; DROP TABLE contracts; --", "%I %L %s %%", "\\' OR true --", "$1", "c1' --"])("takes a value as a value: %s", async (value) => {
    await using of = await setting();
    await using credential = await of.obtain({ arguments: { customer_id: value } });
    const seen = await query(at(database, credential.login), "SELECT id FROM contracts");
    expect(seen).toEqual(value === "x' OR '1'='1" ? [{ id: 3 }] : []);
  });

  it("takes a name as a name", async () => {
    const odd = 'od"d; DROP TABLE contracts; --';
    const quoted = `"${odd.replaceAll('"', '""')}"`;
    await query(at(database), `CREATE TABLE ${quoted} (${quoted} text); INSERT INTO ${quoted} VALUES ('v'); ALTER TABLE ${quoted} OWNER TO ${keeper}`);
    await using of = await setting({ tables: { contracts_read: [{ table: odd, columns: [odd], rows: () => ({ [odd]: ["v", "w"] }) }] } });
    await using credential = await of.obtain();
    expect(await query(at(database, credential.login), `SELECT * FROM ${quoted}`)).toEqual([{ [odd]: "v" }]);
  });

  it("may write where that is configured, and no row that it could not read", async () => {
    await using of = await setting({ tables: { contracts_read: [{ ...CONTRACTS, privileges: ["SELECT", "UPDATE"] }] } });
    await using credential = await of.obtain({ arguments: { customer_id: "c2" } });
    const as = at(database, credential.login);
    await query(as, "UPDATE contracts SET title = 'new'");
    await expect(query(as, "UPDATE contracts SET customer_id = 'c1'")).rejects.toMatchObject({ code: "44000" });
    await expect(query(as, "DELETE FROM contracts")).rejects.toMatchObject({ code: "42501" });
    expect(await query(at(database), "SELECT title FROM contracts ORDER BY id")).toEqual([{ title: "one" }, { title: "new" }, { title: "three" }]);
  });

  it.each<readonly [string, NonNullable<TableAccess["rows"]>]>([
    ["no column", () => ({})],
    ["no value", () => ({ customer_id: undefined as unknown as string })],
    ["null", () => ({ customer_id: null as unknown as string })],
    ["no number", () => ({ id: Number.NaN })],
    ["an object", () => ({ customer_id: { toString: () => "c1" } as unknown as string })],
    ["an unknown column", () => ({ nothing: "c1" })],
    ["a value of another type", () => ({ id: "c1" })],
    ["half a character", () => ({ customer_id: "\ud800" })],
    ["a character that no text has", () => ({ customer_id: "c1\u0000" })],
  ])("is none where the rows are not known: %s", async (_, rows) => {
    await using of = await setting({ tables: { contracts_read: [{ ...CONTRACTS, rows }] } });
    expect(await of.codeOf()).toBe("credential_unavailable");
    expect(await rolesLeft()).toEqual([]);
  });

  it("sees no row where the action has none", async () => {
    await using of = await setting({ tables: { contracts_read: [{ ...CONTRACTS, rows: () => ({ customer_id: [] }) }] } });
    await using credential = await of.obtain();
    expect(await query(at(database, credential.login), "SELECT * FROM contracts")).toEqual([]);
  });

  it("is none for another tenant, for a tool without tables, and when the action must not begin any more", async () => {
    await using of = await setting();
    for (const more of [{ tenantId: "tenant_2" }, { tool: "other" }, { tool: "__proto__" }, { until: Date.now() - 1 }, { until: Number.NaN }])
      expect(await of.codeOf(more)).toBe("credential_unavailable");
    expect((await of.connector.obtain(undefined, NOBODY)).login).toBeUndefined();
    expect(await rolesLeft()).toEqual([]);
  });

  it("is told of as one that allows more where the database gives everybody something", async () => {
    await query(at(database), "CREATE TABLE notes (t text); GRANT SELECT ON notes TO PUBLIC");
    await using of = await setting();
    const credential = await of.obtain();
    expect(credential.overPrivileged).toBe("the database gives everybody other tables or functions");
    await credential[Symbol.asyncDispose]();
    await query(at(database), "DROP TABLE notes");
  });

  it("that was left behind is swept before the next, and one in use is not", async () => {
    let now = Date.now();
    await using one = await setting({ now: () => now });
    const [orphan, used] = [await one.obtain({ until: now + 10_000 }), await one.obtain({ until: now + 300_000 })];
    now += 120_000;
    await using other = await setting({ now: () => now, grace: 60_000 });
    await using next = await other.obtain({ until: now + 60_000 });
    const left = (await rolesLeft()).map(({ rolname }) => rolname);
    expect(left.toSorted()).toEqual([used.login?.user, next.login?.user].toSorted());
    expect(left).not.toContain(orphan.login?.user);
    now += 3_600_000;
    expect(await other.connector.sweep("tenant_1")).toBe(2);
    expect(await rolesLeft()).toEqual([]);
  });

  it("goes to its upstream with the call, is told of on the record, and comes back nowhere", async () => {
    await using of = await setting();
    const used: string[] = [];
    const upstream: Upstream = {
      name: "crm",
      connector: of.connector,
      open: async () => ({
        capabilities: { tools: {} },
        instructions: undefined,
        request: async (method, params, { login }) => {
          if (method === "tools/list") return { tools: [{ name: "echo", inputSchema: { type: "object", properties: { text: { type: "string" } } } }] };
          used.push(login?.password ?? "");
          const rows = await query(at(database, login), "SELECT title FROM contracts");
          return { content: [{ type: "text", text: `${String(rows.length)} rows, ${JSON.stringify(params)}, as ${login?.user}:${login?.password}` }] };
        },
        close: async () => undefined,
      }),
    };
    await using world = await createWorld({ upstreams: [upstream] });
    await using client = await observedClient(world);
    const { text } = await client.call("echo", { text: "hello" });
    expect(text).toContain("hello");
    expect(text).toContain(":[redacted]");
    expect(world.outcomes()).toEqual(["done"]);
    expect(world.credentials()).toEqual([{ connector: "crm" }]);
    expect(used).toHaveLength(1);
    const everything = client.seen() + world.record();
    for (const secret of [...used, "canary-admin-3b9f50c2"]) expect(waysFound(secret, everything)).toEqual([]);
    expect(await rolesLeft()).toEqual([]);
  });

  it("is none where the database is away, and the error repeats nothing", async () => {
    await using folder = await vaultFolder();
    const vault = folder.open();
    await vault.set({ tenant: "tenant_1", connector: "crm", id: "admin" }, bytes("postgres://u:canary-admin-3b9f50c2@127.0.0.1:1/none"));
    const connector = postgresConnector({ vault, name: "crm", tables: { contracts_read: [CONTRACTS] }, prefix });
    const error: unknown = await connector.obtain(action({}), NOBODY).catch((thrown: unknown) => thrown);
    expect((error as AmbitError).code).toBe("credential_unavailable");
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("canary-admin");
  });
});

it("the server is given what it keeps of a password as RFC 7677 has it", () => {
  const salt = Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64");
  const verifier = scramVerifier("pencil", salt, 4096);
  expect(verifier).toMatch(/^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$/);
  // The server's signature of section 3 of the RFC, made with the key that is kept.
  const message =
    "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const serverKey = Buffer.from(verifier.split(":").at(-1) ?? "", "base64");
  expect(createHmac("sha256", serverKey).update(message).digest("base64")).toBe("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
});

it.each([
  { prefix: "" },
  { prefix: "A" },
  { prefix: "pg_x" },
  { prefix: "a%b" },
  { grace: -1 },
  { grace: Number.NaN },
  { tables: { t: [CONTRACTS, CONTRACTS] } },
])("%j is refused", async (more) => {
  await expect(setting(more)).rejects.toMatchObject({ code: "option_invalid" });
});
