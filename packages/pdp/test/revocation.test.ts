import type { BeginOptions, Pdp, Pep, Task } from "@ambit/core";
import type { PdpConfig, Revocation } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { BEGIN, CONFIG, fixture, outcomeOf, rejection, type Fixture } from "./support/fixture.ts";
import { signedFixture } from "./support/signed.ts";

const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r", salary: 7 }] as const;
const TO = { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] } as const;

/** Two worlds that must not differ: envelopes behind handles, and signed ones. */
const WORLDS: readonly (readonly [string, (config?: Partial<PdpConfig>) => Promise<Fixture>])[] = [
  ["behind a handle", (config) => fixture(config)],
  ["that is signed", (config) => signedFixture(config)],
];

const call = (pep: Pep, task: Task): Promise<string> => outcomeOf(pep, task, ...READ);

describe.each(WORLDS)("an envelope %s", (_, create) => {
  const scene = async (begin: Partial<BeginOptions> = {}) => {
    const base = await create();
    const task = await base.pep.begin({ ...BEGIN, sessionId: "s1", taskId: "t1", ...begin });
    const child = await base.pep.handOff(task, { ...TO, taskId: "t1/part" });
    base.advance(6000);
    return { ...base, task, child, classifier: base.pep.as("classifier") };
  };

  const scopes: readonly (readonly [Pick<Revocation, "scope" | "id">, parent: string, child: string])[] = [
    [{ scope: "task", id: "t1" }, "envelope_revoked", "envelope_revoked"],
    [{ scope: "task", id: "t1/part" }, "permit", "envelope_revoked"],
    [{ scope: "task", id: "t1/par" }, "permit", "permit"],
    [{ scope: "session", id: "s1" }, "envelope_revoked", "envelope_revoked"],
    [{ scope: "agent", id: "classifier" }, "permit", "envelope_revoked"],
    [{ scope: "agent", id: "reviewer" }, "envelope_revoked", "envelope_revoked"],
    [{ scope: "delegator", id: "user_1" }, "envelope_revoked", "envelope_revoked"],
    [{ scope: "delegator", id: "user_2" }, "permit", "permit"],
    [{ scope: "tenant" }, "envelope_revoked", "envelope_revoked"],
  ];

  it.each(scopes)("is gone once %j is revoked, with all below it, and nothing else is", async (scope, parent, below) => {
    const { pdp, pep, classifier, task, child, records } = await scene();
    await pdp.revoke({ tenantId: "tenant_1", by: "security", reason: "incident 7", ...scope });
    expect([await call(pep, task), await call(classifier, child)]).toEqual([parent, below]);
    // Which envelope of the chain it was is said to who reads the log.
    const denied = records().find(({ kind, details }) => kind === "decision" && details["code"] === "envelope_revoked");
    const first = parent === "permit" ? 1 : 0;
    if (below !== "permit") expect(denied?.details["hint"]).toMatch(new RegExp(`^envelope ${first} of the chain, by \`${scope.scope}`));
    expect(records().find(({ kind }) => kind === "revoke")).toMatchObject({ tenant: "tenant_1", details: { ...scope, by: "security", reason: "incident 7" } });
  });

  it("is gone once it is revoked itself, with all below it", async () => {
    const { pdp, pep, classifier, task, child } = await scene();
    await pdp.revoke({ tenantId: "tenant_1", by: "security", scope: "envelope", id: task.envelopeId });
    expect([await call(pep, task), await call(classifier, child)]).toEqual(["envelope_revoked", "envelope_revoked"]);
  });

  it("of another tenant is not concerned", async () => {
    const { pdp, pep, task } = await scene();
    await pdp.revoke({ tenantId: "tenant_2", by: "security", scope: "tenant" });
    expect(await call(pep, task)).toBe("permit");
  });

  it("that is begun after a revocation is not concerned", async () => {
    const { pdp, pep, advance } = await scene();
    await pdp.revoke({ tenantId: "tenant_1", by: "security", scope: "delegator", id: "user_1" });
    advance(6000);
    expect(await call(pep, await pep.begin(BEGIN))).toBe("permit");
  });

  it("redeems no grant that was given before it was revoked", async () => {
    const { pdp, task, pepWith } = await scene();
    const revoking: Pdp = {
      ...pdp,
      redeem: async (request) => (await pdp.revoke({ tenantId: "tenant_1", by: "security", scope: "tenant" }), pdp.redeem(request)),
    };
    expect(await call(pepWith(revoking), task)).toBe("envelope_revoked");
  });

  it("ends with its scope: by return, by throw and by abort", async () => {
    const { pep, task } = await scene();
    const kept: Task[] = [];
    const inScope = async (isFailing: boolean): Promise<void> => {
      await using own = await pep.begin(BEGIN);
      kept.push(own);
      expect(await call(pep, own)).toBe("permit");
      if (isFailing) throw new Error("failed");
    };
    await inScope(false);
    await expect(inScope(true)).rejects.toThrow("failed");
    const aborting = new AbortController();
    const own = await pep.begin({ ...BEGIN, signal: aborting.signal });
    const given = await pep.handOff(task, { ...TO, signal: aborting.signal });
    expect(await call(pep, own)).toBe("permit");
    aborting.abort();
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (const one of [...kept, own]) expect(await call(pep, one)).toBe("envelope_revoked");
    expect(await call(pep.as("classifier"), given)).toBe("envelope_revoked");
    expect(await call(pep, task)).toBe("permit");
    expect(await rejection(pep.begin({ ...BEGIN, signal: aborting.signal }))).toBe("call_aborted");
  });

  it("refuses a revocation of nothing", async () => {
    const { pdp } = await scene();
    const bad: readonly object[] = [
      { scope: "task" },
      { scope: "tenant", id: "x" },
      { scope: "planet", id: "x" },
      { scope: "task", id: "" },
      { scope: "task", id: "a b" },
    ];
    for (const scope of bad) expect(await rejection(pdp.revoke({ tenantId: "tenant_1", by: "me", ...scope } as Revocation))).toBe("option_invalid");
    expect(await rejection(pdp.revoke({ tenantId: "", by: "me", scope: "tenant" }))).toBe("option_invalid");
    expect(await rejection(pdp.revoke({ tenantId: "tenant_1", by: "", scope: "tenant" }))).toBe("option_invalid");
  });
});

