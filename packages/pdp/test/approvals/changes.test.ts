import type { BeginOptions } from "@ambit/core";
import type { Approval, PdpConfig } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { createMemoryState } from "../../src/state/memory-state.ts";
import { BEGIN, CONFIG, fixture, MANIFEST, outcomeOf } from "../support/fixture.ts";
import { deskOf, TENANT } from "./scene.ts";

const RULES = { rules: [{}] };
const [main] = CONFIG.policies as readonly { readonly name: string; readonly text: string }[];
const POLICIES = [main as { name: string; text: string }, { name: "mail.cedar", text: `permit (principal, action == Action::"mail.send", resource);` }];
const { "tickets.create": ticket } = MANIFEST.tools;

/** What people are shown of a call; the code where nobody is asked. */
async function askedFor(tool: string, args: object, begin: Partial<BeginOptions> = {}, change: object = {}): Promise<Approval | string> {
  const purposes = { purposes: { review: { tools: Object.keys(MANIFEST.tools) } } };
  const config: Partial<PdpConfig> = { approvals: RULES, purposes, policies: POLICIES, manifest: { tools: { ...MANIFEST.tools, ...change } } };
  const { pep, pdp } = await fixture(config);
  const task = await pep.begin({ ...BEGIN, allowedTools: [...BEGIN.allowedTools, "mail.send"], resourceConstraints: {}, ...begin } as BeginOptions);
  const code = await outcomeOf(pep, task, tool, args);
  const [approval] = await pdp.approvals.list(TENANT);
  return approval === undefined ? code : approval;
}

describe("what a call would change", () => {
  it("names the money, its currency as the manifest says, and what is left of each budget after it", async () => {
    const budgets = { calls: 3, money: { EUR: 100, USD: 7 }, rate: { "60": 2 }, tools: { "tickets.create": { money: { EUR: 40 } } } };
    expect(await askedFor("tickets_create", { title: "t", cost: 15 }, { budgets })).toMatchObject({
      request: {
        changes: {
          effect: "write",
          sendsOutside: false,
          money: { amount: 15, currency: "EUR" },
          records: "none",
          resource: { type: "Tool", id: "tickets.create" },
        },
      },
      left: [
        { unit: "calls", takes: 1, left: 2 },
        { unit: "money/EUR", takes: 15, left: 25 },
        { unit: "rate", takes: 1, left: 1 },
      ],
    });
  });

  it("names the currency that an argument says, and no money that cannot be told", async () => {
    const properties = { ...ticket.input_schema.properties, in: { type: "string" } };
    const stated = { "tickets.create": { ...ticket, input_schema: { ...ticket.input_schema, properties }, money: { amount: "/cost", currency: "/in" } } };
    const money = async (args: object, change: object = {}): Promise<unknown> => {
      const asked = await askedFor("tickets_create", { title: "t", ...args }, {}, change);
      return typeof asked === "string" ? asked : asked.request.changes.money;
    };
    expect(await money({ cost: 3, in: "USD" }, stated)).toEqual({ amount: 3, currency: "USD" });
    expect([await money({ cost: 3 }, stated), await money({}), await money({ cost: 1.5 })]).toEqual(["unknown", "unknown", "unknown"]);
    expect(await money({ cost: 3 }, { "tickets.create": { ...ticket, money: "none" } })).toBe("none");
    expect(await money({ cost: 3 }, { "tickets.create": { ...ticket, money: undefined } })).toBe("unknown");
  });

  it("names how many records it returns, what they can carry, and what it touches", async () => {
    const resourceConstraints = { customer_id: "c1", max_records: 25, contract_ids: ["k1"] };
    expect(await askedFor("crm_read", { customer_id: "c1", limit: 8 }, { resourceConstraints })).toMatchObject({
      request: { changes: { effect: "read", records: 8, dataClasses: ["support_summary"], touches: { customer_id: ["c1"] }, money: "unknown" } },
      left: [{ unit: "records", takes: 8, left: 17 }],
    });
    expect(await askedFor("crm_read", { customer_id: "c1" }, { resourceConstraints })).toMatchObject({
      request: { changes: { records: 50 } },
      left: [{ unit: "records", takes: 25, left: 0 }],
    });
    expect(await askedFor("contracts_read", { contract_id: "k1" })).toMatchObject({
      request: { changes: { records: 1, resource: { type: "Contract", id: "k1" }, touches: { contract_ids: ["k1"] } } },
      left: [],
    });
    expect(await askedFor("crm_read", { customer_id: "c1", limit: 0 })).toBe("argument_not_allowed");
  });

  it("says what is not known, instead of nothing", async () => {
    expect(await askedFor("mail_send", { to: "x" })).toMatchObject({
      request: { changes: { effect: "write", sendsOutside: true, records: "unknown", dataClasses: "unknown", money: "unknown", touches: {} } },
    });
  });

  it("is what is left of budgets that others of the lineage have spent from", async () => {
    const { pep, pdp } = await fixture({ approvals: { rules: [{ tools: ["tickets.create"] }] } });
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 5 } });
    const child = await pep.handOff(task, { agentId: "classifier", allowedTools: ["crm.read"] });
    for (let count = 0; count < 2; count++)
      expect(await outcomeOf(pep.as("classifier"), child, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("permit");
    expect(await outcomeOf(pep, task, "tickets_create", { title: "t" })).toBe("approval_required");
    expect((await pdp.approvals.list(TENANT))[0]?.left).toEqual([{ unit: "calls", takes: 1, left: 2 }]);
  });

  it("says how much is missing where a budget does not reach; the call is refused when it comes back", async () => {
    const { pep, pdp } = await fixture({ approvals: RULES });
    const task = await pep.begin({ ...BEGIN, budgets: { money: { EUR: 100 } } });
    const call = (): Promise<string> => outcomeOf(pep, task, "tickets_create", { title: "t", cost: 103 });
    expect(await call()).toBe("approval_required");
    const { waiting, say } = deskOf(pdp);
    expect((await waiting())[0]?.left).toEqual([{ unit: "money/EUR", takes: 103, left: -3 }]);
    expect([await say(), await call()]).toEqual(["resolved", "budget_exhausted"]);
  });

  it("is nothing that anybody is asked about in a currency without a budget", async () => {
    expect(await askedFor("tickets_create", { title: "t", cost: 1 }, { budgets: { money: { USD: 100 } } })).toBe("budget_exhausted");
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("down"))],
    ["says something else", async () => [1]],
    ["says what is no figure", async () => ["0", "0"]],
    ["says what nobody can have spent", async () => [-5, -5]],
  ])("cannot be told where the state %s, and nobody is asked then", async (_, spent) => {
    const state = { ...createMemoryState(), spent: spent as never };
    const { pep, pdp } = await fixture({ approvals: RULES }, { state });
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 5, rate: { "60": 5 } } });
    expect(await outcomeOf(pep, task, "tickets_create", { title: "t" })).toBe("state_unavailable");
    expect(await deskOf(pdp).waiting()).toEqual([]);
  });
});
