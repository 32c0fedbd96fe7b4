import { createPep, type Admission, type Pep, type Task } from "@ambit/core";
import { createMemoryLog } from "@ambit/core/audit";
import type { CallReconciliation, EmbeddedPdp } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { createMemoryState } from "../src/state/memory-state.ts";
import { BEGIN, fixture, NOW, outcomeOf, rejection } from "./support/fixture.ts";

const TICKET = { title: "x", cost: 60 };
const MINUTES = 60_000;

async function admitted(pep: Pep, envelope: Task): Promise<Admission> {
  const admission = await pep.admit({ envelope, tool: "tickets_create", arguments: TICKET });
  if (!admission.admitted) throw new Error(admission.refused.refusal.code);
  return admission;
}

async function only(pdp: EmbeddedPdp): Promise<Pick<CallReconciliation, "tenantId" | "envelopeId" | "callId" | "by">> {
  const [call, ...others] = await pdp.unsettled("tenant_1");
  expect(others).toEqual([]);
  return { tenantId: "tenant_1", envelopeId: call?.envelopeId ?? "none", callId: call?.callId ?? "none", by: "ops" };
}

const MONEY = { ...BEGIN, budgets: { money: { EUR: 100 } } };

describe("a call that nobody knows the end of", () => {
  it("is listed with what it holds, until somebody says what it used", async () => {
    const { pdp, pep, records } = await fixture();
    const task = await pep.begin(MONEY);
    const admission = await admitted(pep, task);
    await admission.abandon();
    const [call] = await pdp.unsettled("tenant_1");
    expect(call).toMatchObject({ envelopeId: task.envelopeId, toolId: "tickets.create", state: "unknown", startedAt: NOW, reserved: { "money/EUR": 60 } });
    expect(call?.decisionId).toBe(admission.decisionId);
    expect(await outcomeOf(pep, task, "tickets_create", TICKET)).toBe("budget_exhausted");

    const said = { ...(await only(pdp)), outcome: "done", used: { "money/EUR": 40 }, reason: "the bank shows it" } as const;
    for (const again of [undefined, true]) {
      expect(await pdp.reconcile(said)).toMatchObject({ callId: said.callId, reserved: { "money/EUR": 60 } });
      expect(records().at(-1)).toMatchObject({
        kind: "reconcile",
        tenant: "tenant_1",
        envelope: task.envelopeId,
        decision_id: admission.decisionId,
        details: { call_id: said.callId, tool: "tickets.create", status: "done", used: { "money/EUR": 40 }, by: "ops", reason: "the bank shows it" },
      });
      expect(records().at(-1)?.details["repeated"]).toBe(again);
    }
    expect(await pdp.unsettled("tenant_1")).toEqual([]);
    expect([await outcomeOf(pep, task, "tickets_create", TICKET), await outcomeOf(pep, task, "tickets_create", TICKET)]).toEqual([
      "permit",
      "budget_exhausted",
    ]);
  });

  it("gives everything back that somebody says never ran, and may be asked again under its id", async () => {
    const { pdp, pep, records } = await fixture();
    const task = await pep.begin(MONEY);
    const call = { envelope: task, tool: "tickets_create", arguments: TICKET, callId: "call_1", turn: "1" };
    const first = await pep.admit(call);
    if (first.admitted) await first.abandon();
    expect(await pep.admit(call)).toMatchObject({ refused: { refusal: { code: "grant_replayed" } } });
    await pdp.reconcile({ ...(await only(pdp)), outcome: "not_run" });
    expect(records().at(-1)?.details).toMatchObject({ status: "not_run" });
    expect(await pep.admit(call)).toMatchObject({ admitted: true });
  });

  it("is left alone while it may be running, unless somebody knows that it is not", async () => {
    const { pdp, pep, records, advance } = await fixture();
    const task = await pep.begin({ ...MONEY, expiresIn: "1h" });
    await admitted(pep, task);
    const said = { ...(await only(pdp)), outcome: "not_run" } as const;
    advance(15 * MINUTES);
    expect(await rejection(pdp.reconcile(said))).toBe("call_running");
    advance(1);
    await pdp.reconcile(said);
    const late = await admitted(pep, task);
    const forced = { ...(await only(pdp)), outcome: "done" } as const;
    expect(await rejection(pdp.reconcile(forced))).toBe("call_running");
    await pdp.reconcile({ ...forced, force: true });
    expect(records().at(-1)?.details["forced"]).toBe(true);
    // Whoever ran it all the same comes too late to say how it ended, and shows nothing of it.
    expect(await late.complete({})).toMatchObject({ released: false });
    expect(await rejection(pdp.reconcile({ ...forced, callId: "other", force: true }))).toBe("grant_replayed");
  });

  it("is settled by who ran it, when they know after all, and by nobody then", async () => {
    const { pdp, pep } = await fixture();
    const task = await pep.begin(MONEY);
    const outcomes: Parameters<typeof pdp.settle>[0][] = [];
    const watched = createPep({ pdp: { ...pdp, settle: (outcome) => (outcomes.push(outcome), pdp.settle(outcome)) }, agent: "reviewer", now: () => 0 });
    await (await admitted(watched, task)).abandon();
    const [outcome] = outcomes as [(typeof outcomes)[0]];
    const said = await only(pdp);
    for (const change of [{}, { status: "not_run", redeemed: true }, { status: "done", receipt: "other" }, { status: "paused" }] as const)
      expect(await rejectionCode(pdp.settle({ ...outcome, ...change }))).toBe("grant_replayed");
    await pdp.settle({ ...outcome, status: "done", money: { currency: "EUR", amount: 40 } });
    expect(await rejection(pdp.reconcile({ ...said, outcome: "done", force: true }))).toBe("grant_replayed");
    expect(await outcomeOf(pep, task, "tickets_create", TICKET)).toBe("permit");
  });

  it("does not wait when its answer was withheld: it has ended", async () => {
    const { pdp, pep } = await fixture();
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, "no contract")).toBe("obligation_unsupported");
    expect(await pdp.unsettled("tenant_1")).toEqual([]);
  });

  it.each<object>([
    { tenantId: "" },
    { by: "" },
    { envelopeId: "" },
    { callId: 7 },
    { outcome: "failed" },
    { outcome: "constructor" },
    { force: "yes" },
    { reason: "" },
    { used: { "money/EUR": -1 } },
    { used: { "money/EUR": 0.5 } },
    { used: { "money/EUR": "40" } },
    { used: { "money/USD": 1 } },
    { used: { __proto__: null, constructor: 1 } },
    { used: null },
    { outcome: "not_run", used: { "money/EUR": 0 } },
  ])("is not reconciled by what makes no sense: %j", async (change) => {
    const { pdp, pep, records } = await fixture();
    await (await admitted(pep, await pep.begin(MONEY))).abandon();
    const said = { ...(await only(pdp)), outcome: "done", ...change } as CallReconciliation;
    expect(await rejection(pdp.reconcile(said))).toBe("option_invalid");
    expect(await pdp.unsettled("tenant_1")).toHaveLength(1);
    expect(records().filter(({ kind }) => kind === "reconcile")).toEqual([]);
  });

  it("is its tenant's alone", async () => {
    const { pdp, pep } = await fixture();
    await (await admitted(pep, await pep.begin(MONEY))).abandon();
    expect(await pdp.unsettled("tenant_2")).toEqual([]);
    expect(await rejection(pdp.reconcile({ ...(await only(pdp)), tenantId: "tenant_2", outcome: "done" }))).toBe("grant_replayed");
    for (const limit of [0, 1001, 0.5, Number.NaN]) expect(await rejection(pdp.unsettled("tenant_1", { limit }))).toBe("option_invalid");
  });

  it("is reconciled again on the record, where the first time could not be recorded", async () => {
    const kept = createMemoryLog();
    let isFull = false;
    const { pdp, pep } = await fixture({}, { log: { append: (body) => (isFull ? Promise.reject(new Error("disk full")) : kept.append(body)) } });
    await (await admitted(pep, await pep.begin(MONEY))).abandon();
    const said = { ...(await only(pdp)), outcome: "done" } as const;
    isFull = true;
    expect(await rejection(pdp.reconcile(said))).toBe("log_unavailable");
    isFull = false;
    await pdp.reconcile(said);
    expect(JSON.parse(kept.text().trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ kind: "reconcile", details: { repeated: true } });
  });

  it.each(["unsettled", "reconcile"] as const)("is not known while the state cannot be asked (%s)", async (method) => {
    const state = createMemoryState();
    const { pdp } = await fixture({}, { state: { ...state, [method]: () => Promise.reject(new Error("away")) } });
    const call = { tenantId: "tenant_1", envelopeId: "e", callId: "c", outcome: "done", by: "ops" } as const;
    expect(await rejection(method === "unsettled" ? pdp.unsettled("tenant_1") : pdp.reconcile(call))).toBe("state_unavailable");
  });

  it("is not taken for reconciled where the store answers something else", async () => {
    const { pdp } = await fixture({}, { state: { ...createMemoryState(), reconcile: async () => ({ status: "ok" }) as never } });
    const call = { tenantId: "tenant_1", envelopeId: "e", callId: "c", outcome: "done", by: "ops" } as const;
    expect(await rejection(pdp.reconcile(call))).toBe("state_unavailable");
  });
});

/** Refusals of `settle` are thrown as they are. */
async function rejectionCode(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "resolved",
    (error: { readonly refusal?: { readonly code: string } }) => error.refusal?.code ?? "no code",
  );
}
