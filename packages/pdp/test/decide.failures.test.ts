import { createPep, type StateStore } from "@ambit/core";
import { createMemoryLog } from "@ambit/core/audit";
import { describe, expect, it } from "vitest";
import { createMemoryState } from "../src/state/memory-state.ts";
import { BEGIN, fixture, NOW, outcomeOf } from "./support/fixture.ts";

const FACTS = { calls: 0, toolsUsed: [], previousTool: null, labels: { integrity: "trusted", dataClasses: [] } };
const COMMITTED = { status: "committed", decisionId: "dec_1", grant: { id: "grant_1", expiresAt: NOW + 1000 }, reserved: { records: 5 } };
const CONTRACT = { customer_id: "c1", title: "t", terms: "r", salary: 7 };

describe("when something it depends on fails", () => {
  const failing = (method: keyof StateStore): StateStore => ({ ...createMemoryState(), [method]: () => Promise.reject(new Error("down")) });

  it.each(["commit", "facts", "redeem", "revokedAt"] as const)("a store whose `%s` rejects is a deny", async (method) => {
    let isDown = false;
    const state = createMemoryState();
    const broken = failing(method);
    const flaky = new Proxy(state, { get: (target, key) => Reflect.get(isDown && key === method ? broken : target, key) as unknown });
    const { pep } = await fixture({}, { state: flaky });
    const task = await pep.begin(BEGIN);
    isDown = true;
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("state_unavailable");
    isDown = false; // INVARIANT I8: recovery without restart
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("permit");
  });

  it.each([
    ["revokedAt", "null", null],
    ["revokedAt", "NaN", Number.NaN],
    ["revokedAt", "text", "never"],
    ["facts", "nothing", undefined],
    ["facts", "facts without labels", { calls: 0, toolsUsed: [], previousTool: null }],
    ["facts", "a count that is none", { ...FACTS, calls: Number.NaN }],
    ["facts", "an integrity that nobody knows", { ...FACTS, labels: { integrity: "fine", dataClasses: [] } }],
    ["facts", "names that are not text", { ...FACTS, toolsUsed: [1] }],
    ["commit", "nothing", undefined],
    ["commit", "a status that nobody knows", { ...COMMITTED, status: "fine" }],
    ["commit", "nothing as reserved", { ...COMMITTED, reserved: null }],
    ["commit", "no reservation", { ...COMMITTED, reserved: {} }],
    ["commit", "an inherited reservation", { ...COMMITTED, reserved: Object.create({ records: 5 }) as object }],
    ["commit", "more than was asked for", { ...COMMITTED, reserved: { records: 51 } }],
    ["commit", "less than was asked for", { ...COMMITTED, reserved: { records: 0 } }],
    ["commit", "a reservation that is no number", { ...COMMITTED, reserved: { records: "5" } }],
    ["commit", "no decision", { ...COMMITTED, decisionId: undefined }],
    ["commit", "a grant without an expiry", { ...COMMITTED, grant: { id: "g" } }],
    ["commit", "a grant without an id", { ...COMMITTED, grant: { id: "", expiresAt: NOW + 1000 } }],
  ])("a store whose `%s` answers %s is a deny", async (method, _, answer) => {
    let isOdd = false;
    const state = createMemoryState();
    const odd = new Proxy(state, { get: (target, key) => (isOdd && key === method ? () => Promise.resolve(answer) : (Reflect.get(target, key) as unknown)) });
    const { pep } = await fixture({}, { state: odd });
    const task = await pep.begin(BEGIN);
    isOdd = true;
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("state_unavailable");
    isOdd = false;
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("permit");
  });

  it.each([
    ["NaN", () => Number.NaN],
    ["Infinity", () => Infinity],
    ["half milliseconds", () => NOW + 0.5],
    ["nothing", () => undefined as never],
    [
      "an error",
      () => {
        throw new Error("no clock");
      },
    ],
  ] as const)("a clock that tells %s is a deny", async (_, tell) => {
    let isBroken = false;
    const { pep, pdp } = await fixture({}, { now: () => (isBroken ? tell() : NOW) });
    const task = await pep.begin(BEGIN);
    const late = createPep({
      pdp: { ...pdp, decide: (request) => pdp.decide(request).finally(() => void (isBroken = true)) },
      agent: "reviewer",
      now: () => 0,
    });
    expect(await outcomeOf(late, task, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("state_unavailable"); // at redemption
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("state_unavailable");
    await expect(pep.begin(BEGIN)).rejects.toMatchObject({ code: "state_unavailable" });
    await expect(pep.handOff(task, { agentId: "classifier" })).rejects.toMatchObject({ code: "state_unavailable" });
    isBroken = false;
    expect(await outcomeOf(pep, task, "crm_read", { customer_id: "c1" }, { records: [] })).toBe("permit");
  });

  it("a log that cannot be written is a deny, and what was reserved is given back", async () => {
    const log = createMemoryLog();
    let isDown = false;
    const { pep } = await fixture({}, { log: { append: (body) => (isDown ? Promise.reject(new Error("disk full")) : log.append(body)) } });
    const task = await pep.begin({ ...BEGIN, budgets: { calls: 1 } });
    isDown = true;
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("log_unavailable");
    isDown = false;
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("permit");
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("budget_exhausted");
  });

  it("an outcome that cannot be recorded withholds the answer", async () => {
    const log = createMemoryLog();
    const { pep } = await fixture({}, { log: { append: (body) => (body.kind === "outcome" ? Promise.reject(new Error("disk full")) : log.append(body)) } });
    const task = await pep.begin(BEGIN);
    expect(await outcomeOf(pep, task, "contracts_read", { contract_id: "k1" }, CONTRACT)).toBe("pdp_unavailable");
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("x");
      },
    ],
    ["rejects", () => Promise.reject(new Error("x"))],
    ["answers nothing", async () => []],
    ["answers undefined", async () => undefined],
    ["answers less than it was asked", async () => [{ effect: "permit", policies: [], errors: [] }]],
    ["permits with an error", async () => [1, 2].map(() => ({ effect: "permit", policies: [], errors: ["a forbid failed"] }))],
  ])("an engine that %s is a policy error", async (_, evaluate) => {
    const engine = { isEmpty: false, digest: "x", evaluate } as never;
    const { pep } = await fixture({}, { engine });
    await expect(pep.begin(BEGIN)).rejects.toMatchObject({ code: "policy_error" });
  });

  it("an engine's own words are for operators: the model sees no policy's name", async () => {
    const overflow =
      'permit (principal, action, resource); @id("secret-rule") forbid (principal, action == Action::"crm.read", resource) when { context.arguments has limit && context.arguments.limit * 9007199254740991 > 0 };';
    const { pep, records } = await fixture({ policies: [{ name: "p.cedar", text: overflow }] });
    const envelope = await pep.begin({ ...BEGIN, resourceConstraints: {} });
    const enforced = await pep.enforce({ envelope, tool: "crm_read", arguments: { customer_id: "c1", limit: 2 ** 53 - 1 } }, () => ({}));
    expect(enforced.refused?.refusal.code).toBe("policy_error");
    expect(enforced.refused?.refusal.message).not.toContain("secret-rule");
    expect(records().at(-1)?.details["hint"]).toContain("secret-rule");
  });

  it.each([[true], ["allow"], [undefined], ["PERMIT"]])("an engine whose effect is %j has not permitted", async (effect) => {
    const evaluate = async (list: readonly unknown[]): Promise<unknown> => list.map(() => ({ effect, policies: [], errors: [] }));
    const { pep } = await fixture({}, { engine: { isEmpty: false, digest: "x", evaluate } as never });
    await expect(pep.begin(BEGIN)).rejects.toMatchObject({ code: "policy_denied" });
  });
});
