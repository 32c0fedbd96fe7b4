import type { AccessRequest } from "@ambit/core";
import { createMemoryLog, reportOf, verifyLog, type LogRecord } from "@ambit/core/audit";
import type { PdpOptions } from "@ambit/pdp";
import { describe, expect, it } from "vitest";
import { createCounters } from "../src/counter.ts";
import { createMemoryDocuments } from "../src/state/memory-documents.ts";
import { createMemoryState } from "../src/state/memory-state.ts";
import { createRefusals } from "../src/refusals.ts";
import { BEGIN, fixture, NOW, outcomeOf, rejection } from "./support/fixture.ts";
import { signedFixture } from "./support/signed.ts";
import { CALLERS, OBSERVER, serviceScene } from "./server/scene.ts";

const MOST = 100;
const READ = ["contracts_read", { contract_id: "k1" }, { customer_id: "c1", title: "t", terms: "r" }] as const;
const UNKNOWN_PURPOSE = { ...BEGIN, purpose: "anything" };

const kinds = (records: readonly LogRecord[], kind: string): readonly LogRecord[] => records.filter((record) => record.kind === kind);

describe("a flood of refused beginnings", () => {
  it("is on the record one by one, and then as a count", async () => {
    const { pdp, pep, records } = await fixture();
    for (let count = 0; count < MOST + 30; count++) expect(await rejection(pep.begin(UNKNOWN_PURPOSE))).toBe("purpose_mismatch");
    expect([kinds(records(), "begin").length, records().length]).toEqual([MOST, MOST]);
    await pdp.close();
    expect(kinds(records(), "refusals")).toMatchObject([
      { tenant: "tenant_1", agent: "reviewer", details: { count: 30, kinds: { begin: 30 }, codes: { purpose_mismatch: 30 }, within_seconds: 60 } },
    ]);
    expect(reportOf(records()).refusals).toMatchObject([{ code: "purpose_mismatch", count: MOST + 30 }]);
  });

  it("hides nothing of another agent or tenant, nor what is permitted", async () => {
    const { pep, records } = await fixture();
    for (let count = 0; count < MOST + 10; count++) await rejection(pep.begin(UNKNOWN_PURPOSE));
    expect(await rejection(pep.as("classifier").begin(UNKNOWN_PURPOSE))).toBe("purpose_mismatch");
    expect(await rejection(pep.begin({ ...UNKNOWN_PURPOSE, tenantId: "tenant_2" }))).toBe("purpose_mismatch");
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, ...READ)).toBe("permit");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k9" })).toBe("argument_not_allowed");
    const after = records().slice(MOST);
    expect(after.map(({ kind, tenant, agent }) => [kind, tenant, agent])).toEqual([
      ["begin", "tenant_1", "classifier"],
      ["begin", "tenant_2", "reviewer"],
      ["begin", "tenant_1", "reviewer"],
      ["decision", "tenant_1", "reviewer"],
      ["outcome", "tenant_1", "reviewer"],
      ["decision", "tenant_1", "reviewer"],
    ]);
  });

  it("under names that are made up for it is one flood", async () => {
    const { pdp, pep, records } = await fixture();
    for (let count = 0; count < MOST + 10; count++) await rejection(pep.as(`agent_${count}`).begin(BEGIN));
    expect(records().length).toBe(MOST);
    for (let count = 0; count < 1200; count++) await rejection(pep.begin({ ...UNKNOWN_PURPOSE, tenantId: `tenant_${count}` }));
    // A thousand that are told apart, and all others.
    expect(records().length).toBe(MOST + 999 + MOST);
    await pdp.close();
    expect(kinds(records(), "refusals").map(({ tenant, agent, details }) => [tenant, agent, details["count"]])).toEqual([
      ["unknown", "unregistered", 10],
      ["any", "any", 101],
    ]);
  });

  it("leaves nothing behind in memory", async () => {
    const [tenants, collections] = [new Map(), new Map()];
    const options: PdpOptions = { state: createMemoryState(tenants), documents: createMemoryDocuments(collections) };
    const users = { issuers: {} };
    const { pep, pdp } = await signedFixture({ users }, options);
    const plain = (await fixture({ users }, options)).pep;
    for (let count = 0; count < 20; count++) {
      expect(await rejection(plain.begin({ ...UNKNOWN_PURPOSE, tenantId: `t_${count}` }))).toBe("purpose_mismatch");
      expect(await rejection(pep.begin({ ...BEGIN, tenantId: `t_${count}` }))).toBe("tenant_mismatch");
      expect((await pdp.introduce({ chain: ["a.b.c"], agent: "reviewer", excerpts: [] })).decision).toBe(false);
    }
    expect([tenants.size, collections.size]).toEqual([0, 0]);
  });

  it("that could not be recorded leaves no envelope either", async () => {
    const log = createMemoryLog({ now: () => NOW });
    let isUp = false;
    const { pep, pdp } = await fixture({}, { log: { append: (body) => (isUp ? log.append(body) : Promise.reject(new Error("disk full"))) } });
    for (let count = 0; count < 3; count++) expect(await rejection(pep.begin(BEGIN))).toBe("log_unavailable");
    isUp = true;
    expect(await outcomeOf(pep, await pep.begin(BEGIN), ...READ)).toBe("permit");
    await pdp.close();
  });
});

