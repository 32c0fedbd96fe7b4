import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chainOf, createPep, type Pep, type Task } from "@ambit/core";
import { pdpClient } from "@ambit/core/pdp-client";
import { generatePrivateJwk, signingKey } from "@ambit/core/token";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runIn, type Ran } from "../fixtures/terminal.ts";

const POSTGRES = process.env["AMBIT_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
const hasPostgres = await isReachable();

/** Unreachable means skipped, visibly, unless services are required. */
async function isReachable(): Promise<boolean> {
  const client = new pg.Client({ connectionString: POSTGRES, connectionTimeoutMillis: 2000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch (error) {
    if (process.env["AMBIT_REQUIRE_SERVICES"] === "1") throw error;
    return false;
  }
}

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const TENANT = "tenant_acme";

let folder: string;
let secret: string;
const processes: ChildProcess[] = [];

const write = (name: string, content: unknown): Promise<void> => writeFile(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
const ambit = (...args: readonly string[]): Promise<Ran> => runIn(folder, args, { env: { AMBIT_PDP_SECRET: secret, AMBIT_PDP_URL: URL_OF.get(folder) ?? "" } });
const URL_OF = new Map<string, string>();

interface Running {
  readonly url: string;
  readonly child: ChildProcess;
  readonly said: () => string;
}

/** Serves the folder in a process of its own, at a port of its own. */
async function serve(name: string, port: number): Promise<Running> {
  const url = `http://127.0.0.1:${port}`;
  const config = JSON.parse(await readFile(join(folder, "serve.json"), "utf8")) as object;
  await write(`${name}.serve.json`, { ...config, url, port });
  const flags = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
  const child = spawn(process.execPath, [...flags, MAIN, "pdp", "serve", "--config", `${name}.config.json`, "--serve", `${name}.serve.json`], { cwd: folder });
  processes.push(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  await until(() => said.includes("serving ") || child.exitCode !== null);
  expect(said).toContain(`serving ${url}`);
  return { url, child, said: () => said };
}

async function until(isSo: () => boolean): Promise<void> {
  for (let count = 0; count < 400 && !isSo(); count++) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isSo()).toBe(true);
}

const read = { input_schema: { type: "object", properties: { id: { type: "string" } } }, effect: "read", constraints: { contract_ids: { argument: "/id" } } };
const CONFIG = {
  manifest: {
    tools: {
      "contracts.read": { ...read, names: [{ name: "contracts_read", pin: "none" }], records: { result: "", most: 1 }, data_classes: [], sends_outside: false },
    },
  },
  purposes: { purposes: { review: { tools: ["contracts.read"] } } },
  policies: [{ name: "p.cedar", text: "permit (principal, action, resource);" }],
  vocabulary: {},
  audience: ["https://pdp.example"],
  users: { roles: ["support"] },
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ambit-serve-"));
  const made = JSON.parse((await runIn(folder, ["keys", "secret", "--json"])).out) as { readonly secret: string; readonly digest: string };
  secret = made.secret;
  await write("serve.json", {
    callers: [
      {
        kind: "secret",
        name: "app",
        roles: ["enforce", "assert", "approve", "operate", "administer", "evaluate", "observe"],
        tenants: [TENANT],
        digest: made.digest,
      },
    ],
  });
});
afterEach(async () => {
  for (const child of processes.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await rm(folder, { recursive: true });
});

async function configure(name: string, change: object = {}): Promise<Parameters<typeof createPep>[0]["keys"]> {
  const jwk = await generatePrivateJwk("Ed25519");
  const key = await signingKey(jwk);
  await write("issuer.jwk", await generatePrivateJwk("Ed25519"));
  const agents = { agents: { reviewer: { trust_zone: "first_party", ceiling: "none", keys: [key.public.jwk] } } };
  const signing = { issuer: "https://pdp.example", key: "issuer.jwk", tenants: [TENANT] };
  await write(`${name}.config.json`, { ...CONFIG, agents, signing, log: `${name}.jsonl`, state: "memory", approvals: {}, ...change });
  return new Map([["reviewer", key]]);
}

const begin = (pep: Pep, more: object = {}): Promise<Task> =>
  pep.begin({
    delegatorId: "user_1",
    tenantId: TENANT,
    purpose: "review",
    allowedTools: ["contracts.read"],
    resourceConstraints: { contract_ids: ["k1"] },
    expiresIn: "10m",
    ...more,
  });
const call = async (pep: Pep, envelope: Task): Promise<string> => {
  const enforced = await pep.enforce({ envelope, tool: "contracts_read", arguments: { id: "k1" } }, () => ({ id: "k1" }));
  return enforced.refused?.refusal.code ?? "permit";
};

describe("a decision point that is served", () => {
  test("decides for another process, is operated from a third one, reloads, and stops when asked to", async () => {
    const keys = await configure("one");
    const { url, child, said } = await serve("one", 18_431);
    URL_OF.set(folder, url);
    await using pdp = pdpClient(url, { credentials: { kind: "bearer", token: secret }, allowLoopback: true, deadline: 5000 });
    const pep = createPep({ pdp, agent: "reviewer", keys: keys ?? new Map(), deadline: 5000 });
    const task = await begin(pep);
    expect(await call(pep, task)).toBe("permit");

    const waiting = await begin(pep, { approvals: ["contracts.read"] });
    expect(await call(pep, waiting)).toBe("approval_required");
    const listed = await ambit("approvals", "list", "--tenant", TENANT, "--json");
    const { approvals } = JSON.parse(listed.out) as { readonly approvals: readonly { readonly id: string }[] };
    expect(approvals).toHaveLength(1);
    const id = approvals[0]?.id ?? "";
    expect((await ambit("approvals", "show", id, "--tenant", TENANT)).out).toMatch(/who +reviewer\n +for +user_1\n/);
    expect(await ambit("approvals", "approve", id, "--tenant", TENANT, "--approver", "reviewer")).toMatchObject({ exitCode: 1 });
    expect(await ambit("approvals", "approve", id, "--tenant", TENANT, "--approver", "user_1")).toMatchObject({ exitCode: 0 });
    expect([await call(pep, waiting), await call(pep, waiting)]).toEqual(["permit", "approval_required"]);

    expect(await ambit("revoke", "agent", "reviewer", "--tenant", "tenant_other")).toMatchObject({ exitCode: 2 });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await ambit("revoke", "agent", "reviewer", "--tenant", TENANT, "--reason", "test")).out).toBe("revoked: agent reviewer of tenant_acme\n");
    expect(await call(pep, task)).toBe("envelope_revoked");

    const broken = { policies: [{ name: "p.cedar", text: "permit (" }] };
    const before = said();
    await configure("one", broken);
    child.kill("SIGHUP");
    await until(() => said().slice(before.length).includes("not reloaded"));
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number];
    expect(code).toBe(0);
    expect(await call(pep, task)).toBe("pdp_unavailable");
  });

  test("answers AuthZEN questions of policy, which are no grants", async () => {
    await configure("one");
    const { digest } = JSON.parse((await runIn(folder, ["keys", "secret", "--json"])).out) as { readonly digest: string };
    const serving = JSON.parse(await readFile(join(folder, "serve.json"), "utf8")) as { readonly callers: readonly object[] };
    await write("serve.json", {
      callers: [...serving.callers.map((caller) => ({ ...caller, roles: ["evaluate"] })), { ...serving.callers[0], name: "other", digest }],
    });
    const { url } = await serve("one", 18_433);
    const metadata = (await (await fetch(`${url}/.well-known/authzen-configuration`)).json()) as { readonly access_evaluation_endpoint: string };
    const question = {
      subject: { type: "user", id: "user_1" },
      action: { name: "contracts.read" },
      resource: { type: "Tool", id: "contracts.read" },
      context: { tenant: TENANT, purpose: "review", agent: "reviewer", arguments: { id: "k1" } },
    };
    const ask = (headers: Record<string, string>): Promise<Response> =>
      fetch(metadata.access_evaluation_endpoint, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(question),
      });
    expect((await ask({})).status).toBe(401);
    const answer = await ask({ authorization: `Bearer ${secret}`, "x-request-id": "r1" });
    expect([answer.status, answer.headers.get("x-request-id")]).toEqual([200, "r1"]);
    expect(await answer.json()).toMatchObject({ decision: true });
  });

  test("takes no security events of an issuer whose users nobody knows", async () => {
    const issuer = "https://idp.example";
    const events = { audience: "https://pdp.example/events", issuers: [{ issuer, keys: `${issuer}/jwks` }] };
    const serving = JSON.parse(await readFile(join(folder, "serve.json"), "utf8")) as object;
    await write("serve.json", { ...serving, url: "http://127.0.0.1:1", port: 1, security_events: events, failed_attempts: { most: 5, seconds: 30 } });
    const check = (): Promise<Ran> => ambit("pdp", "serve", "--config", "one.config.json", "--serve", "serve.json", "--check");
    await configure("one");
    expect(await check()).toMatchObject({ exitCode: 2, out: "" });
    await configure("one", { users: { issuers: { [issuer]: { id: { claim: "sub" }, tenant: { id: TENANT } } } } });
    expect(await check()).toMatchObject({ exitCode: 0, out: "the configuration holds\n" });
  });

  test("asks everybody who they are", async () => {
    await configure("one");
    const { url } = await serve("one", 18_432);
    for (const [path, status] of [
      ["/healthz", 200],
      ["/metrics", 401],
      ["/ambit/v1/terms", 401],
      ["/ambit/v1/approvals?tenant_id=tenant_acme", 401],
    ] as const)
      expect((await fetch(url + path)).status).toBe(status);
    URL_OF.set(folder, url);
    secret = "another secret of more than thirty-two bytes";
    expect(await ambit("approvals", "list", "--tenant", TENANT)).toMatchObject({ exitCode: 2, out: "" });
  });

  test("says what is wrong with its configuration before it listens", async () => {
    await configure("one");
    await write("ok.json", {
      url: "http://127.0.0.1:1",
      port: 1,
      callers: [{ kind: "secret", name: "a", roles: ["enforce"], tenants: "any", digest: `sha-256:${"A".repeat(43)}` }],
    });
    expect(await ambit("pdp", "serve", "--check", "--config", "one.config.json", "--serve", "ok.json")).toMatchObject({
      exitCode: 0,
      out: "the configuration holds\n",
    });
    for (const [name, content] of [
      ["no-callers.json", { url: "http://127.0.0.1:1", port: 1, callers: [] }],
      ["unknown.json", { url: "http://127.0.0.1:1", port: 1, callers: [], open: true }],
      ["role.json", { url: "http://127.0.0.1:1", port: 1, callers: [{ kind: "secret", name: "a", roles: ["root"], tenants: "any", digest: "x" }] }],
      ["digest.json", { url: "http://127.0.0.1:1", port: 1, callers: [{ kind: "secret", name: "a", roles: ["enforce"], tenants: "any", digest: "x" }] }],
    ] as const) {
      await write(name, content);
      expect(await ambit("pdp", "serve", "--check", "--config", "one.config.json", "--serve", name)).toMatchObject({ exitCode: 2, out: "" });
    }
    await write("bad.config.json", {});
    expect(await ambit("pdp", "serve", "--check", "--config", "bad.config.json", "--serve", "ok.json")).toMatchObject({ exitCode: 2, out: "" });
  });
});

