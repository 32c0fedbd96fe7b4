import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { chainOf } from "@ambit/core";
import { createMemoryLog } from "@ambit/core/audit";
import { createPdp, migrateState, type PdpConfig, type PdpOptions, type StatePart } from "@ambit/pdp";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { createSqliteState } from "../../src/state/sqlite/index.ts";
import { BEGIN, CONFIG, outcomeOf, rejection } from "../support/fixture.ts";
import { openPdp, READ, settingOf, type SharedSetting } from "./configured.ts";
import { hasPostgres, newSchema, POSTGRES_URL, removeSchema } from "./postgres-schema.ts";
import { startProxy } from "./proxy.ts";
import { hasRedis, newPrefix, REDIS_URL, removeKeys } from "./redis-store.ts";

const isPostgresThere = await hasPostgres();
const folder = mkdtempSync(join(tmpdir(), "ambit-state-"));
const removals: (() => Promise<unknown>)[] = [];
const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});
afterAll(async () => {
  for (const remove of removals) await remove();
  rmSync(folder, { recursive: true });
});

const newPostgres = (): { readonly kind: "postgres"; readonly url: string; readonly schema: string } => {
  const schema = newSchema();
  removals.push(() => removeSchema(schema));
  return { kind: "postgres", url: POSTGRES_URL, schema };
};
const newSqlite = (): StatePart => ({ kind: "sqlite", path: join(folder, `${randomBytes(6).toString("hex")}.db`) });
const newRedis = (): StatePart => {
  const prefix = newPrefix();
  removals.push(() => removeKeys(prefix));
  return { kind: "redis", url: REDIS_URL, prefix };
};

async function open(setting: SharedSetting, options: PdpOptions = {}): Promise<Awaited<ReturnType<typeof openPdp>>> {
  const made = await openPdp(setting, options);
  opened.push(made.pdp);
  return made;
}

const TICKET = ["tickets_create", { title: "renew", cost: 5 }] as const;

const kinds: readonly (readonly [name: string, isThere: boolean, create: () => StatePart])[] = [
  ["SQLite", true, newSqlite],
  ["PostgreSQL", isPostgresThere, newPostgres],
  ["Redis", await hasRedis(), newRedis],
];

for (const [name, isThere, create] of kinds) {
  describe.skipIf(!isThere)(`two decision points whose configuration names the same state in ${name}`, () => {
    it("share a budget, and what was spent stays spent when both are started again", async () => {
      const setting = await settingOf(create());
      const [one, other] = [await open(setting), await open(setting)];
      const task = await one.pep.begin({ ...BEGIN, budgets: { calls: 3 } });
      const chain = chainOf(task) ?? [];
      const same = await other.pep.receive(chain);
      expect([await outcomeOf(one.pep, task, ...READ), await outcomeOf(other.pep, same, ...READ)]).toEqual(["permit", "permit"]);
      const last = await Promise.all([outcomeOf(one.pep, task, ...READ), outcomeOf(other.pep, same, ...READ)]);
      expect(last.toSorted()).toEqual(["budget_exhausted", "permit"]);
      await Promise.all(opened.splice(0).map((pdp) => pdp.close()));
      expect(await outcomeOf(one.pep, task, ...READ)).toBe("state_unavailable");
      const again = await open(setting);
      expect(await outcomeOf(again.pep, await again.pep.receive(chain), ...READ)).toBe("budget_exhausted");
    });

    it("see what the other one revoked", async () => {
      const setting = await settingOf(create());
      const [one, other] = [await open(setting), await open(setting)];
      const task = await one.pep.begin(BEGIN);
      const same = await other.pep.receive(chainOf(task) ?? []);
      expect(await outcomeOf(other.pep, same, ...READ)).toBe("permit");
      await one.pdp.revoke({ tenantId: "tenant_1", scope: "delegator", id: "user_1", by: "security" });
      expect(await outcomeOf(other.pep, same, ...READ)).toBe("envelope_revoked");
      const again = await open(setting);
      expect(await outcomeOf(again.pep, task, ...READ)).toBe("envelope_revoked");
    });

    it("know the same relations, also when both are started again", async () => {
      const { config, keys } = await settingOf(create());
      const policy = `permit (principal, action == Action::"ambit:begin", resource); permit (principal is Agent, action, resource);
        permit (principal is User, action == Action::"contracts.read", resource) when { context.delegator_relations.reader };`;
      const relations = { types: { user: {}, Contract: { relations: { reader: ["user"] } } } };
      const setting = { config: { ...config, policies: [{ name: "p.cedar", text: policy }], relations }, keys };
      const [one, other] = [await open(setting), await open(setting)];
      const task = await one.pep.begin(BEGIN);
      expect(await outcomeOf(one.pep, task, ...READ)).toBe("policy_denied");
      const tuple = { object: { type: "Contract", id: "k1" }, relation: "reader", subject: { type: "user", id: "user_1" } };
      await other.pdp.relations?.write("tenant_1", { add: [tuple] });
      expect(await outcomeOf(one.pep, task, ...READ)).toBe("permit");
      await Promise.all(opened.splice(0).map((pdp) => pdp.close()));
      const again = await open(setting);
      expect(await outcomeOf(again.pep, await again.pep.receive(chainOf(task) ?? []), ...READ)).toBe("permit");
    });

    it("have the same requests for approval, which either takes the answer to", async () => {
      const setting = await settingOf(create());
      const [one, other] = [await open(setting), await open(setting)];
      const task = await one.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
      expect(await outcomeOf(one.pep, task, ...TICKET)).toBe("approval_required");
      const [approval] = await other.pdp.approvals.list("tenant_1");
      expect(approval).toMatchObject({ status: "pending", request: { tool: "tickets.create" } });
      const given = { id: approval?.id ?? "", tenantId: "tenant_1", approver: "user_1", decision: "approve", assertedBy: "app" } as const;
      const answers = [one, other].map(({ pdp }) => rejection(pdp.approvals.answer(given)));
      expect((await Promise.all(answers)).toSorted()).toEqual(["approval_invalid", "resolved"]);
      expect([await outcomeOf(one.pep, task, ...TICKET), await outcomeOf(one.pep, task, ...TICKET)]).toEqual(["permit", "approval_required"]);
    });

    it("go on with it when they read their configuration again, and with no other", async () => {
      const setting = await settingOf(create());
      const { pdp, pep } = await open(setting);
      const task = await pep.begin({ ...BEGIN, budgets: { calls: 1 } });
      expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
      await pdp.reload(setting.config);
      expect(await outcomeOf(pep, task, ...READ)).toBe("budget_exhausted");
      for (const state of ["memory", newSqlite()] as const) expect(await rejection(pdp.reload({ ...setting.config, state }))).toBe("config_invalid");
      expect(await outcomeOf(pep, task, ...READ)).toBe("budget_exhausted");
    });
  });
}

