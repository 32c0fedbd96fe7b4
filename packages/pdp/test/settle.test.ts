import { createPep, type Pdp, type Redemption } from "@ambit/core";
import { createMemoryLog } from "@ambit/core/audit";
import { describe, expect, it } from "vitest";
import { BEGIN, fixture, NOW, outcomeOf, rejection } from "./support/fixture.ts";

const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };

describe("a call of another envelope", () => {
  const SETTLED = { refusal: { code: "grant_replayed" } };
  const call = { tool: "contracts_read", arguments: { contract_id: "k1" }, callId: "c", turn: "1" };

  it("is neither redeemed nor settled, whoever knows its ids", async () => {
    const { pep, pdp, records } = await fixture();
    const [mine, other] = [await pep.begin({ ...BEGIN, budgets: { calls: 1 } }), await pep.begin({ ...BEGIN, delegatorId: "mallory" })];
    const redemptions: Redemption[] = [];
    const receipts: (string | undefined)[] = [];
    const redeem = async (request: Redemption): ReturnType<Pdp["redeem"]> => {
      redemptions.push(request);
      const answer = await pdp.redeem(request);
      receipts.push(answer.redeemed ? answer.receipt : undefined);
      return answer;
    };
    const watched = createPep({ pdp: { ...pdp, redeem }, agent: "reviewer", now: () => 0 });
    const decisions: string[] = [];
    for (const envelope of [other, mine]) {
      const admission = await watched.admit({ ...call, envelope });
      decisions.push(admission.admitted ? admission.decisionId : "none");
    }
    const [theirs, ours] = redemptions as [Redemption, Redemption];
    const [, decisionId = ""] = decisions;
    expect(await pdp.redeem({ ...ours, presentation: theirs.presentation })).toMatchObject({ refusal: { code: "grant_invalid" } });
    const [theirReceipt = "", receipt = ""] = receipts;
    const outcome = { agent: "reviewer", callId: ours.callId, grantId: ours.grantId, status: "failed", receipt } as const;
    await expect(pdp.settle({ ...outcome, presentation: theirs.presentation, decisionId })).rejects.toMatchObject(SETTLED);
    await expect(pdp.settle({ ...outcome, presentation: ours.presentation, decisionId: "dec_forged" })).rejects.toMatchObject(SETTLED);
    await expect(pdp.settle({ ...outcome, presentation: ours.presentation, decisionId, grantId: theirs.grantId })).rejects.toMatchObject(SETTLED);
    // INVARIANT I6: who knows the grant and did not redeem it says nothing of the call, least of all that it never ran.
    for (const change of [
      { receipt: undefined },
      { receipt: theirReceipt },
      { receipt: "", status: "not_run", redeemed: true },
      { receipt: undefined, status: "done" },
    ] as const)
      await expect(pdp.settle({ ...outcome, presentation: ours.presentation, decisionId, ...change })).rejects.toMatchObject(SETTLED);
    expect(records().filter(({ kind }) => kind === "outcome")).toEqual([]);
    expect(await outcomeOf(pep, mine, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("budget_exhausted");
    expect(await pdp.settle({ ...outcome, presentation: ours.presentation, decisionId })).toEqual({ recorded: true });
  });
});

describe("repetition", () => {
  it("answers the same call with the same decision, and runs it once", async () => {
    const { pep, pdp, records } = await fixture();
    const task = await pep.begin(BEGIN);
    const call = { envelope: task, tool: "contracts_read", arguments: { contract_id: "k1" }, callId: "call_1", turn: "3" };
    const [outer, inner] = [await pep.admit(call), await pep.admit(call)];
    expect(outer.admitted).toBe(true);
    expect(inner).toMatchObject({ admitted: false, refused: { refusal: { code: "grant_replayed" } } });
    expect(pdp).toBeDefined();
    expect(records().filter(({ kind, details }) => kind === "decision" && details["decision"] === "permit")).toHaveLength(1);
  });

  it.each([true, false])("is not permitted before the record of the first is durable (durable: %s)", async (isDurable) => {
    const memory = createMemoryLog();
    const held: (() => void)[] = [];
    const hold = (): Promise<void> => new Promise((resolve, reject) => held.push(() => (isDurable ? resolve() : reject(new Error("disk full")))));
    const { pep } = await fixture(
      {},
      { log: { append: async (body) => (body.kind === "decision" ? hold().then(() => memory.append(body)) : memory.append(body)) } },
    );
    const envelope = await pep.begin(BEGIN);
    const call = { envelope, tool: "contracts_read", arguments: { contract_id: "k1" }, callId: "call_1", turn: "3" };
    const answered: boolean[] = [];
    const both = [1, 2].map(async () => void answered.push((await pep.admit(call)).admitted));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answered).toEqual([]);
    for (const finish of held) finish();
    await Promise.all(both);
    expect(answered.filter((admitted) => admitted)).toHaveLength(isDurable ? 1 : 0);
  });

  it("of two enforcement points that share a call, the one that comes late neither runs it nor gives back what it holds", async () => {
    const { pep, pdp } = await fixture();
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 1 } });
    const call = { envelope: task, tool: "contracts_read", arguments: { contract_id: "k1" }, callId: "call_1", turn: "3" };
    let outer: unknown;
    const inner = createPep({
      pdp: { ...pdp, redeem: async (request) => ((outer ??= await pep.admit(call)), pdp.redeem(request)) },
      agent: "reviewer",
      now: () => 0,
    });
    expect(await inner.admit(call)).toMatchObject({ admitted: false, refused: { refusal: { code: "grant_replayed" } } });
    expect(outer).toMatchObject({ admitted: true });
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("budget_exhausted");
  });

  it("decides changed arguments under the same id anew only while nothing ran", async () => {
    const { pep } = await fixture();
    const task = await pep.begin(BEGIN);
    const call = { envelope: task, tool: "contracts_read", callId: "call_1", turn: "3" };
    await pep.enforce({ ...call, arguments: { contract_id: "k1" } }, () => CONTRACT);
    const again = await pep.enforce({ ...call, arguments: { contract_id: "k2" } }, () => CONTRACT);
    expect(again.refused?.refusal.code).toBe("grant_replayed");
  });
});

