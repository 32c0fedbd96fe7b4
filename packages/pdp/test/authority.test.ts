import type { Task } from "@ambit/core";
import type { PdpConfig } from "@ambit/pdp";
import type { RelationStore } from "@ambit/pdp/relations";
import { describe, expect, it } from "vitest";
import { BEGIN, CONFIG, fixture, outcomeOf, rejection, type Fixture } from "./support/fixture.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const LIFECYCLE = 'permit (principal, action in [Action::"ambit:begin", Action::"ambit:hand_off"], resource);';

const users = { roles: ["support", "auditor"], attributes: { department: "string", level: "long", on_call: "boolean", regions: "strings" } };
/** A contract belongs to an account, whose owner and whose team may read it, except who is barred. */
const relations = {
  types: {
    user: {},
    agent: {},
    Account: { relations: { owner: ["user"], team: ["user", "agent"] } },
    Contract: {
      relations: {
        account: ["Account"],
        barred: ["user"],
        known: {
          any: [
            { relation: "owner", from: "account" },
            { relation: "team", from: "account" },
          ],
        },
        reader: { base: "known", except: "barred" },
      },
    },
  },
};

async function scene(policy: string, config: Partial<PdpConfig> = {}): Promise<Fixture & { readonly task: Task; call(): Promise<string> }> {
  const base = await fixture({ policies: [{ name: "p.cedar", text: `${LIFECYCLE}\n${policy}` }], ...config });
  const task = await base.pep.begin(BEGIN);
  return { ...base, task, call: () => outcomeOf(base.pep, task, ...READ) };
}

const agents = (described: object): object => {
  const { agents: all } = CONFIG.agents as { readonly agents: { readonly reviewer: object } };
  return { agents: { ...all, reviewer: { ...all.reviewer, ...described } } };
};

describe("roles", () => {
  const policy = 'permit (principal is User in Role::"support", action, resource); permit (principal is Agent in Role::"auditor", action, resource);';

  it("are those of the delegator and of the agent; both have to be permitted", async () => {
    const { pdp, call } = await scene(policy, { users, agents: agents({ roles: ["auditor"] }) });
    expect(await call()).toBe("policy_denied");
    await pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: ["support"], attributes: {}, source: "test" });
    expect(await call()).toBe("permit");
    await pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: ["auditor"], attributes: {}, source: "test" });
    expect(await call()).toBe("policy_denied");
    const other = await scene(policy, { users });
    await other.pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: ["support"], attributes: {}, source: "test" });
    expect(await other.call()).toBe("policy_denied");
  });

  it("of another tenant are nobody's", async () => {
    const { pdp, call } = await scene(policy, { users, agents: agents({ roles: ["auditor"] }) });
    await pdp.users?.upsertUser("tenant_2", { id: "user_1", roles: ["support"], attributes: {}, source: "test" });
    expect(await call()).toBe("policy_denied");
  });

  it("that nobody can have do not type-check", async () => {
    expect(await rejection(scene('permit (principal in Role::"suport", action, resource);', { users }))).toBe("policy_invalid");
    expect(await rejection(scene(policy, { users, agents: agents({ roles: ["suport"] }) }))).toBe("config_invalid");
  });
});

describe("attributes", () => {
  const policy = `permit (principal is User, action, resource) when { principal has level && principal.level >= 3 && principal has regions && principal.regions.contains("eu") };
    permit (principal is Agent, action, resource) when { principal has department && principal.department == "legal" };`;

  it("of users and agents are typed, and what is not known is not there", async () => {
    const { pdp, call } = await scene(policy, { users, agents: agents({ attributes: { department: "legal" } }) });
    const know = (attributes: object): Promise<void> | undefined =>
      pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: [], attributes: attributes as never, source: "test" });
    await know({ level: 3, regions: ["us"] });
    expect(await call()).toBe("policy_denied");
    await know({ level: 3, regions: ["us", "eu"] });
    expect(await call()).toBe("permit");
    await know({ regions: ["eu"] });
    expect(await call()).toBe("policy_denied");
    await expect(know({ level: "3" })).rejects.toMatchObject({ code: "option_invalid" });
    await expect(know({ tenant: "tenant_2" })).rejects.toMatchObject({ code: "option_invalid" });
  });

  it("that are not declared, or read as another type, do not type-check", async () => {
    expect(await rejection(scene("permit (principal is User, action, resource) when { principal has levl && principal.levl > 1 };", { users }))).toBe(
      "policy_invalid",
    );
    expect(await rejection(scene('permit (principal is User, action, resource) when { principal has level && principal.level == "3" };', { users }))).toBe(
      "policy_invalid",
    );
    expect(await rejection(scene(policy, { users, agents: agents({ attributes: { level: "high" } }) }))).toBe("config_invalid");
  });
});

