import type { PdpConfig } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { BEGIN, codeOf, CONFIG, fixture, MANIFEST, outcomeOf } from "../support/fixture.ts";
import { deskOf, scene, TENANT, TICKET, type Scene } from "./scene.ts";

const CONFIGURED: PdpConfig = { ...CONFIG, approvals: {} };

/** A call that was approved and has not run. */
async function approved(...given: Parameters<typeof scene>): Promise<Scene & { status(): Promise<string | undefined> }> {
  const made = await scene(...given);
  expect([await made.call(), await made.say()]).toEqual(["approval_required", "resolved"]);
  return { ...made, status: async () => (await made.pdp.approvals.list(TENANT))[0]?.status };
}

describe("a call that was approved is decided again, and refused", () => {
  it("where the policy has changed; the approval is there still when it changes back", async () => {
    const { pdp, call, status } = await approved({});
    const [main] = CONFIG.policies as readonly { readonly name: string; readonly text: string }[];
    const stricter = { name: "more.cedar", text: `forbid (principal, action == Action::"tickets.create", resource);` };
    await pdp.reload({ ...CONFIGURED, policies: [main as { name: string; text: string }, stricter] });
    expect([await call(), await status()]).toEqual(["policy_denied", "approved"]);
    await pdp.reload(CONFIGURED);
    expect([await call(), await call()]).toEqual(["permit", "approval_required"]);
  });

  it("where the budget is gone meanwhile; the approval was not used up by it", async () => {
    const { pep, task, call, status } = await approved({}, {}, { budgets: { calls: 1 } });
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("permit");
    expect([await call(), await status()]).toEqual(["budget_exhausted", "approved"]);
  });

  it("where the definition of the tool is not the pinned one any longer", async () => {
    const { "tickets.create": ticket, ...tools } = MANIFEST.tools;
    const [seen, changed] = ["A", "B"].map((letter) => `sha-256:${letter.repeat(43)}`);
    const manifest = { tools: { ...tools, "tickets.create": { ...ticket, names: [{ name: "tickets_create", pin: seen }] } } };
    const { pep, pdp } = await fixture({ manifest, approvals: {} });
    const task = await pep.begin({ ...BEGIN, approvals: ["tickets.create"] });
    const call = async (definition: string | undefined): Promise<string> =>
      codeOf(await pep.enforce({ envelope: task, tool: TICKET[0], arguments: TICKET[1], definition }, () => ({})));
    expect([await call(seen), await deskOf(pdp).say()]).toEqual(["approval_required", "resolved"]);
    expect([await call(changed), await call(undefined), await call(seen)]).toEqual(["tool_changed", "tool_changed", "permit"]);
  });

  it("where the task that it was handed on from has ended", async () => {
    const { pep, pdp } = await fixture({ approvals: {} });
    const root = await pep.as("coordinator").begin({ ...BEGIN, approvals: ["tickets.create"] });
    const child = await pep.as("coordinator").handOff(root, { agentId: "reviewer", allowedTools: ["tickets.create"] });
    expect([await outcomeOf(pep, child, ...TICKET), await deskOf(pdp).say()]).toEqual(["approval_required", "resolved"]);
    await root.end();
    expect(await outcomeOf(pep, child, ...TICKET)).toBe("envelope_revoked");
  });

  it.each(["delegator", "agent", "tenant"] as const)("where the %s was revoked", async (scope) => {
    const { pdp, call } = await approved({});
    await pdp.revoke({ tenantId: TENANT, scope, by: "security", ...(scope === "tenant" ? {} : { id: scope === "agent" ? "reviewer" : "user_1" }) });
    expect(await call()).toBe("envelope_revoked");
  });

  it("where its own task has ended, or its time is over", async () => {
    const ended = await approved({});
    await ended.task.end();
    expect(await ended.call()).toBe("envelope_revoked");
    const late = await approved({ lifetime_seconds: 3600 });
    late.advance(600_000);
    expect(await late.call()).toBe("envelope_expired");
  });

  it("where the approval has expired: it waits again, also for who approved before", async () => {
    const { call, advance, waiting, say } = await approved({ lifetime_seconds: 60 });
    advance(59_000);
    expect(await waiting()).toEqual([]);
    advance(1000);
    expect(await call()).toBe("approval_required");
    expect(await waiting()).toHaveLength(1);
    expect([await say(), await call()]).toEqual(["resolved", "permit"]);
  });

  it("where whoever approved may not any longer: it waits for somebody who may", async () => {
    const approvers = (roles: readonly string[]): object => ({
      approvers: { approvers: { lead: { tenants: "any", roles } } },
      rules: [{ by: ["role:finance"] }],
    });
    const { pdp, call, say } = await scene(approvers(["finance"]));
    expect([await call(), await say({ approver: "lead" })]).toEqual(["approval_required", "resolved"]);
    await pdp.reload({ ...CONFIG, approvals: approvers(["legal"]) });
    expect(await call()).toBe("approval_required");
    await pdp.reload({ ...CONFIG, approvals: approvers(["finance"]) });
    expect(await call()).toBe("permit");
  });

  it("where whoever approved turns out to be an agent", async () => {
    const rules = { rules: [{ by: ["user:helper"] }] };
    const { pdp, call, say } = await scene(rules);
    expect([await call(), await say({ approver: "helper" })]).toEqual(["approval_required", "resolved"]);
    const { agents } = CONFIG.agents as { readonly agents: object };
    await pdp.reload({ ...CONFIG, approvals: rules, agents: { agents: { ...agents, helper: { trust_zone: "third_party", ceiling: "none" } } } });
    expect(await call()).toBe("approval_required");
  });
});