it("a store that is given keeps requests for approval, too, and is its owner's to close", async () => {
  const store = await createSqliteState({ path: join(folder, "given.db") });
  opened.push(store);
  const setting = await settingOf("memory");
  const [one, other] = [await open(setting, { state: store }), await open(setting, { state: store })];
  const task = await one.pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
  expect(await outcomeOf(one.pep, task, ...TICKET)).toBe("approval_required");
  expect(await other.pdp.approvals.list("tenant_1")).toHaveLength(1);
  await one.pdp.close();
  expect(await other.pdp.approvals.list("tenant_1")).toHaveLength(1);
});

describe("the state of a configuration", () => {
  const bad: readonly (readonly [string, unknown])[] = [
    ["another word", "sqlite"],
    ["a kind that is none", { kind: "mysql", url: "mysql://u:hunter2secret@h/d" }],
    ["no path", { kind: "sqlite" }],
    ["an empty path", { kind: "sqlite", path: "" }],
    ["a member of another kind", { kind: "sqlite", path: "x", url: "hunter2secret" }],
    ["no address", { kind: "postgres" }],
    ["two addresses", { kind: "redis", url: "redis://u:hunter2secret@h", url_env: "AMBIT_TEST_URL" }],
    ["an address of another protocol", { kind: "postgres", url: "redis://u:hunter2secret@h" }],
    ["an address with a password that breaks it", { kind: "redis", url: "redis://u:hunter2secret@[x" }],
    ["an address with a port that is none", { kind: "postgres", url: "postgres://u:p:hunter2secret@h:port/d" }],
    ["a variable that is not set", { kind: "postgres", url_env: "AMBIT_TEST_NOT_SET" }],
    ["a variable that is inherited", { kind: "postgres", url_env: "toString" }],
    ["a variable without an address", { kind: "redis", url_env: "AMBIT_TEST_URL" }],
    ["a schema that is none", { kind: "postgres", url: "postgres://u:hunter2secret@127.0.0.1:1/d", schema: 'x"; DROP' }],
    ["a prefix that is none", { kind: "redis", url: "redis://u:hunter2secret@127.0.0.1:1", prefix: "}" }],
    ["no server", { kind: "postgres", url: "postgres://u:hunter2secret@127.0.0.1:1/d" }],
    ["no server of the other kind", { kind: "redis", url: "redis://u:hunter2secret@127.0.0.1:1" }],
    ["a password that is not ours", { kind: "redis", url: REDIS_URL.replace("redis://", "redis://nobody:hunter2secret@") }],
  ];

  it.each(bad)("is refused for %s, and no password is in what is told of it", async (_, state) => {
    process.env["AMBIT_TEST_URL"] = "http://u:hunter2secret@h";
    const file = join(folder, "ambit.config.json");
    const config = { ...CONFIG, state } as PdpConfig;
    writeFileSync(file, JSON.stringify(config));
    for (const opening of [() => createPdp(config), () => createPdp(file), () => createPdp(file, { log: createMemoryLog({ now: Date.now }) })]) {
      const error: unknown = await opening().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: expect.stringMatching(/^(config_invalid|option_invalid|state_unavailable)$/) });
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
    }
  });

  const address = "postgres://u:hunter2secret@127.0.0.1:1/d";
  it.each([
    ["without an address", { kind: "postgres", url: address, replica: {} }],
    ["of another kind", { kind: "postgres", url: address, replica: { url: "redis://u:hunter2secret@h" } }],
    ["that may lag for longer than a second", { kind: "postgres", url: address, replica: { url: address, max_lag_ms: 1001 } }],
    ["with a schema of its own", { kind: "postgres", url: address, replica: { url: address, schema: "other" } }],
    ["of Redis", { kind: "redis", url: "redis://u:hunter2secret@127.0.0.1:1", replica: { url: address } }],
  ])("is refused for a replica %s", async (_, state) => {
    expect(await rejection(createPdp({ ...CONFIG, state: state as StatePart }))).toBe("config_invalid");
  });

  it.skipIf(!isPostgresThere)("can name the variable with its address, and tells nobody of the password when the server goes away", async () => {
    const { hostname, port } = new URL(POSTGRES_URL);
    const proxy = await startProxy(hostname, Number(port === "" ? 5432 : port));
    const url = new URL(POSTGRES_URL);
    [url.hostname, url.port, url.password] = ["127.0.0.1", String(proxy.port), "hunter2secret"];
    process.env["AMBIT_TEST_URL"] = url.href;
    const { schema } = newPostgres();
    const setting = await settingOf({ kind: "postgres", url_env: "AMBIT_TEST_URL", schema });
    const log = createMemoryLog({ now: Date.now });
    const { pdp, pep } = await open(setting, { log });
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    await proxy.cut("drop");
    const enforced = await pep.enforce({ envelope: task, tool: READ[0], arguments: READ[1] }, () => READ[2]);
    expect(enforced.refused?.refusal.code).toBe("state_unavailable");
    for (const told of [enforced, pdp, pep, log.text()]) expect(inspect(told, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
    await proxy.close();
  });

  it("needs the package of its own server and no other, and says what to install", () => {
    const script = fileURLToPath(new URL("without-peers.ts", import.meta.url));
    const flags = ["--conditions=@ambit/source", "--experimental-strip-types", "--disable-warning=ExperimentalWarning"];
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, script, join(folder, "no-peers.db")], { encoding: "utf8" });
    const [memory, sqlite, postgres, redis] = stdout.split("\n");
    expect({ memory, sqlite, stderr }).toEqual({ memory: "open", sqlite: "open", stderr: "" });
    expect(postgres).toMatch(/^config_invalid: .*npm install pg$/);
    expect(redis).toMatch(/^config_invalid: .*npm install redis$/);
  });
});

describe("migrateState", () => {
  it("tells what is missing without touching anything, brings it up to date, and has nothing to do then", async () => {
    const states: readonly StatePart[] = [newSqlite(), ...(isPostgresThere ? [newPostgres()] : [])];
    for (const state of states) {
      const config = { ...CONFIG, state };
      const missing = await migrateState(config, { check: true });
      expect(missing.steps).toEqual(expect.arrayContaining(["0001-state", expect.stringMatching(/-documents$/), "0001-relations"]));
      expect(await migrateState(config, { check: true })).toEqual(missing);
      expect(await migrateState(config)).toEqual(missing);
      expect((await migrateState(config, { check: true })).steps).toEqual([]);
      expect((await migrateState(config)).steps).toEqual([]);
    }
  });

  it("has nothing to do where there is no schema", async () => {
    expect(await migrateState(CONFIG)).toEqual({ kind: "memory", steps: [] });
    const env = { REDIS: "redis://127.0.0.1:1" };
    expect(await migrateState({ ...CONFIG, state: { kind: "redis", url_env: "REDIS" } }, { env })).toEqual({ kind: "redis", steps: [] });
  });
});