describe("relations", () => {
  const policy = `permit (principal is User, action == Action::"contracts.read", resource) when { context.relations.reader };
    permit (principal is Agent, action == Action::"contracts.read", resource) when { context.delegator_relations.reader };`;
  const contract = { type: "Contract", id: "k1" };
  const account = { type: "Account", id: "a1" };
  const user = { type: "user", id: "user_1" };

  it("decide who may touch which thing, as they are now", async () => {
    const { pdp, call } = await scene(policy, { relations });
    expect(await call()).toBe("policy_denied");
    await pdp.relations?.write("tenant_1", { add: [{ object: contract, relation: "account", subject: account }] });
    expect(await call()).toBe("policy_denied");
    await pdp.relations?.write("tenant_1", { add: [{ object: account, relation: "owner", subject: user }] });
    expect(await call()).toBe("permit");
    await pdp.relations?.write("tenant_1", { add: [{ object: contract, relation: "barred", subject: user }] });
    expect(await call()).toBe("policy_denied");
    await pdp.relations?.write("tenant_1", { remove: [{ object: contract, relation: "barred", subject: user }] });
    expect(await call()).toBe("permit");
  });

  it("of another tenant are none, and of a thing that is not asked about neither", async () => {
    const { pdp, pep, task, call } = await scene(policy, { relations });
    for (const tenant of ["tenant_2", "tenant_1"]) {
      const id = tenant === "tenant_1" ? "k2" : "k1";
      await pdp.relations?.write(tenant, {
        add: [
          { object: { type: "Contract", id }, relation: "account", subject: account },
          { object: account, relation: "owner", subject: user },
        ],
      });
    }
    expect(await call()).toBe("policy_denied");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k2" }, READ[2])).toBe("permit");
  });

  it("that are misspelt do not type-check", async () => {
    expect(await rejection(scene(`permit (principal, action == Action::"contracts.read", resource) when { context.relations.raeder };`, { relations }))).toBe(
      "policy_invalid",
    );
    expect(await rejection(scene(`permit (principal, action == Action::"crm.read", resource) when { context.relations.reader };`, { relations }))).toBe(
      "policy_invalid",
    );
  });

  it("are part of what the policies are: another model is another digest", async () => {
    const { pdp } = await scene(policy, { relations });
    const before = pdp.policyDigest;
    const { Contract } = relations.types;
    const wider = { types: { ...relations.types, Contract: { relations: { ...Contract.relations, reader: "barred" } } } };
    await pdp.reload({ ...CONFIG, policies: [{ name: "p.cedar", text: `${LIFECYCLE}\n${policy}` }], relations: wider });
    expect(pdp.policyDigest).not.toBe(before);
  });

  it("that cannot be told deny", async () => {
    const down = (): Promise<never> => Promise.reject(new Error("down"));
    const failing: RelationStore = { write: down, revision: down, below: down, above: down };
    const base = await fixture({ policies: [{ name: "p.cedar", text: `${LIFECYCLE}\n${policy}` }], relations }, { relations: failing });
    const task = await base.pep.begin(BEGIN);
    expect(await outcomeOf(base.pep, task, ...READ)).toBe("policy_error");
  });
});

describe("a leaver", () => {
  it("leaves with everything that was given out, and nothing new is begun for them", async () => {
    const { pdp, pep, call, records, advance } = await scene("permit (principal, action, resource);", { users });
    expect(await call()).toBe("permit");
    advance(6000);
    await pdp.users?.removeUser("tenant_1", "user_1");
    expect(await call()).toBe("envelope_revoked");
    advance(6000);
    expect(await rejection(pep.begin(BEGIN))).toBe("policy_denied");
    expect(await rejection(pep.begin({ ...BEGIN, delegatorId: "user_2" }))).toBe("resolved");
    expect(records().find(({ kind }) => kind === "revoke")).toMatchObject({ details: { scope: "delegator", id: "user_1", by: "directory" } });
    await pdp.users?.upsertUser("tenant_1", { id: "user_1", roles: [], attributes: {}, source: "test" }, { isReturning: true });
    expect(await rejection(pep.begin(BEGIN))).toBe("resolved");
    expect(await call()).toBe("envelope_revoked");
  });
});