describe.each(WORLDS)("renewing a task %s", (_, create) => {
  it("goes on in the same lineage: what was spent stays spent, and what was read stays read", async () => {
    const { pep, advance, records } = await create();
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 3 } });
    expect([await call(pep, task), await call(pep, task)]).toEqual(["permit", "permit"]);
    advance(540_000);
    const next = await pep.renew(task, { expiresIn: "10m" });
    expect(next).toMatchObject({ lineage: task.lineage, depth: 0, envelope: { taskId: task.envelope.taskId, budgets: { calls: 3 } } });
    expect(next.envelopeId).not.toBe(task.envelopeId);
    advance(120_000);
    expect(await call(pep, task)).toBe("envelope_expired");
    expect([await call(pep, next), await call(pep, next)]).toEqual(["permit", "budget_exhausted"]);
    const begun = records().filter(({ kind }) => kind === "begin");
    expect(begun[1]).toMatchObject({ lineage: task.lineage, details: { continues: task.envelopeId, replaces: false } });
    const again = await pep.renew(next, { expiresIn: "10m", budgets: { calls: 4 } });
    expect([await call(pep, again), await call(pep, again)]).toEqual(["permit", "budget_exhausted"]);
    expect(again.lineage).toBe(task.lineage);
  });

  it("is seen by policies, with what it goes on from and whether it is wider in anything but its time", async () => {
    const text = `
@id("not-wider") forbid (principal, action == Action::"ambit:begin", resource) when { context has continues && context.continues.widens };
@id("no-new-tools") forbid (principal, action == Action::"ambit:begin", resource)
  when { context has continues && !(context.continues.allowed_tools.containsAll(context.allowed_tools) && context.continues.purpose == context.purpose) };`;
    const { pep, advance } = await create({ policies: [...CONFIG.policies, { name: "renewals.cedar", text }] });
    const task = await pep.begin({ ...BEGIN, allowedTools: ["crm.read"], budgets: { calls: 3 } });
    advance(1000);
    const next = await pep.renew(task, { expiresIn: "20m" });
    expect(await rejection(pep.renew(next, { expiresIn: "10m", budgets: { calls: 2 } }))).toBe("resolved");
    for (const wider of [
      { allowedTools: ["crm.read", "tickets.create"] },
      { budgets: { calls: 4 } },
      { resourceConstraints: { ...BEGIN.resourceConstraints, customer_id: "c2" } },
      { purpose: "other" },
    ])
      expect(await rejection(pep.renew(next, { expiresIn: "10m", ...wider }))).toBe("policy_denied");
    expect(await rejection(pep.begin(BEGIN))).toBe("resolved");
  });

  it("leaves what was handed on until its own expiry, and revokes all of it for another purpose", async () => {
    const { pep, advance } = await create();
    const task = await pep.begin(BEGIN);
    const child = await pep.handOff(task, TO);
    const same = await pep.renew(task, { expiresIn: "20m" });
    expect([await call(pep, task), await call(pep, same), await call(pep.as("classifier"), child)]).toEqual(["permit", "permit", "permit"]);
    const other = await pep.renew(same, { expiresIn: "20m", purpose: "other", allowedTools: ["crm.read"] });
    advance(6000);
    expect([await call(pep, same), await call(pep, other)]).toEqual(["envelope_revoked", "tool_not_allowed"]);
    expect([await call(pep, task), await call(pep.as("classifier"), child)]).toEqual(["envelope_revoked", "envelope_revoked"]);
    expect(other.envelope.purpose).toBe("other");
    const back = await pep.renew(other, { expiresIn: "20m", purpose: BEGIN.purpose, allowedTools: BEGIN.allowedTools });
    expect([await call(pep, back), await call(pep, task), await call(pep, same)]).toEqual(["permit", "envelope_revoked", "envelope_revoked"]);
    expect(await rejection(pep.renew(other, { expiresIn: "20m" }))).toBe("envelope_revoked");
  });

  it("revokes what was renewed besides, and does not go back to a purpose at once", async () => {
    const { pep, advance } = await create();
    const task = await pep.begin(BEGIN);
    advance(2000);
    const same = await pep.renew(task, { expiresIn: "20m" });
    const other = await pep.renew(task, { expiresIn: "20m", purpose: "other", allowedTools: ["crm.read"] });
    expect([await call(pep, task), await call(pep, same), await call(pep, other)]).toEqual(["envelope_revoked", "envelope_revoked", "tool_not_allowed"]);
    expect(await rejection(pep.renew(other, { expiresIn: "20m", purpose: BEGIN.purpose, allowedTools: BEGIN.allowedTools }))).toBe("envelope_revoked");
  });

  it("ends with the last envelope all before it, and with an earlier one none after it", async () => {
    const { pep, advance } = await create();
    const task = await pep.begin(BEGIN);
    const child = await pep.handOff(task, TO);
    advance(2000);
    const second = await pep.renew(task, { expiresIn: "20m" });
    advance(2000);
    const third = await pep.renew(second, { expiresIn: "20m" });
    await second.end();
    const called = async (): Promise<readonly unknown[]> => [
      await call(pep, task),
      await call(pep.as("classifier"), child),
      await call(pep, second),
      await call(pep, third),
    ];
    expect(await called()).toEqual(["envelope_revoked", "envelope_revoked", "envelope_revoked", "permit"]);
    await third.end();
    expect(await called()).toEqual(["envelope_revoked", "envelope_revoked", "envelope_revoked", "envelope_revoked"]);
  });

  it("is for the root of a lineage that lives, and its holder alone", async () => {
    const { pep, advance } = await create();
    const task = await pep.begin(BEGIN);
    const child = await pep.handOff(task, TO);
    expect(await rejection(pep.as("classifier").renew(child, { expiresIn: "1h" }))).toBe("hand_off_denied");
    expect(await rejection(pep.as("classifier").renew(task, { expiresIn: "1h" }))).toMatch(/^(holder_mismatch|pop_invalid)$/);
    expect(await rejection(pep.renew(task, { expiresIn: "1h", purpose: "nothing" }))).toBe("purpose_mismatch");
    expect(await rejection(pep.renew(task, { expiresIn: "91d" }))).toBe("envelope_malformed");
    expect(await rejection(pep.renew({} as Task, { expiresIn: "1h" }))).toBe("envelope_malformed");
    await task.end();
    expect(await rejection(pep.renew(task, { expiresIn: "1h" }))).toBe("envelope_revoked");
    const late = await pep.begin(BEGIN);
    advance(601_000);
    expect(await rejection(pep.renew(late, { expiresIn: "1h" }))).toBe("envelope_expired");
  });
});