describe.skipIf(!hasPostgres)("three processes over one PostgreSQL", () => {
  test("are one decision point: budgets, revocations and approvals hold in all of them", async () => {
    const schema = `ambit_test_${randomBytes(6).toString("hex")}`;
    const client = new pg.Client({ connectionString: POSTGRES });
    await client.connect();
    try {
      const keys = await configure("one", { state: { kind: "postgres", url: POSTGRES, schema } });
      const config = JSON.parse(await readFile(join(folder, "one.config.json"), "utf8")) as object;
      for (const name of ["two", "three"]) await write(`${name}.config.json`, { ...config, log: `${name}.jsonl` });
      const urls: string[] = [];
      for (const [index, name] of ["one", "two", "three"].entries()) urls.push((await serve(name, 18_441 + index)).url);
      const clients = urls.map((url) => pdpClient(url, { credentials: { kind: "bearer", token: secret }, allowLoopback: true, deadline: 10_000 }));
      const peps = clients.map((pdp) => createPep({ pdp, agent: "reviewer", keys: keys ?? new Map(), deadline: 10_000 })) as [Pep, Pep, Pep];
      const task = await begin(peps[0], { budgets: { calls: 20 } });
      const same = await Promise.all(peps.map((pep) => pep.receive(chainOf(task) ?? [])));
      const outcomes = await Promise.all(Array.from({ length: 45 }, (_, index) => call(peps[index % 3] as Pep, same[index % 3] as Task)));
      expect(outcomes.filter((code) => code === "permit")).toHaveLength(20);
      expect(new Set(outcomes)).toEqual(new Set(["permit", "budget_exhausted"]));

      const waiting = await begin(peps[0], { approvals: ["contracts.read"] });
      expect(await call(peps[0], waiting)).toBe("approval_required");
      URL_OF.set(folder, urls[1] ?? "");
      const { approvals } = JSON.parse((await ambit("approvals", "list", "--tenant", TENANT, "--json")).out) as {
        readonly approvals: readonly { readonly id: string; readonly status: string }[];
      };
      const id = approvals.find(({ status }) => status === "pending")?.id ?? "";
      expect(await ambit("approvals", "approve", id, "--tenant", TENANT, "--approver", "user_1")).toMatchObject({ exitCode: 0 });
      expect(await call(peps[2], await peps[2].receive(chainOf(waiting) ?? []))).toBe("permit");
      expect(await call(peps[0], waiting)).toBe("approval_required");

      const last = await begin(peps[0]);
      URL_OF.set(folder, urls[2] ?? "");
      expect(await ambit("revoke", "delegator", "user_1", "--tenant", TENANT)).toMatchObject({ exitCode: 0 });
      expect(await call(peps[1], await begin(peps[1], { delegatorId: "user_2" }))).toBe("permit");
      expect(await call(peps[0], last)).toBe("envelope_revoked");
      await Promise.all(clients.map((pdp) => pdp.close()));
    } finally {
      await client.query(`drop schema if exists ${schema} cascade`);
      await client.end();
    }
  });
});
