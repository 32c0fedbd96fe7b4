import { allRoutes, secretDigest } from "@ambit/pdp/server";
import type { PdpOptions } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { createMemoryDocuments } from "../../src/state/memory-documents.ts";
import { BEGIN, outcomeOf, rejection } from "../support/fixture.ts";
import { tupleOf, userOf, write } from "./people.ts";
import { CALLERS, ENFORCER, OBSERVER, OPERATOR, serviceScene, type ServiceScene } from "./scene.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const POLICY = `permit (principal, action in [Action::"ambit:begin", Action::"ambit:hand_off"], resource); permit (principal is Agent, action, resource);
  permit (principal is User in Role::"support", action == Action::"contracts.read", resource) when { context.relations.reader };`;
const CONFIG = {
  policies: [{ name: "p.cedar", text: POLICY }],
  users: { roles: ["support"], attributes: { level: "long" } },
  relations: { types: { user: {}, Contract: { relations: { reader: ["user"] } } } },
};
const TUPLE = tupleOf("Contract:k1 reader user:user_1");
const PATHS = ["users", "users/remove", "relations"] as const;
const GOOD = {
  users: userOf("user_1", ["support"]),
  "users/remove": { tenant_id: "tenant_1", id: "user_1" },
  relations: { tenant_id: "tenant_1", add: [TUPLE] },
};

const scene = (config: object = CONFIG, options: PdpOptions = {}, more: object = {}): Promise<ServiceScene> =>
  serviceScene(config, options, { routes: (pdp, url) => allRoutes({ pdp, url }), ...more });

/** Whether nothing is known of anybody, nor of any relation. */
async function isUntouched({ pdp }: ServiceScene): Promise<boolean> {
  for (const tenant of ["tenant_1", "tenant_2"]) {
    if ((await pdp.relations?.revision(tenant)) !== 0 || (await pdp.users?.listUsers(tenant, "", 10))?.length !== 0) return false;
    if ((await pdp.users?.user(tenant, "user_1")) !== undefined) return false;
  }
  return true;
}

describe("who users are, and what to which thing, over HTTP", () => {
  it("decides the next question", async () => {
    const { pep, url } = await scene();
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("policy_denied");
    expect(await write(url, "users", GOOD.users)).toBe("200");
    expect(await outcomeOf(pep, task, ...READ)).toBe("policy_denied");
    expect(await write(url, "relations", GOOD.relations)).toBe("200");
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await write(url, "relations", { tenant_id: "tenant_1", remove: [TUPLE] })).toBe("200");
    expect(await outcomeOf(pep, task, ...READ)).toBe("policy_denied");
    expect(await write(url, "relations", GOOD.relations)).toBe("200");
    expect(await write(url, "users", userOf("user_1"))).toBe("200");
    expect(await outcomeOf(pep, task, ...READ)).toBe("policy_denied");
  });

  it("takes a leaver away with what was given out, and back only in so many words", async () => {
    const { pep, url, advance } = await scene();
    await write(url, "users", GOOD.users);
    await write(url, "relations", GOOD.relations);
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await write(url, "users/remove", GOOD["users/remove"])).toBe("200");
    expect(await outcomeOf(pep, task, ...READ)).toBe("envelope_revoked");
    advance(10_000);
    expect(await rejection(pep.begin(BEGIN))).toBe("policy_denied");
    for (const is_returning of [undefined, false, "true", 1, null, {}])
      expect(await write(url, "users", { ...GOOD.users, is_returning })).toBe("400 request_malformed");
    expect(await rejection(pep.begin(BEGIN))).toBe("policy_denied");
    expect(await write(url, "users", { ...GOOD.users, is_returning: true })).toBe("200");
    expect(await outcomeOf(pep, await pep.begin(BEGIN), ...READ)).toBe("permit");
    expect(await outcomeOf(pep, task, ...READ)).toBe("envelope_revoked");
  });

  it.each(PATHS)("is for callers of the role `administer`, at %s", async (path) => {
    const others = (["enforce", "assert", "approve", "operate", "evaluate", "observe", "transmit"] as const).map((role) => {
      const secret = `the-secret-of-somebody-who-may-only-${role}`;
      return { secret, caller: { kind: "secret", name: role, digest: secretDigest(secret), roles: [role], tenants: "any" } as const };
    });
    const served = await scene(CONFIG, {}, { callers: [...CALLERS, ...others.map(({ caller }) => caller)] });
    for (const secret of [ENFORCER, OBSERVER, ...others.map((other) => other.secret)])
      expect(await write(served.url, path, GOOD[path], { authorization: `Bearer ${secret}` })).toBe("403 forbidden");
    for (const authorization of ["", "Bearer the-secret-of-nobody-at-all-but-long-enough", "Basic b3BzOg=="])
      expect(await write(served.url, path, GOOD[path], { authorization })).toBe("401 unauthenticated");
    for (const method of ["GET", "PUT", "DELETE"]) expect((await fetch(`${served.url}/ambit/v1/${path}`, { method })).status).toBe(405);
    expect(await isUntouched(served)).toBe(true);
  });

  it.each(PATHS)("is for the tenants that the caller was let in for (I12), at %s", async (path) => {
    const served = await scene();
    expect(await write(served.url, path, { ...GOOD[path], tenant_id: "tenant_2" })).toBe("403 forbidden");
    for (const tenant_id of [undefined, null, "", "*", ["tenant_1"], { id: "tenant_1" }, "tenant_1 ", "TENANT_1", 1])
      expect(await write(served.url, path, { ...GOOD[path], tenant_id })).toMatch(/^(400 request_malformed|403 forbidden)$/);
    expect(await isUntouched(served)).toBe(true);
  });

  it("is another tenant's in that tenant only", async () => {
    const secret = "the-secret-of-an-operator-of-another-tenant";
    const other = { kind: "secret", name: "other", digest: secretDigest(secret), roles: ["administer"], tenants: ["tenant_2"] } as const;
    const { pep, url } = await scene(CONFIG, {}, { callers: [...CALLERS, other] });
    const headers = { authorization: `Bearer ${secret}` };
    expect(await write(url, "users", userOf("user_1", ["support"], "tenant_2"), headers)).toBe("200");
    expect(await write(url, "relations", { ...GOOD.relations, tenant_id: "tenant_2" }, headers)).toBe("200");
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("policy_denied");
    await write(url, "users", GOOD.users);
    await write(url, "relations", GOOD.relations);
    expect(await write(url, "users/remove", { tenant_id: "tenant_2", id: "user_1" }, headers)).toBe("200");
    expect(await write(url, "relations", { tenant_id: "tenant_2", remove: [TUPLE] }, headers)).toBe("200");
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
  });

  const user = { id: "user_1", roles: [], attributes: {}, source: "hr" };
  const users = (change: object): object => ({ tenant_id: "tenant_1", user: { ...user, ...change } });
  it.each<readonly [what: string, path: (typeof PATHS)[number], body: unknown]>([
    ["no JSON", "users", "{"],
    ["a list", "users", []],
    ["null", "relations", "null"],
    ["a member twice", "users", `{"tenant_id":"tenant_1","tenant_id":"tenant_1","user":${JSON.stringify(user)}}`],
    ["a member that is not known", "users", { ...GOOD.users, roles: ["support"] }],
    ["an inherited member", "users", `{"tenant_id":"tenant_1","__proto__":{"user":${JSON.stringify(user)}}}`],
    ["a return that is text", "users", { ...GOOD.users, is_returning: "true" }],
    ["no user", "users", { tenant_id: "tenant_1" }],
    ["a user that is text", "users", { tenant_id: "tenant_1", user: "user_1" }],
    ["a user with a member that is not known", "users", users({ tenant: "tenant_2" })],
    ["a user whose prototype it names", "users", `{"tenant_id":"tenant_1","user":{"__proto__":${JSON.stringify(user)}}}`],
    ["a user without an id", "users", users({ id: "" })],
    ["a user with a line break", "users", users({ id: "user_1\n" })],
    ["a user with an id that is too long", "users", users({ id: "u".repeat(257) })],
    ["a role that is not declared", "users", users({ roles: ["admin"] })],
    ["roles that are text", "users", users({ roles: "support" })],
    ["an inherited name for a role", "users", users({ roles: ["constructor"] })],
    ["an attribute that is not declared", "users", users({ attributes: { risk: 1 } })],
    ["an attribute of another type", "users", users({ attributes: { level: "3" } })],
    ["an attribute that Cedar would take for an entity", "users", users({ attributes: { level: { __entity: { type: "Role", id: "support" } } } })],
    ["no source", "users", users({ source: "" })],
    ["no id to remove", "users/remove", { tenant_id: "tenant_1" }],
    ["several ids to remove", "users/remove", { tenant_id: "tenant_1", id: ["user_1", "user_2"] }],
    ["a pattern to remove with a space", "users/remove", { tenant_id: "tenant_1", id: "user *" }],
    ["more than an id to remove", "users/remove", { ...GOOD["users/remove"], user }],
    ["tuples that are no list", "relations", { tenant_id: "tenant_1", add: TUPLE }],
    ["a tuple that the model has no place for", "relations", { tenant_id: "tenant_1", add: [TUPLE, tupleOf("Contract:k1 owner user:user_1")] }],
    ["everyone where only some are meant", "relations", { tenant_id: "tenant_1", add: [{ ...TUPLE, subject: { type: "user", everyone: true } }] }],
    ["a tuple with a misspelt member", "relations", { tenant_id: "tenant_1", add: [{ ...TUPLE, relations: "reader" }] }],
    ["a tuple that is added and removed", "relations", { tenant_id: "tenant_1", add: [TUPLE], remove: [TUPLE] }],
    [
      "an id with half a character",
      "relations",
      `{"tenant_id":"tenant_1","add":[{"object":{"type":"Contract","id":"\\ud800"},"relation":"reader","subject":{"type":"user","id":"u"}}]}`,
    ],
  ])("is refused with %s, and nothing of it is written", async (_, path, body) => {
    const served = await scene();
    expect(await write(served.url, path, body)).toBe("400 request_malformed");
    expect(await isUntouched(served)).toBe(true);
  });

  it("is refused in another language than JSON, and when it is too long", async () => {
    const served = await scene();
    expect(await write(served.url, "users", GOOD.users, { "content-type": "text/plain" })).toBe("415 media_type_unsupported");
    const add = Array.from({ length: 20_000 }, (_, index) => tupleOf(`Contract:k${index} reader user:user_1`));
    expect(await write(served.url, "relations", { tenant_id: "tenant_1", add })).toMatch(/^(400 request_malformed|413 request_too_large)$/);
    expect(await isUntouched(served)).toBe(true);
  });

  it("is refused where it is not configured", async () => {
    const { url } = await scene({});
    for (const path of PATHS) expect(await write(url, path, GOOD[path])).toBe("400 request_malformed");
  });

  it("is to be sent again while it cannot be written, and tells nothing of why", async () => {
    const down = (): Promise<never> => Promise.reject(new Error("no route to 10.0.0.7"));
    const served = await scene(CONFIG, {
      documents: { ...createMemoryDocuments(), get: down },
      relations: { write: down, revision: down, below: down, above: down },
    });
    for (const path of PATHS) expect(await write(served.url, path, GOOD[path])).toBe("503 unavailable");
    const headers = { authorization: `Bearer ${OPERATOR}`, "content-type": "application/json" };
    const answer = await fetch(`${served.url}/ambit/v1/users`, { method: "POST", body: JSON.stringify(GOOD.users), headers });
    expect(await answer.text()).not.toContain("10.0.0.7");
    expect(await rejection(served.pep.begin(BEGIN))).toBe("policy_error");
  });
});