describe("a flood of what has no envelope", () => {
  it("is counted as well: hand-offs, introductions and calls", async () => {
    const { pdp, pep, records } = await fixture();
    const task = await pep.begin(BEGIN);
    await task.end();
    const presentation = { kind: "handle", handle: "nothing" } as const;
    for (let count = 0; count < 40; count++) {
      const narrowing = { agentId: "classifier", purpose: "classify", allowedTools: ["contracts.read"] };
      expect((await pdp.handOff({ parent: presentation, agent: "reviewer", narrowing, excerpts: [] })).decision).toBe(false);
      expect((await pdp.introduce({ chain: [`${count}`], agent: "reviewer", excerpts: [] })).decision).toBe(false);
      expect((await pdp.decide(callOf(presentation, count))).decision).toBe(false);
    }
    await pdp.close();
    expect(records().filter(({ tenant }) => tenant === "unknown").length).toBe(MOST + 1);
    expect(kinds(records(), "refusals")).toMatchObject([{ tenant: "unknown", agent: "reviewer", details: { count: 20, codes: { envelope_malformed: 20 } } }]);
  });

  it("shows in the metrics of the service", async () => {
    const { url, inside } = await serviceScene({}, {}, { callers: CALLERS });
    for (let count = 0; count < MOST + 5; count++) await inside.introduce({ chain: [`${count}`], agent: "reviewer", excerpts: [] });
    const text = await (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${OBSERVER}` } })).text();
    expect(text.split("\n")).toContain('ambit_pdp_unrecorded_refusals_total{kind="hand_off"} 5');
  });
});

function callOf(presentation: { readonly kind: "handle"; readonly handle: string }, count: number): AccessRequest {
  return {
    subject: { type: "user", id: "user_1" },
    action: { name: "contracts_read" },
    resource: { type: "tool", id: "contracts_read" },
    context: { presentation, agent: "reviewer", call_id: `c${count}`, call_digest: "none", arguments: {}, supported_obligations: [] },
  } as AccessRequest;
}

describe("the count of refusals", () => {
  const party = { tenant: "t", task: "x", lineage: "x", envelope: "x", agent: "a" };

  it("is written when its time is over, and the next time begins anew", async () => {
    const log = createMemoryLog({ now: () => NOW });
    const refusals = createRefusals({ log, counter: createCounters().unrecordedRefusals, window: 20, most: 2 });
    const take = (): boolean => refusals.take(party, "begin", "no_policy");
    expect([take(), take(), take(), take()]).toEqual([true, true, false, false]);
    for (let wait = 0; wait < 200 && log.text() === ""; wait++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(recordsOf(log.text())).toMatchObject([{ kind: "refusals", tenant: "t", agent: "a", details: { count: 2, kinds: { begin: 2 } } }]);
    expect([take(), take(), take()]).toEqual([true, true, false]);
    await refusals.close();
    expect(recordsOf(log.text()).length).toBe(2);
    await refusals.close();
    expect(recordsOf(log.text()).length).toBe(2);
  });

  it("that cannot be written is written later", async () => {
    const log = createMemoryLog({ now: () => NOW });
    let isUp = false;
    const append = (...body: Parameters<typeof log.append>): ReturnType<typeof log.append> => (isUp ? log.append(...body) : Promise.reject(new Error("full")));
    const refusals = createRefusals({ log: { append }, counter: createCounters().unrecordedRefusals, most: 1 });
    for (let count = 0; count < 4; count++) refusals.take(party, "begin", "no_policy");
    await refusals.close();
    isUp = true;
    refusals.take(party, "hand_off", "no_policy");
    refusals.take(party, "hand_off", "no_policy");
    await refusals.close();
    expect(recordsOf(log.text())).toMatchObject([{ details: { count: 4, kinds: { begin: 3, hand_off: 1 }, codes: { no_policy: 4 } } }]);
  });
});

function recordsOf(text: string): readonly LogRecord[] {
  const verified = verifyLog(text);
  if (!verified.intact) throw new Error(verified.reason);
  return verified.records;
}

describe("a store in memory", () => {
  it("keeps nothing for who only asks, and nothing of a tenant that is swept empty", async () => {
    const tenants = new Map();
    const state = createMemoryState(tenants);
    await state.facts("t", "l");
    await state.revokedAt("t", ["tenant"]);
    await state.admitted("t", ["e"]);
    await state.redeem({ tenantId: "t", envelopeId: "e", callId: "c" }, "g", "d", NOW);
    expect(tenants.size).toBe(0);
    await state.revoke("t", ["tenant"], NOW, NOW + 1);
    await state.admit("u", "e", NOW + 1);
    expect(tenants.size).toBe(2);
    await state.sweep(NOW + 2);
    expect(tenants.size).toBe(0);
    const collections = new Map();
    const documents = createMemoryDocuments(collections);
    expect([await documents.get("t", "c", "x"), await documents.list("t", "c", "", 10)]).toEqual([undefined, []]);
    expect(await documents.put("t", "c", "x", {}, 1, NOW)).toBe(false);
    expect(collections.size).toBe(0);
    expect(await documents.put("t", "c", "x", {}, 0, NOW)).toBe(true);
    documents.sweep(NOW + 1);
    expect(collections.size).toBe(0);
  });
});