describe("ending", () => {
  it("is recorded once and may be called again", async () => {
    const { pep, records } = await fixture();
    const task = await pep.begin(BEGIN);
    await task.end();
    await task.end();
    expect(records().filter(({ kind }) => kind === "end")).toHaveLength(1);
  });

  it("is recorded, once, when the log failed at first", async () => {
    const log = createMemoryLog();
    let isDown = false;
    const { pep } = await fixture({}, { log: { append: (body) => (isDown ? Promise.reject(new Error("disk full")) : log.append(body)) } });
    const task = await pep.begin(BEGIN);
    isDown = true;
    expect(await Promise.all([rejection(task.end()), rejection(task.end())])).not.toContain("resolved");
    isDown = false;
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" })).toBe("envelope_revoked"); // ended all the same
    await Promise.all([task.end(), task.end()]);
    await task.end();
    expect(log.text().match(/"kind":"end"/g)).toHaveLength(1);
  });

  it.each([NOW - 5, 0, Number.NaN])("holds though the clock told %d meanwhile", async (told) => {
    let time = NOW;
    const { pep } = await fixture({}, { now: () => time });
    const task = await pep.begin(BEGIN);
    const child = await pep.handOff(task, { agentId: "classifier", allowedTools: ["crm.read"] });
    time = told;
    await task.end();
    time = NOW + 1;
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" })).toBe("envelope_revoked");
    expect(await outcomeOf(pep.as("classifier"), child, "crm_read", { customer_id: "c1" })).toBe("envelope_revoked");
  });

  it("comes with the scope of `await using`, also when it throws", async () => {
    const { pep } = await fixture();
    const kept: unknown[] = [];
    const run = async (): Promise<void> => {
      await using task = await pep.begin(BEGIN);
      kept.push(task);
      throw new Error("work failed");
    };
    await expect(run()).rejects.toThrow("work failed");
    expect(await outcomeOf(pep, kept[0] as never, "contracts_read", { contract_id: "k1" })).toBe("envelope_revoked");
  });
});
